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
from alerting.domain.sla import Clock, ClockKind


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


def decide(
    case: Case,
    clocks: Iterable[Clock],
    given: Correction,
    complaints: Sequence[Complaint],
    by: str,
    approved: bool,
    now: datetime,
) -> Decision:
    """Somebody else approves or declines. Approved, the clocks that stopped at the wrong time stopped at the right one."""
    if by == given.by:
        raise ActionRefused("a correction is approved by somebody else than whoever proposed it")
    verdict = "approved" if approved else "declined"
    facts = {"by": by, "proposed_by": given.by, "correction": given.id, **given.facts}
    if not approved:
        return Decision(case=case, audit=(AuditLine(action=f"correction.{verdict}", happened_at=now, facts=facts),))
    _possible(case, given, complaints, now)
    moved = [clock.stop(max(given.becomes, clock.started_at)) for clock in _stopped_by(clocks, given)]
    results = {clock.key: "met" if clock.met else "late" for clock in moved}
    line = AuditLine(action=f"correction.{verdict}", happened_at=now, facts={**facts, "clocks": results})
    return Decision(case=_corrected(case, given), clocks=tuple(moved), audit=(line,))


def _possible(case: Case, given: Correction, complaints: Sequence[Complaint], now: datetime) -> None:
    if given.becomes > now:
        raise ActionRefused("the time lies ahead of now")
    if given.becomes == given.was:
        raise ActionRefused("this is the time that stands there already")
    first = min((c.starts.customer_sent for c in complaints), default=case.starts.customer_sent)
    if given.becomes < first:
        raise ActionRefused("the time lies before the customer wrote")
    begin, end = sorted((given.was, given.becomes))
    if given.what is Corrected.CONTACT and any(begin < c.starts.customer_sent <= end for c in complaints):
        raise ActionRefused(
            "the customer wrote between the two times, which answers another complaint: record the call anew"
        )
    if given.what is Corrected.CAUSE and case.cause_removed_at != given.was:
        raise ActionRefused(f"the cause of {case.number} is not recorded as removed at that time")


def _stopped_by(clocks: Iterable[Clock], given: Correction) -> list[Clock]:
    kinds = {ClockKind.RESOLVE} if given.what is Corrected.CAUSE else {ClockKind.ACKNOWLEDGE, ClockKind.CONTACT}
    held = [clock for clock in clocks if clock.kind in kinds and clock.superseded_at is None]
    return [
        clock for clock in held if clock.stopped_at is not None and clock.stopped_at == max(given.was, clock.started_at)
    ]


def _corrected(case: Case, given: Correction) -> Case:
    if given.what is Corrected.CAUSE:
        return replace(case, cause_removed_at=given.becomes)
    return replace(
        case,
        contacted_at=given.becomes if case.contacted_at == given.was else case.contacted_at,
        answered_until=given.becomes if case.answered_until == given.was else case.answered_until,
    )
