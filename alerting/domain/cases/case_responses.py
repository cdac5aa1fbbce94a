"""What people do about a case. Facts and `now` go in, a Decision comes out; ActionRefused says why
it cannot be done.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerting.domain.audit.entries import Action
from alerting.domain.cases.case_alerts import next_cycle, owed_anew
from alerting.domain.cases.cases import (
    CHANNELS,
    OUTCOMES,
    Attempt,
    AuditLine,
    Case,
    Complaint,
    Decision,
    Status,
    ToTell,
    clocks_after,
    current_clocks,
)
from alerting.domain.cases.clocks import Clock, NewTimer, timers_of
from alerting.domain.cases.resolutions import (
    Resolution,
    Resolutions,
    check_resolution,
    resolved_with,
)
from alerting.domain.cases.sla import ClockKind, Duty, Policy
from alerting.domain.errors import ActionRefused
from alerting.domain.templates import Template

STALE = "stale"
"""The kind of timer that looks whether anything has followed an acknowledgement."""


def acknowledge(case: Case, clocks: Iterable[Clock], by: str, now: datetime) -> Decision:
    """`by` takes the call upon himself. A notified substitute or manager becomes caller by this."""
    _must_be_unresolved(case)
    taken = by != case.caller
    if case.status is not Status.OPEN and not taken:
        raise ActionRefused(f"{case.number} is already {case.status}")
    after = replace(
        case,
        status=Status.ACKNOWLEDGED if case.status is Status.OPEN else case.status,
        acknowledged_at=now if case.status is Status.OPEN else case.acknowledged_at,
        caller=by,
        informed=informed_after_move(case, by) if taken else case.informed,
        assignment=case.assignment + taken,
    )
    held = list(clocks)
    stopped = _stop(case, held, ClockKind.ACKNOWLEDGE, now)
    audit = [
        AuditLine(
            action=Action.CASE_ACKNOWLEDGED,
            happened_at=now,
            facts={"by": by, "clocks": _results(stopped)},
        )
    ]
    if taken:
        audit.append(
            AuditLine(
                action=Action.CASE_TAKEN_OVER,
                happened_at=now,
                facts={"from": case.caller, "to": by},
            )
        )
    return Decision(
        case=after,
        clocks=tuple(stopped),
        timers=tuple(
            stale_timer(after, current_clocks(case, held).get(ClockKind.ACKNOWLEDGE), now)
        ),
        cancelled=tuple(c.key for c in stopped),
        tell=(ToTell(recipient=case.caller, template=Template.INFORMED),) if taken else (),
        audit=tuple(audit),
    )


def stale_timer(case: Case, clock: Clock | None, since: datetime, n: int = 1) -> list[NewTimer]:
    """When an acknowledgement goes stale that nothing has followed since; none where the policy
    says nothing of it.
    """
    if clock is None or clock.target is None or clock.target.stale_after is None:
        return []
    if case.status is not Status.ACKNOWLEDGED:
        return []
    due = clock.target.calendar.add(since, clock.target.stale_after)
    key = f"{case.cycle}.{STALE}.{case.assignment}.{clock.plan}"
    return [
        NewTimer(kind=STALE, key=key, due_at=due, data={"by": case.caller, "plan": clock.plan}, n=n)
    ]


def take_back(case: Case, clocks: Iterable[Clock], now: datetime) -> Decision:
    """An acknowledgement that nothing followed counts no more: the case is open, and to acknowledge
    is owed anew.
    """
    old = current_clocks(case, clocks)[ClockKind.ACKNOWLEDGE]
    new = old.anew(now)
    facts = {"by": case.caller, "clocks": {new.key: new.due_at.isoformat()}}
    return Decision(
        case=replace(case, status=Status.OPEN, acknowledged_at=None),
        clocks=(old.supersede(now), new)
        if old.met
        else (new,),  # what was late stays late beside the new one
        timers=tuple(timers_of(new, new.runs_by, now)),
        tell=(
            ToTell(recipient=case.caller, template=Template.STALE, data={"clock": "acknowledge"}),
        ),
        audit=(AuditLine(action=Action.CASE_ACKNOWLEDGEMENT_STALE, happened_at=now, facts=facts),),
    )


def record_contact(
    case: Case,
    clocks: Iterable[Clock],
    attempt: Attempt,
    now: datetime,
    complaints: Sequence[Complaint],
    policies: Mapping[str, Policy],
) -> Decision:
    """A contact stops the contact clock at the moment it happened; an attempt only goes on record.

    A call answers those of the case's `complaints` that were sent before it. Where others are left,
    the case is open in its next cycle, as it would be had the call been recorded at once; a call
    that answers nothing new only goes on record. `policies` are those of the active rulebook.
    Raises ActionRefused for an instant ahead of now or before the customer wrote, and for unknown
    words.
    """
    _must_be_unresolved(case)
    _check_attempt(case, attempt, now, complaints)
    at = attempt.happened_at
    waiting = sorted((c for c in complaints if not case.answers(c.starts.customer_sent)), key=_sent)
    later = [complaint for complaint in waiting if _sent(complaint) > at]
    if not attempt.reached or (
        case.contacted_at is None and waiting and len(later) == len(waiting)
    ):
        return Decision(case=case, audit=(_contact_line(Action.CONTACT_ATTEMPTED, attempt, {}),))
    if not later:
        return _recorded(case, clocks, attempt, now, complaints, may_resolve=True)
    answered = _recorded(case, clocks, attempt, now, complaints, may_resolve=False)
    renewed = next_cycle(answered.case, clocks_after(clocks, answered), later, policies, now)
    tell = [
        ToTell(recipient=case.caller, template=Template.CALL, data={"duty": "call", "joined": True})
    ]
    if case.fixer is not None and renewed.case.cause_removed_at is None:
        tell.append(ToTell(recipient=case.fixer, template=Template.FIX))
    return Decision(
        case=renewed.case,
        clocks=(*answered.clocks, *renewed.clocks),
        timers=renewed.timers,
        cancelled=(*answered.cancelled, *renewed.cancelled),
        tell=tuple(tell),
        audit=(*answered.audit, *renewed.audit),
    )


def _sent(complaint: Complaint) -> datetime:
    return complaint.starts.customer_sent


def _recorded(
    case: Case,
    clocks: Iterable[Clock],
    attempt: Attempt,
    now: datetime,
    complaints: Iterable[Complaint],
    *,
    may_resolve: bool,
) -> Decision:
    """The customer was reached. An earlier call recorded after a later one is when the promise was
    kept.
    """
    at, done = attempt.happened_at, may_resolve and case.cause_removed_at is not None
    stopped = _stop(case, clocks, ClockKind.ACKNOWLEDGE, at) + _stop(
        case, clocks, ClockKind.CONTACT, at
    )
    if case.contacted_at is not None and not any(
        at < _sent(c) <= case.contacted_at for c in complaints
    ):
        stopped += _stop_earlier(case, clocks, ClockKind.CONTACT, at)
    if not any(at < _sent(c) <= now for c in complaints):
        stopped += _stop_earlier(case, clocks, ClockKind.ACKNOWLEDGE, at)
    after = replace(
        case,
        status=Status.RESOLVED if done else Status.CONTACTED,
        contacted_at=max(case.contacted_at or at, at),
        answered_until=max(case.answered_until or at, at),
        resolved_at=now if done else None,
    )
    line = _contact_line(Action.CONTACT_MADE, attempt, _results(stopped))
    others = (
        [p for p in (*case.informed, case.caller) if p != attempt.by]
        if case.contacted_at is None
        else []
    )
    return Decision(
        case=after,
        clocks=tuple(stopped),
        cancelled=tuple(c.key for c in stopped),
        tell=tuple(ToTell(recipient=p, template=Template.HANDLED) for p in others),
        audit=(line, _resolved_line(now)) if done else (line,),
    )


def _contact_line(action: Action, attempt: Attempt, results: Mapping[str, str]) -> AuditLine:
    facts: dict[str, object] = {
        "by": attempt.by,
        "channel": attempt.channel,
        "outcome": attempt.outcome,
        "counts": action == Action.CONTACT_MADE,
    }
    if results:
        facts["clocks"] = results
    personal = {"note": attempt.note} if attempt.note else {}
    return AuditLine(action=action, happened_at=attempt.happened_at, facts=facts, personal=personal)


def hand_over(
    case: Case, clocks: Iterable[Clock], to: str, by: str, reason: str, now: datetime
) -> Decision:
    """The call becomes another person's; the clocks run on, and links to the former caller go
    stale.

    Where the former one had taken the case, to acknowledge is owed again, by the new one and from
    now on.
    """
    _must_be_unresolved(case)
    if not reason.strip():
        raise ActionRefused("say in a few words why it is handed over")
    if to == case.caller:
        raise ActionRefused(f"{case.number} is with {to} already")
    if case.contacted_at is not None:
        raise ActionRefused(
            f"the customer of {case.number} has been reached; there is no call to hand over"
        )
    after = replace(
        case,
        caller=to,
        status=Status.OPEN if case.status is Status.ACKNOWLEDGED else case.status,
        acknowledged_at=None,
        informed=informed_after_move(case, to),
        assignment=case.assignment + 1,
    )
    line = AuditLine(
        action=Action.CASE_HANDED_OVER,
        happened_at=now,
        facts={"by": by, "from": case.caller, "to": to},
        personal={"reason": reason.strip()},
    )
    tell = [
        ToTell(
            recipient=to,
            template=Template.CALL,
            data={"duty": "call", "handed": by, "reason": reason.strip()},
        )
    ]
    if by != case.caller:
        tell.append(ToTell(recipient=case.caller, template=Template.INFORMED))
    owed, timers = owed_anew(case, clocks, now) if case.status is Status.ACKNOWLEDGED else ([], [])
    return Decision(
        case=after, clocks=tuple(owed), timers=tuple(timers), tell=tuple(tell), audit=(line,)
    )


@dataclass(frozen=True, kw_only=True)
class NewDuty:
    """Who gets which duty of a case, by whom, and why if he says so."""

    duty: Duty
    to: str
    by: str
    reason: str = ""


def assign(case: Case, clocks: Iterable[Clock], given: NewDuty, now: datetime) -> Decision:
    """Somebody else than who has the duty gives it to another person; the clocks run on.

    Whoever hands over his own call says why; whoever assigns may.
    """
    _must_be_unresolved(case)
    to, by, reason = given.to, given.by, given.reason.strip()
    if given.duty == "caller" and to == case.caller:
        raise ActionRefused(f"{case.number} is with {to} already")
    if given.duty == "caller":
        why = reason or ("" if by == case.caller else "assigned")
        return hand_over(case, clocks, to, by, why, now)
    if to == case.fixer:
        raise ActionRefused(f"the cause of {case.number} is with {to} already")
    if case.cause_removed_at is not None:
        raise ActionRefused(f"the cause of {case.number} is removed; there is nothing left to fix")
    former = [case.fixer] if case.fixer is not None else []
    after = replace(
        case,
        fixer=to,
        informed=tuple(p for p in dict.fromkeys((*case.informed, *former)) if p != to),
    )
    line = AuditLine(
        action=Action.CASE_FIXER_CHANGED,
        happened_at=now,
        facts={"by": by, "from": case.fixer, "to": to},
        personal={"reason": reason} if reason else {},
    )
    tell = [
        ToTell(recipient=to, template=Template.FIX),
        *(ToTell(recipient=p, template=Template.INFORMED) for p in former if p != by),
    ]
    return Decision(case=after, tell=tuple(tell), audit=(line,))


def add_note(case: Case, by: str, text: str, now: datetime) -> Decision:
    """Words on the case, resolved or not; nobody is told and no clock stops."""
    if not text.strip():
        raise ActionRefused("the note is empty")
    line = AuditLine(
        action=Action.CASE_NOTED, happened_at=now, facts={"by": by}, personal={"note": text.strip()}
    )
    return Decision(case=case, audit=(line,))


def remove_cause(
    case: Case,
    clocks: Iterable[Clock],
    by: str,
    given: Resolution,
    known: Resolutions,
    now: datetime,
) -> Decision:
    """The cause is removed: the resolve clock stops. The case ends once the customer has been
    spoken with, too.
    """
    _must_be_unresolved(case)
    if case.cause_removed_at is not None:
        raise ActionRefused(
            f"the cause of {case.number} is already recorded as removed; the call is still owed"
        )
    check_resolution(given, known)
    stopped = _stop(case, clocks, ClockKind.RESOLVE, now)
    done = case.contacted_at is not None
    named = {
        "root_cause": given.root_cause,
        "action": given.action,
        "corrective_action": given.corrective_action,
    }
    after = replace(
        resolved_with(case, given),
        cause_removed_at=now,
        status=Status.RESOLVED if done else case.status,
        resolved_at=now if done else None,
    )
    line = AuditLine(
        action=Action.CAUSE_REMOVED,
        happened_at=now,
        facts={
            "by": by,
            "clocks": _results(stopped),
            **{name: said for name, said in named.items() if said is not None},
        },
        personal={"note": given.note.strip()} if given.note.strip() else {},
    )
    return Decision(
        case=after,
        clocks=tuple(stopped),
        cancelled=tuple(c.key for c in stopped),
        tell=(ToTell(recipient=case.caller, template=Template.HANDLED),)
        if by != case.caller
        else (),
        audit=(line, _resolved_line(now)) if done else (line,),
    )


def _stop(case: Case, clocks: Iterable[Clock], kind: ClockKind, at: datetime) -> list[Clock]:
    clock = current_clocks(case, clocks).get(kind)
    return [clock.stop(max(at, clock.started_at))] if clock is not None and clock.running else []


def _stop_earlier(
    case: Case, clocks: Iterable[Clock], kind: ClockKind, at: datetime
) -> list[Clock]:
    """A call that is recorded late, and took place before what stopped the clock."""
    clock = current_clocks(case, clocks).get(kind)
    if clock is None or clock.stopped_at is None or not clock.started_at <= at < clock.stopped_at:
        return []
    return [clock.stop(at)]


def informed_after_move(case: Case, to: str) -> tuple[str, ...]:
    """The former caller keeps hearing of the case; the new one no longer needs to."""
    return tuple(dict.fromkeys(p for p in (*case.informed, case.caller) if p != to))


def _must_be_unresolved(case: Case) -> None:
    if case.status is Status.RESOLVED:
        raise ActionRefused(f"{case.number} is resolved; a new complaint opens a new case")


def _check_attempt(
    case: Case, attempt: Attempt, now: datetime, complaints: Iterable[Complaint]
) -> None:
    if attempt.channel not in CHANNELS:
        raise ActionRefused(f"channel is one of {', '.join(CHANNELS)}, not {attempt.channel!r}")
    if attempt.outcome not in OUTCOMES:
        raise ActionRefused(f"outcome is one of {', '.join(OUTCOMES)}, not {attempt.outcome!r}")
    if attempt.happened_at > now:
        raise ActionRefused("the time of the call lies ahead of now")
    first = min((_sent(complaint) for complaint in complaints), default=case.starts.customer_sent)
    if attempt.happened_at < first:
        raise ActionRefused("the time of the call lies before the customer wrote")


def _resolved_line(now: datetime) -> AuditLine:
    return AuditLine(action=Action.CASE_RESOLVED, happened_at=now)


def _results(clocks: Iterable[Clock]) -> dict[str, str]:
    return {clock.key: "met" if clock.met else "late" for clock in clocks}
