"""A case for programs: everything its page shows, as JSON values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alerting.database.cases import case_clocks, case_records
from alerting.database.engine import Transaction
from alerting.database.rows.cases import AttemptRow, CorrectionRow
from alerting.domain.cases.clocks import Clock
from alerting.services.cases.case_view import CaseView
from alerting.services.cases.timeline import StoryLine


@dataclass(frozen=True, kw_only=True)
class CaseRecord:
    """What only a case's page and programs are told: who owes each clock, or had it when it stopped
    or was missed, by its key; the corrections of its times.
    """

    owed_by: Mapping[str, str]
    corrections: Sequence[CorrectionRow]


def case_record(tx: Transaction, case_id: int) -> CaseRecord:
    return CaseRecord(
        owed_by=case_clocks.parties_of(tx, case_id),
        corrections=case_records.corrections_of(tx, [case_id]),
    )


def case_as_json(
    view: CaseView, record: CaseRecord, story: Sequence[StoryLine]
) -> dict[str, object]:
    """A case for programs: who has it, its clocks with their pauses (instants UTC, durations in
    seconds), its story.
    """

    case = view.case
    waiting = {"for": case.waiting_for, "since": case.waiting_since, "until": case.waiting_until}
    return {
        "number": case.number,
        "customer": case.customer_key,
        "status": case.standing,
        "caller": case.caller,
        "fixer": case.fixer,
        "informed": case.informed,
        "revision": case.revision,
        "assignment": case.assignment,
        "cycle": case.cycle,
        "waiting": waiting if case.waiting_since is not None else None,
        "root_cause": case.root_cause,
        "action": case.action,
        "corrective_action": case.corrective_action,
        "clocks": [_clock(c, record.owed_by[c.key]) for c in view.all_clocks],
        "calls": [_named(a, _OF_CALL) for a in view.attempts],
        "corrections": [_named(c, _OF_CORRECTION) for c in record.corrections],
        "story": [
            {"at": m.at, "recorded_at": m.recorded_at, "text": m.text, "proof": m.proof or None}
            for m in story
        ],
    }


_OF_CALL = ("by", "channel", "outcome", "reached", "happened_at", "recorded_at", "grade")
_OF_CORRECTION = ("what", "subject", "was", "becomes", "by", "approved", "decided_by")


def _named(one: AttemptRow | CorrectionRow, names: Sequence[str]) -> dict[str, object]:
    return {name: getattr(one, name) for name in names} | {"number": one.id}


def _clock(c: Clock, person: str) -> dict[str, object]:
    stopped = c.stopped_at
    return {
        "clock": c.key,
        "person": person,
        "policy": c.policy,
        "within": str(c.within),
        "calendar": c.calendar,
        "rulebook": c.rulebook,
        "started_at": c.started_at,
        "due_at": c.due_at,
        "paused_at": c.paused_at,
        "pauses": [list(pause) for pause in c.pauses],
        "stopped_at": stopped,
        "missed_at": c.missed_at,
        "superseded_at": c.superseded_at,
        "met": c.met,
        "felt_seconds": (stopped - c.started_at).total_seconds() if stopped else None,
        "working_seconds": c.worked.total_seconds() if c.worked is not None else None,
    }
