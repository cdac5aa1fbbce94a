"""The parts of a report that are told one by one: breaches, changes, the seal; what is open now."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.reports import report_details as details
from alerting.database.reports import single_clocks
from alerting.database.rows.cases import CorrectionRow, EffectReviewRow, MissedClock
from alerting.database.rows.reports import CaseCountsRow, LoadRow, PauseRow, Sum
from alerting.domain.reports.breaches import Broken, reasons
from alerting.domain.reports.selection import Selection
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook_diff import RulebookDiff, compare
from alerting.services.cases.load_case import read_rulebook
from alerting.services.context import Context
from alerting.services.reports.report_lines import (
    Breach,
    Load,
    Open,
    RecordedChange,
    SealState,
    Stay,
)

SHOWN = 200
"""Breaches told one by one; the worst first. The exports have all."""

COMPARED = 20
"""Rulebooks that are compared with the one before; each has to be read whole."""

NEXT = 20
"""Open promises that are shown."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Rest:
    """What small reads tell: what changed, the seal, waits, load, the next promises."""

    changes: Sequence[RecordedChange]
    seal: SealState
    pauses: Sequence[PauseRow]
    load: Sequence[Load]
    next_promises: Sequence[Open]


def _name(staff: Staff, party: str) -> str:
    found = staff.get(party)
    return found.name if found else party


def breaches(tx: Transaction, which: Selection, now: datetime, staff: Staff) -> list[Breach]:
    """The worst of what was missed, each with what the audit knows about it."""
    rows = single_clocks.missed(tx, which, now, SHOWN)
    ids = sorted({row.case_id for row in rows})
    names = _customers(tx, {row.customer_key for row in rows}, now)
    entries, waits = details.entries_of_cases(tx, ids), details.waits_of_cases(tx, ids)
    reviews = details.reviews_of_cases(tx, ids)

    def name(party: str) -> str:
        return _name(staff, party)

    def breach(row: MissedClock) -> Breach:
        ended = row.stopped_at or now
        broken = Broken(
            kind=row.kind,
            cycle=row.cycle,
            started_at=row.started_at,
            due_at=row.due_at,
            ended=ended,
        )
        return Breach(
            case_id=row.case_id,
            cycle=row.cycle,
            clock=row.kind,
            customer_key=row.customer_key,
            customer=names[row.customer_key],
            party=row.party,
            name=name(row.party),
            started_at=row.started_at,
            due_at=row.due_at,
            stopped_at=row.stopped_at,
            over=row.over * _MICROSECOND,
            reasons=reasons(broken, entries.get(row.case_id, ()), waits.get(row.case_id, ()), name),
            root_cause=row.root_cause,
            action=row.action,
            corrective_action=row.corrective_action,
            effect=_effect(reviews.get((row.case_id, row.cycle))),
        )

    return [breach(row) for row in rows]


def _effect(review: EffectReviewRow | None) -> str:
    if review is None:
        return ""
    if review.done_at is None:
        return f"review due {review.due_at:%Y-%m-%d}"
    return "effective" if review.effective else "not effective"


def _customers(tx: Transaction, keys: set[str], now: datetime) -> dict[str, str]:
    return {key: h.as_of(now).name for key, h in customers.histories(tx, sorted(keys)).items()}


def the_rest(tx: Transaction, ctx: Context, which: Selection, now: datetime, staff: Staff) -> Rest:
    """What changed, the seal, waits, load, the next promises: small reads, in one transaction."""
    upcoming = details.next_promises(tx, which, now, NEXT)
    customers_ = _customers(tx, {row.customer_key for row in upcoming}, now)

    def name(party: str) -> str:
        return _name(staff, party)

    changes = [*_activations(tx, ctx, which)]
    changes += [_correction(row, name) for row in details.corrections(tx, which)]
    return Rest(
        changes=sorted(changes, key=lambda change: change.at),
        seal=_seal(tx),
        pauses=details.pauses(tx, which, now),
        load=_load(details.load(tx, which, now), name),
        next_promises=[
            Open(
                case_id=row.case_id,
                clock=row.kind,
                customer=customers_[row.customer_key],
                party=row.party,
                name=name(row.party),
                due_at=row.due_at,
            )
            for row in upcoming
        ],
    )


def _seal(tx: Transaction) -> SealState:
    head, unsealed, checkpoint = details.seal(tx)
    return SealState(
        entries=head.seq,
        head=str(head),
        unsealed=unsealed,
        checkpoint=None if checkpoint is None else f"{checkpoint.seq}:{checkpoint.hash}",
        checkpoint_at=None if checkpoint is None else checkpoint.recorded_at,
    )


def _activations(tx: Transaction, ctx: Context, which: Selection) -> list[RecordedChange]:
    """What came into force in the period, each with what is different from what was in force before
    it; of many the newest.
    """
    found: list[RecordedChange] = []
    rows = details.activations(tx, which)
    for number, (row, former) in enumerate(rows):
        told = number >= len(rows) - COMPARED
        before = read_rulebook(tx, ctx, former) if told and former else None
        after = read_rulebook(tx, ctx, row.rulebook) if before is not None else None
        different = (
            compare(before, after) if after is not None else RulebookDiff(rules=(), lines=())
        )
        approved = f", approved by {row.approver}" if row.approver else ""
        found.append(
            RecordedChange(
                at=row.activated_at,
                what="rules",
                by=row.author,
                words=f"rules {row.rulebook[:12]} came into force{approved}: {row.reason}",
                rules=different.rules,
                lines=different.lines,
            )
        )
    return found


def _correction(row: CorrectionRow, name: Callable[[str], str]) -> RecordedChange:
    state = {None: "proposed", True: "approved", False: "declined"}[row.approved]
    decided = f" by {name(row.decided_by)}" if row.decided_by else ""
    words = (
        f"time of {row.what}: {row.was:%Y-%m-%d %H:%M}Z becomes "
        f"{row.becomes:%Y-%m-%d %H:%M}Z, {state}{decided}"
    )
    reason = f": {row.reason}" if row.reason else ""
    at = row.decided_at or row.proposed_at
    return RecordedChange(
        at=at, what="correction", by=name(row.by), words=words + reason, case_id=row.case_id
    )


def stays(cases: CaseCountsRow, pauses: Sequence[PauseRow]) -> list[Stay]:
    """Mean times; of cases of one cycle, for a case that was reopened has stood in its statuses
    more than once.
    """

    def mean(total: Sum, count: int) -> timedelta | None:
        return int(total or 0) // count * _MICROSECOND if count else None

    found = [
        Stay(
            status="open until somebody took it",
            count=cases.reached,
            mean=mean(cases.stood_open, cases.reached),
        ),
        Stay(
            status="acknowledged until the customer was reached",
            count=cases.taken,
            mean=mean(cases.stood_taken, cases.taken),
        ),
        Stay(
            status="contacted until resolved",
            count=cases.closed,
            mean=mean(cases.to_close, cases.closed),
        ),
    ]
    words = {"customer": "the customer", "third_party": "a third party"}
    return found + [
        Stay(
            status=f"waiting for {words[row.waiting_for]}",
            count=row.n,
            mean=mean(row.time, row.n),
            lasting=row.last,
        )
        for row in pauses
    ]


def _load(rows: Sequence[LoadRow], name: Callable[[str], str]) -> list[Load]:
    found = [
        Load(
            party=row.party,
            name=name(row.party),
            running=row.running,
            paused=row.paused,
            overdue=row.overdue,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.overdue, -one.running, one.name))
