"""Corrections of times that were written down wrongly: one proposes, another approves, and the
clocks are reckoned anew.

What stood there before stays in the ledger and in the audit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from alerting.domain.audit.entries import Action, RecordedEntry
from alerting.domain.cases.case_alerts import next_cycle
from alerting.domain.cases.cases import (
    AuditLine,
    Case,
    Complaint,
    Decision,
    ToTell,
    clocks_after,
    followed_by,
)
from alerting.domain.cases.clocks import Clock, PastWait
from alerting.domain.cases.sla import ClockKind, Policy
from alerting.domain.errors import ActionRefused
from alerting.domain.templates import Template


class Corrected(StrEnum):
    """Which time it is about: of a call, or of the cause removed."""

    CONTACT = "contact"
    CAUSE = "cause"


@dataclass(frozen=True, kw_only=True)
class Correction:
    """A wrong time and the right one; `subject` is the number of the attempt, or of the cycle whose
    cause was removed.
    """

    id: int | None
    what: Corrected
    subject: int | None
    was: datetime
    becomes: datetime
    reason: str
    by: str

    @property
    def facts(self) -> dict[str, object]:
        return {
            "what": self.what.value,
            "was": self.was.isoformat(),
            "becomes": self.becomes.isoformat(),
        }


def said_to_call(entries: Iterable[RecordedEntry]) -> dict[int, list[datetime]]:
    """When somebody said to call and a promise was kept by that, by cycle; from a case's audit
    entries, oldest first.
    """
    cycle, found = 1, dict[int, list[datetime]]()
    for entry in entries:
        if entry.action == Action.CASE_REOPENED:
            cycle = entry.facts.number("cycle")
        said = entry.action in {Action.CASE_ACKNOWLEDGED, Action.CASE_WAITING}
        if said and entry.facts.get("clocks"):
            found.setdefault(cycle, []).append(entry.happened_at)
    return found


def call_to_correct(case: Case, calls: Sequence["Call"], number: int | None) -> "Call":
    """The call that is meant: by its number, or the last one that reached the customer. Raises
    ActionRefused.
    """
    reached = [call for call in calls if call.reached]
    if number is None:
        if not reached:
            raise ActionRefused(
                f"nobody has reached the customer of {case.number}; there is no time to correct"
            )
        return reached[-1]
    found = next((call for call in calls if call.id == number), None)
    if found is None:
        known = ", ".join(str(call.id) for call in calls) or "none"
        raise ActionRefused(f"{case.number} has no call {number}; it has {known}")
    return found


def propose(
    case: Case, given: Correction, complaints: Sequence[Complaint], now: datetime
) -> Decision:
    """Put a correction on record; nothing changes yet. Raises ActionRefused where it could not be
    carried out.
    """
    if not given.reason.strip():
        raise ActionRefused("say in a few words how you know the right time")
    _possible(case, given, complaints, now)
    line = AuditLine(
        action=Action.CORRECTION_PROPOSED,
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
    """What a correction is reckoned with: the case's calls, the customer's complaints, and when
    people said to call in the cycle of the corrected call. `policies` are those of the active
    rulebook.
    """

    calls: Sequence[Call]
    complaints: Sequence[Complaint]
    taken_at: Sequence[datetime] = ()
    policies: Mapping[str, Policy] = field(default_factory=dict)
    may_open: bool = True


class Verdict(NamedTuple):
    """Who decided on a correction, and how."""

    by: str
    approved: bool


def decide(
    case: Case,
    clocks: Iterable[Clock],
    given: Correction,
    record: OnRecord,
    verdict: Verdict,
    now: datetime,
) -> Decision:
    """Somebody else approves or declines. Approved, the clocks are reckoned anew from all calls as
    they then stand.
    """
    by, approved = verdict.by, verdict.approved
    if by == given.by:
        raise ActionRefused("a correction is approved by somebody else than whoever proposed it")
    decided = Action.CORRECTION_APPROVED if approved else Action.CORRECTION_DECLINED
    facts = {"by": by, "proposed_by": given.by, "correction": given.id, **given.facts}
    if not approved:
        return Decision(case=case, audit=(AuditLine(action=decided, happened_at=now, facts=facts),))
    held, of_call = list(clocks), given.what is Corrected.CONTACT
    call = next((one for one in record.calls if one.id == given.subject), None) if of_call else None
    _must_be_as_proposed(given, call)
    _possible(case, given, record.complaints, now)
    if not of_call and removed_at(case, held, given.subject or case.cycle) != given.was:
        raise ActionRefused(
            f"the cause of {case.number} is not recorded as removed at that time any more"
        )
    if call is None:
        after, moved = _of_cause(case, held, given)
    else:
        after, moved = _of_call(case, held, given, call, record, now)
    ends = [at for at in (after.contacted_at, after.cause_removed_at) if at is not None]
    if after.resolved_at is not None and ends:
        after = replace(after, resolved_at=max(after.resolved_at, *ends))
    results = {clock.key: _result(clock) for clock in moved}
    line = AuditLine(action=decided, happened_at=now, facts={**facts, "clocks": results})
    decision = Decision(case=after, clocks=tuple(moved), audit=(line,))
    if call is None or call.cycle != case.cycle or after.contacted_at is None:
        return decision
    open_again = [c for c in record.complaints if not after.answers(c.starts.customer_sent)]
    if not open_again or not record.may_open:
        return decision
    return _opened_again(decision, held, open_again, record.policies, now)


def _must_be_as_proposed(given: Correction, call: Call | None) -> None:
    if call is not None and call.happened_at != given.was:
        raise ActionRefused(
            f"the call is not recorded at {given.was:%Y-%m-%d %H:%M}Z any more: decline this, "
            "propose anew"
        )


def _result(clock: Clock) -> str:
    if clock.superseded_at is not None:
        return "superseded"
    return "met" if clock.met else "late"


def _opened_again(
    decision: Decision,
    clocks: Sequence[Clock],
    complaints: Sequence[Complaint],
    policies: Mapping[str, Policy],
    now: datetime,
) -> Decision:
    """The call was earlier than the customer's newest words: they were never answered, and ask for
    a call of their own.
    """
    case = decision.case
    waiting = sorted(complaints, key=lambda c: c.starts.customer_sent)
    tell = [
        ToTell(recipient=case.caller, template=Template.CALL, data={"duty": "call", "joined": True})
    ]
    renewed = next_cycle(case, clocks_after(clocks, decision), waiting, policies, now)
    return followed_by(decision, replace(renewed, tell=tuple(tell)))


def removed_at(case: Case, clocks: Iterable[Clock], cycle: int) -> datetime:
    """When the cause was recorded as removed in a cycle. Raises ActionRefused where it is not."""
    stopped = _kept(clocks, ClockKind.RESOLVE, cycle)
    if cycle == case.cycle and case.cause_removed_at is not None:
        return case.cause_removed_at
    if not stopped or stopped[0].stopped_at is None:
        where = "" if cycle == case.cycle else f" in cycle {cycle}"
        raise ActionRefused(
            f"the cause of {case.number} is not recorded as removed{where}; there is no time to "
            "correct"
        )
    return stopped[0].stopped_at


def _possible(
    case: Case, given: Correction, complaints: Sequence[Complaint], now: datetime
) -> None:
    if given.becomes > now:
        raise ActionRefused("the time lies ahead of now")
    if given.becomes == given.was:
        raise ActionRefused("this is the time that stands there already")
    first = min((c.starts.customer_sent for c in complaints), default=case.starts.customer_sent)
    if given.becomes < first:
        raise ActionRefused("the time lies before the customer wrote")
    sent = [c.starts.customer_sent for c in complaints]
    if given.what is Corrected.CONTACT and any(given.was < at <= given.becomes for at in sent):
        raise ActionRefused(
            "the customer wrote between the two times: record the later one as a call of its own"
        )
    if given.what is Corrected.CAUSE and any(
        min(given.was, given.becomes) < at <= max(given.was, given.becomes) for at in sent
    ):
        raise ActionRefused(
            "the customer wrote between the two times; the cause has to be removed after that"
        )


def _of_cause(case: Case, clocks: Iterable[Clock], given: Correction) -> tuple[Case, list[Clock]]:
    held = list(clocks)
    stopped = _kept(held, ClockKind.RESOLVE, given.subject or case.cycle)
    stopped = stopped or [
        c
        for c in held
        if c.kind is ClockKind.RESOLVE and c.running is False and c.stopped_at == given.was
    ]
    moved = [clock.stop_anew(given.becomes, _waits(case, given.becomes)) for clock in stopped]
    return (
        replace(case, cause_removed_at=given.becomes)
        if case.cause_removed_at == given.was
        else case
    ), moved


def _of_call(
    case: Case,
    clocks: Iterable[Clock],
    given: Correction,
    call: Call,
    record: OnRecord,
    now: datetime,
) -> tuple[Case, list[Clock]]:
    """The promise was kept by the first call of its cycle that reached the customer; whoever took
    the case before, took it.

    Where none is left that did, the promise is owed by the next cycle, and this clock counts no
    more.
    """
    if not call.reached:
        return case, []
    held = list(clocks)
    reached = [
        replace(one, happened_at=given.becomes) if one.id == call.id else one
        for one in record.calls
        if one.reached
    ]
    own = _answering(reached, call.cycle, record.complaints)
    after = replace(case, answered_until=max(one.happened_at for one in reached))
    if call.cycle == case.cycle:
        after = replace(after, contacted_at=max(own, default=given.becomes))
    if not own and not (record.may_open and call.cycle == case.cycle):
        return after, []
    contacts = _kept(held, ClockKind.CONTACT, call.cycle)
    moved = [
        c.stop_anew(min(own), _waits(case, min(own))) if own else c.supersede(now) for c in contacts
    ]
    for clock in _kept(held, ClockKind.ACKNOWLEDGE, call.cycle):
        taken = [*own, *record.taken_at]
        since = [at for at in taken if at >= clock.started_at] if clock.plan > 1 else []
        moved.append(clock.stop_anew(min(since or taken), ()) if taken else clock.supersede(now))
    return after, moved


def _answering(
    reached: Sequence[Call], cycle: int, complaints: Sequence[Complaint]
) -> list[datetime]:
    """When those calls of a cycle took place that came after the words it is about, or the first of
    a later cycle that did; a call of before only went on record.
    """
    own = [one.happened_at for one in reached if one.cycle == cycle]
    answered = max((one.happened_at for one in reached if one.cycle < cycle), default=None)
    if answered is None:
        return own
    asked = [sent for c in complaints if (sent := c.starts.customer_sent) > answered]
    first = min(asked, default=answered)
    later = sorted(
        one.happened_at for one in reached if one.cycle > cycle and one.happened_at >= first
    )
    return [at for at in own if at >= first] or later[:1]


def _waits(case: Case, until: datetime) -> tuple[PastWait, ...]:
    """The case's waits, with the one that lasts as far as it matters."""
    if case.waiting_since is None or case.waiting_for is None or until <= case.waiting_since:
        return case.waits
    return (*case.waits, (case.waiting_for, case.waiting_since, until))


def _kept(clocks: Iterable[Clock], kind: ClockKind, cycle: int) -> list[Clock]:
    """The newest plan that counts and has stopped."""
    mine = [
        clock
        for clock in clocks
        if clock.kind is kind and clock.cycle == cycle and clock.superseded_at is None
    ]
    newest = max(mine, key=lambda clock: clock.plan, default=None)
    return [newest] if newest is not None and newest.stopped_at is not None else []
