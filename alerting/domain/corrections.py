"""Corrections of times that were written down wrongly: one proposes, another approves, and the clocks are reckoned anew.

What stood there before stays in the ledger and in the audit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerting.domain.cases import AuditLine, Case, Complaint, Decision
from alerting.domain.errors import ActionRefused
from alerting.domain.sla import Clock, ClockKind, PastWait


class Corrected(StrEnum):
    """Which time it is about: of a call, or of the cause removed."""

    CONTACT = "contact"
    CAUSE = "cause"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A wrong time and the right one; `subject` is the number of the attempt, for a contact."""

    id: int | None
    what: Corrected
    subject: int | None
    was: datetime
    becomes: datetime
    reason: str
    by: str

    @property
    def facts(self) -> dict[str, Any]:
        return {"what": self.what.value, "was": self.was.isoformat(), "becomes": self.becomes.isoformat()}


def propose(case: Case, given: Correction, complaints: Sequence[Complaint], now: datetime) -> Decision:
    """Put a correction on record; nothing changes yet. Raises ActionRefused where it could not be carried out."""
    if not given.reason.strip():
        raise ActionRefused("say in a few words how you know the right time")
    _possible(case, given, complaints, now)
    line = AuditLine(
        action="correction.proposed",
        happened_at=now,
        facts={"by": given.by, **given.facts},
        personal={"reason": given.reason.strip()},
    )
    return Decision(case=case, audit=(line,))


@dataclass(frozen=True, kw_only=True)
class Call:
    """A recorded attempt: which cycle's, when, and whether the customer was reached."""

    id: int
    cycle: int
    happened_at: datetime
    reached: bool


@dataclass(frozen=True, kw_only=True)
class OnRecord:
    """What a correction is reckoned with: the case's calls, the customer's complaints, and when somebody first said to call
    in the cycle of the corrected call."""

    calls: Sequence[Call]
    complaints: Sequence[Complaint]
    taken_at: datetime | None = None


def decide(
    case: Case, clocks: Iterable[Clock], given: Correction, record: OnRecord, by: str, approved: bool, now: datetime
) -> Decision:
    """Somebody else approves or declines. Approved, the clocks are reckoned anew from all calls as they then stand."""
    if by == given.by:
        raise ActionRefused("a correction is approved by somebody else than whoever proposed it")
    verdict = "approved" if approved else "declined"
    facts = {"by": by, "proposed_by": given.by, "correction": given.id, **given.facts}
    if not approved:
        return Decision(case=case, audit=(AuditLine(action=f"correction.{verdict}", happened_at=now, facts=facts),))
    call = next((one for one in record.calls if one.id == given.subject), None)
    if call is not None and call.happened_at != given.was:
        raise ActionRefused(
            f"the call is not recorded at {given.was:%Y-%m-%d %H:%M}Z any more: decline this, propose anew"
        )
    _possible(case, given, record.complaints, now)
    after, moved = _of_cause(case, clocks, given) if call is None else _of_call(case, clocks, given, call, record)
    ends = [at for at in (after.contacted_at, after.cause_removed_at) if at is not None]
    if after.resolved_at is not None and ends:
        after = replace(after, resolved_at=max(after.resolved_at, *ends))
    results = {clock.key: "met" if clock.met else "late" for clock in moved}
    line = AuditLine(action=f"correction.{verdict}", happened_at=now, facts={**facts, "clocks": results})
    return Decision(case=after, clocks=tuple(moved), audit=(line,))


def _possible(case: Case, given: Correction, complaints: Sequence[Complaint], now: datetime) -> None:
    if given.becomes > now:
        raise ActionRefused("the time lies ahead of now")
    if given.becomes == given.was:
        raise ActionRefused("this is the time that stands there already")
    first = min((c.starts.customer_sent for c in complaints), default=case.starts.customer_sent)
    if given.becomes < first:
        raise ActionRefused("the time lies before the customer wrote")
    begin, end = sorted((given.was, given.becomes))
    if any(begin < c.starts.customer_sent <= end for c in complaints):
        raise ActionRefused("the customer wrote between the two times, which answers another complaint: record it anew")
    if given.what is Corrected.CAUSE and case.cause_removed_at != given.was:
        raise ActionRefused(f"the cause of {case.number} is not recorded as removed at that time any more")


def _of_cause(case: Case, clocks: Iterable[Clock], given: Correction) -> tuple[Case, list[Clock]]:
    stopped = _kept(clocks, ClockKind.RESOLVE, case.cycle)
    moved = [clock.stop_anew(given.becomes, _waits(case, given.becomes)) for clock in stopped]
    return replace(case, cause_removed_at=given.becomes), moved


def _of_call(
    case: Case, clocks: Iterable[Clock], given: Correction, call: Call, record: OnRecord
) -> tuple[Case, list[Clock]]:
    """The promise was kept by the first call of its cycle that reached the customer; whoever took the case before, took it."""
    if not call.reached:
        return case, []
    held = list(clocks)
    reached = [
        replace(one, happened_at=given.becomes) if one.id == call.id else one for one in record.calls if one.reached
    ]
    own = [one.happened_at for one in reached if one.cycle == call.cycle]
    taken = min([min(own), *([record.taken_at] if record.taken_at is not None else [])])
    moved = [clock.stop_anew(min(own), _waits(case, min(own))) for clock in _kept(held, ClockKind.CONTACT, call.cycle)]
    moved += [clock.stop_anew(taken, ()) for clock in _kept(held, ClockKind.ACKNOWLEDGE, call.cycle)]
    after = replace(case, answered_until=max(one.happened_at for one in reached))
    return replace(after, contacted_at=max(own)) if call.cycle == case.cycle else after, moved


def _waits(case: Case, until: datetime) -> tuple[PastWait, ...]:
    """The case's waits, with the one that lasts as far as it matters."""
    if case.waiting_since is None or case.waiting_for is None or until <= case.waiting_since:
        return case.waits
    return (*case.waits, (case.waiting_for, case.waiting_since, until))


def _kept(clocks: Iterable[Clock], kind: ClockKind, cycle: int) -> list[Clock]:
    """The newest plan that counts and has stopped."""
    mine = [clock for clock in clocks if clock.kind is kind and clock.cycle == cycle and clock.superseded_at is None]
    newest = max(mine, key=lambda clock: clock.plan, default=None)
    return [newest] if newest is not None and newest.stopped_at is not None else []
