"""What people do about a case. Facts and `now` go in, a Decision comes out; ActionRefused says why it cannot be done."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from alerting.domain.case_alerts import next_cycle
from alerting.domain.cases import (
    CHANNELS,
    OUTCOMES,
    Attempt,
    AuditLine,
    Case,
    Complaint,
    Decision,
    Status,
    Told,
    current_clocks,
)
from alerting.domain.errors import ActionRefused
from alerting.domain.sla import Clock, ClockKind, Policy


def acknowledge(case: Case, clocks: Iterable[Clock], by: str, now: datetime) -> Decision:
    """`by` takes the call upon himself. A notified substitute or manager becomes caller by this."""
    _must_be_unresolved(case)
    taken = by != case.caller
    if case.status is not Status.OPEN and not taken:
        raise ActionRefused(f"{case.number} is already {case.status}")
    after = replace(
        case,
        status=Status.ACKNOWLEDGED if case.status is Status.OPEN else case.status,
        caller=by,
        informed=_informed_after_move(case, by) if taken else case.informed,
        assignment=case.assignment + taken,
    )
    stopped = _stop(case, clocks, ClockKind.ACKNOWLEDGE, now)
    audit = [AuditLine(action="case.acknowledged", happened_at=now, facts={"by": by, "clocks": _results(stopped)})]
    if taken:
        audit.append(AuditLine(action="case.taken_over", happened_at=now, facts={"from": case.caller, "to": by}))
    return Decision(case=after, clocks=tuple(stopped), cancelled=tuple(c.key for c in stopped), audit=tuple(audit))


def record_contact(
    case: Case,
    clocks: Iterable[Clock],
    attempt: Attempt,
    now: datetime,
    newest: Complaint,
    policies: Mapping[str, Policy],
) -> Decision:
    """A contact stops the contact clock at the moment it happened; an attempt only goes on record.

    A call that happened before the `newest` complaint of the case answers what came before; the case is then open in
    its next cycle, as it would be had the call been recorded at once. `policies` are those of the active rulebook.
    Raises ActionRefused for an instant ahead of now or before the customer wrote, and for unknown words.
    """
    _must_be_unresolved(case)
    _check_attempt(case, attempt, now)
    unanswered = attempt.reached and case.contacted_at is None and newest.starts.customer_sent > attempt.happened_at
    if not unanswered:
        return _recorded(case, clocks, attempt, now, may_resolve=True)
    answered = _recorded(case, clocks, attempt, now, may_resolve=False)
    renewed = next_cycle(answered.case, _after(clocks, answered), newest, policies, now)
    return Decision(
        case=renewed.case,
        clocks=(*answered.clocks, *renewed.clocks),
        timers=renewed.timers,
        cancelled=(*answered.cancelled, *renewed.cancelled),
        tell=(Told(recipient=case.caller, template="call", data={"duty": "call", "joined": True}),),
        audit=(*answered.audit, *renewed.audit),
    )


def _after(clocks: Iterable[Clock], decision: Decision) -> list[Clock]:
    """The clocks as they stand after a decision."""
    changed = {clock.key: clock for clock in decision.clocks}
    return [changed.get(clock.key, clock) for clock in clocks]


def _recorded(case: Case, clocks: Iterable[Clock], attempt: Attempt, now: datetime, *, may_resolve: bool) -> Decision:
    facts = {
        "by": attempt.by,
        "channel": attempt.channel,
        "outcome": attempt.outcome,
        "counts": attempt.reached,
    }
    personal = {"note": attempt.note} if attempt.note else {}
    if not attempt.reached:
        line = AuditLine(action="contact.attempted", happened_at=attempt.happened_at, facts=facts, personal=personal)
        return Decision(case=case, audit=(line,))
    stopped = _stop(case, clocks, ClockKind.ACKNOWLEDGE, attempt.happened_at)
    stopped += _stop(case, clocks, ClockKind.CONTACT, attempt.happened_at)
    done = may_resolve and case.cause_removed_at is not None
    after = replace(
        case,
        status=Status.RESOLVED if done else Status.CONTACTED,
        contacted_at=max(case.contacted_at or attempt.happened_at, attempt.happened_at),
        resolved_at=now if done else None,
    )
    line = AuditLine(
        action="contact.made",
        happened_at=attempt.happened_at,
        facts={**facts, "clocks": _results(stopped)},
        personal=personal,
    )
    first = case.contacted_at is None
    others = [p for p in (*case.informed, case.caller) if p != attempt.by] if first else []
    audit = (line, _resolved_line(now)) if done else (line,)
    return Decision(
        case=after,
        clocks=tuple(stopped),
        cancelled=tuple(c.key for c in stopped),
        tell=tuple(Told(recipient=p, template="handled") for p in others),
        audit=audit,
    )


def hand_over(case: Case, to: str, by: str, reason: str, now: datetime) -> Decision:
    """The call becomes another person's; the clocks run on, and links to the former caller go stale."""
    _must_be_unresolved(case)
    if not reason.strip():
        raise ActionRefused("say in a few words why it is handed over")
    if to == case.caller:
        raise ActionRefused(f"{case.number} is with {to} already")
    after = replace(
        case,
        caller=to,
        status=Status.OPEN if case.status is Status.ACKNOWLEDGED else case.status,
        informed=_informed_after_move(case, to),
        assignment=case.assignment + 1,
    )
    line = AuditLine(
        action="case.handed_over",
        happened_at=now,
        facts={"by": by, "from": case.caller, "to": to},
        personal={"reason": reason.strip()},
    )
    return Decision(
        case=after, tell=(Told(recipient=to, template="call", data={"duty": "call", "handed": by}),), audit=(line,)
    )


def remove_cause(case: Case, clocks: Iterable[Clock], by: str, note: str, now: datetime) -> Decision:
    """The cause is removed: the resolve clock stops. The case ends once the customer has been spoken with, too."""
    _must_be_unresolved(case)
    if case.cause_removed_at is not None:
        raise ActionRefused(f"the cause of {case.number} is already recorded as removed; the call is still owed")
    if not note.strip():
        raise ActionRefused("say what was wrong and what was done about it")
    stopped = _stop(case, clocks, ClockKind.RESOLVE, now)
    done = case.contacted_at is not None
    after = replace(
        case,
        cause_removed_at=now,
        status=Status.RESOLVED if done else case.status,
        resolved_at=now if done else None,
    )
    line = AuditLine(
        action="cause.removed",
        happened_at=now,
        facts={"by": by, "clocks": _results(stopped)},
        personal={"note": note.strip()},
    )
    return Decision(
        case=after,
        clocks=tuple(stopped),
        cancelled=tuple(c.key for c in stopped),
        tell=(Told(recipient=case.caller, template="handled"),) if by != case.caller else (),
        audit=(line, _resolved_line(now)) if done else (line,),
    )


def _stop(case: Case, clocks: Iterable[Clock], kind: ClockKind, at: datetime) -> list[Clock]:
    clock = current_clocks(case, clocks).get(kind)
    return [clock.stop(max(at, clock.started_at))] if clock is not None and clock.running else []


def _informed_after_move(case: Case, to: str) -> tuple[str, ...]:
    """The former caller keeps hearing of the case; the new one no longer needs to."""
    return tuple(dict.fromkeys(p for p in (*case.informed, case.caller) if p != to))


def _must_be_unresolved(case: Case) -> None:
    if case.status is Status.RESOLVED:
        raise ActionRefused(f"{case.number} is resolved; a new complaint opens a new case")


def _check_attempt(case: Case, attempt: Attempt, now: datetime) -> None:
    if attempt.channel not in CHANNELS:
        raise ActionRefused(f"channel is one of {', '.join(CHANNELS)}, not {attempt.channel!r}")
    if attempt.outcome not in OUTCOMES:
        raise ActionRefused(f"outcome is one of {', '.join(OUTCOMES)}, not {attempt.outcome!r}")
    if attempt.happened_at > now:
        raise ActionRefused("the time of the call lies ahead of now")
    if attempt.happened_at < case.starts.customer_sent:
        raise ActionRefused("the time of the call lies before the customer wrote")


def _resolved_line(now: datetime) -> AuditLine:
    return AuditLine(action="case.resolved", happened_at=now)


def _results(clocks: Iterable[Clock]) -> dict[str, str]:
    return {clock.key: "met" if clock.met else "late" for clock in clocks}
