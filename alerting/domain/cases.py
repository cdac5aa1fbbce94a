"""Cases: what follows from alerts, and what people do about them. Facts and `now` go in, a Decision comes out.

A case makes two promises. The caller speaks with the customer (contact), the fixer removes the cause (resolve).
It is resolved when the cause is removed and the customer has been spoken with, in either order.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerting.domain.errors import ActionRefused
from alerting.domain.people import Assignment
from alerting.domain.sla import Clock, ClockKind, NewTimer, Policy, Starts, Target, start_clock, timers_of


class Status(StrEnum):
    """Where a case stands; `waiting` comes with working calendars."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CONTACTED = "contacted"
    RESOLVED = "resolved"


SEVERITIES = ("low", "normal", "high", "critical")
"""From harmless to worst; a joining alert of a higher one takes the case to its own caller."""

CHANNELS = ("phone", "meeting", "email", "chat")
OUTCOMES = {"reached": True, "voicemail": False, "no_answer": False, "wrong_number": False}
"""What came of an attempt to reach the customer -> whether it counts as contact. Voicemail never does."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """The follow-up of one customer's alerts. `id` is None until it is stored."""

    id: int | None
    customer_key: str
    cycle: int
    status: Status
    severity: str
    segment: str
    rule: str
    policy: str
    caller: str
    fixer: str | None
    informed: tuple[str, ...]
    assignment: int
    starts: Starts
    contacted_at: datetime | None = None
    cause_removed_at: datetime | None = None
    resolved_at: datetime | None = None

    @property
    def number(self) -> str:
        return f"C-{self.id}"


@dataclass(frozen=True, kw_only=True)
class RaisedAlert:
    """An alert with everybody it concerns already resolved to people."""

    id: int
    rule: str
    severity: str
    segment: str
    policy: Policy
    template: str
    starts: Starts
    caller: Assignment
    fixer: Assignment | None
    informed: tuple[Assignment, ...]


@dataclass(frozen=True, kw_only=True)
class AuditLine:
    """One line for the audit: what happened. `personal` values are committed to, not written into the entry."""

    action: str
    happened_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    personal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Told:
    """Somebody to tell, before the cause's number is known."""

    recipient: str
    template: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What changes: the case after, its clocks that changed, timers to set and to cancel, people to tell, audit lines."""

    case: Case
    clocks: tuple[Clock, ...] = ()
    timers: tuple[NewTimer, ...] = ()
    cancelled: tuple[str, ...] = ()
    tell: tuple[Told, ...] = ()
    audit: tuple[AuditLine, ...] = ()


def current_clocks(case: Case, clocks: Iterable[Clock]) -> dict[ClockKind, Clock]:
    """The newest plan of each clock in the case's present cycle."""
    newest: dict[ClockKind, Clock] = {}
    for clock in sorted(clocks, key=lambda c: c.plan):
        if clock.cycle == case.cycle:
            newest[clock.kind] = clock
    return newest


def open_case(customer_key: str, alert: RaisedAlert, now: datetime) -> Decision:
    """The customer's first alert: a case, its clocks with their steps, a mail to each person concerned."""
    informed = _others(alert.informed, alert)
    case = Case(
        id=None,
        customer_key=customer_key,
        cycle=1,
        status=Status.OPEN,
        severity=alert.severity,
        segment=alert.segment,
        rule=alert.rule,
        policy=alert.policy.id,
        caller=alert.caller.party.id,
        fixer=alert.fixer.party.id if alert.fixer else None,
        informed=informed,
        assignment=1,
        starts=alert.starts,
    )
    clocks, timers = _start_all(case, alert, now)
    tell = [Told(recipient=case.caller, template=alert.template, data={"duty": "call"})]
    if case.fixer:
        tell.append(Told(recipient=case.fixer, template="fix"))
    tell += [Told(recipient=person, template="informed") for person in informed]
    opened = AuditLine(action="case.opened", happened_at=now, facts={**_duty_facts(alert), "clocks": _dues(clocks)})
    return Decision(case=case, clocks=tuple(clocks), timers=tuple(timers), tell=tuple(tell), audit=(opened,))


def join_case(case: Case, clocks: Iterable[Clock], alert: RaisedAlert, now: datetime) -> Decision:
    """A further alert of a customer whose case is unresolved.

    The higher severity's caller holds the case, ties keep the present one; the other is informed. Where the new alert's
    target ends earlier, that clock gets a new plan. If the customer has been spoken with and complains again
    afterwards, the case goes back to open in its next cycle: the earlier call does not answer the new complaint.
    """
    if case.contacted_at is not None and alert.starts.customer_sent > case.contacted_at:
        return _reopen(case, clocks, alert, now)
    after, tell = _join_people(case, alert)
    changed, timers, cancelled = _stricter(after, clocks, alert, now)
    facts = {"alert": alert.id, "rule": alert.rule, "severity": alert.severity, "clocks": _dues(changed)}
    return Decision(
        case=after,
        clocks=tuple(changed),
        timers=tuple(timers),
        cancelled=tuple(cancelled),
        tell=tuple(tell),
        audit=(AuditLine(action="case.joined", happened_at=now, facts=facts), *_caller_lines(case, after, alert, now)),
    )


def _caller_lines(case: Case, after: Case, alert: RaisedAlert, now: datetime) -> list[AuditLine]:
    if after.caller == case.caller:
        return []
    moved = {"from": case.caller, "to": after.caller, "why": f"{alert.rule} is {alert.severity}"}
    return [AuditLine(action="case.caller_changed", happened_at=now, facts=moved)]


def _reopen(case: Case, clocks: Iterable[Clock], alert: RaisedAlert, now: datetime) -> Decision:
    joined, tell = _join_people(case, alert)
    after = replace(
        joined,
        cycle=case.cycle + 1,
        status=Status.OPEN,
        starts=alert.starts,
        policy=alert.policy.id,
        rule=alert.rule,
        contacted_at=None,
        cause_removed_at=None,
        assignment=case.assignment + 1,
    )
    if after.fixer is not None and after.fixer == case.fixer:
        tell.append(Told(recipient=after.fixer, template="fix"))
    running = {kind: clock for kind, clock in current_clocks(case, clocks).items() if clock.running}
    started, timers = _start_all(after, alert, now, running)
    facts = {"alert": alert.id, "rule": alert.rule, "cycle": after.cycle, "clocks": _dues(started)}
    return Decision(
        case=after,
        clocks=(*(clock.supersede(now) for clock in running.values()), *started),
        timers=tuple(timers),
        cancelled=tuple(clock.key for clock in running.values()),
        tell=tuple(tell),
        audit=(
            AuditLine(action="case.reopened", happened_at=now, facts=facts),
            *_caller_lines(case, after, alert, now),
        ),
    )


def _join_people(case: Case, alert: RaisedAlert) -> tuple[Case, list[Told]]:
    """Who holds the case after a join, and who is told: the caller what is new, people new to the case that they are."""
    stronger = SEVERITIES.index(alert.severity) > SEVERITIES.index(case.severity)
    other = alert.caller.party.id
    caller = other if stronger else case.caller
    fixer = case.fixer or (alert.fixer.party.id if alert.fixer else None)
    known = {caller, fixer, *case.informed}
    candidates = [case.caller, other, *(a.party.id for a in alert.informed)]
    new = [person for person in dict.fromkeys(candidates) if person not in known]
    after = replace(
        case,
        # the former caller's word does not bind the new one, who must still be able to say "I'll call"
        status=Status.OPEN if caller != case.caller and case.status is Status.ACKNOWLEDGED else case.status,
        severity=alert.severity if stronger else case.severity,
        rule=alert.rule if stronger else case.rule,
        policy=alert.policy.id if stronger else case.policy,
        caller=caller,
        fixer=fixer,
        informed=tuple(p for p in (*case.informed, *new) if p != caller),
        assignment=case.assignment + (caller != case.caller),
    )
    tell = [Told(recipient=caller, template=alert.template, data={"duty": "call", "joined": True})]
    if fixer is not None and fixer != case.fixer:
        tell.append(Told(recipient=fixer, template="fix"))
    tell += [Told(recipient=person, template="informed") for person in new]
    return after, tell


def _stricter(
    case: Case, clocks: Iterable[Clock], alert: RaisedAlert, now: datetime
) -> tuple[list[Clock], list[NewTimer], list[str]]:
    """New plans where the alert's target ends before the running one, or where the case had no such clock.

    What is already done is not asked for again: nothing could stop such a clock any more.
    """
    present = current_clocks(case, clocks)
    done = {
        ClockKind.ACKNOWLEDGE: case.status is not Status.OPEN,
        ClockKind.CONTACT: case.contacted_at is not None,
        ClockKind.RESOLVE: case.cause_removed_at is not None,
    }
    changed, timers, cancelled = [], [], []
    for kind, target in alert.policy.targets.items():
        old = present.get(kind)
        new = start_clock(kind, alert.policy, alert.starts, case.cycle, old.plan + 1 if old else 1)
        if done[kind] or (old is not None and (not old.running or new.due_at >= old.due_at)):
            continue
        changed += [old.supersede(now), new] if old else [new]
        timers += timers_of(new, target, now)
        cancelled += [old.key] if old else []
    return changed, timers, cancelled


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


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Somebody tried to reach the customer. `happened_at` may lie in the past, never ahead."""

    by: str
    channel: str
    outcome: str
    happened_at: datetime
    note: str = ""

    @property
    def reached(self) -> bool:
        return OUTCOMES[self.outcome]


def record_contact(case: Case, clocks: Iterable[Clock], attempt: Attempt, now: datetime) -> Decision:
    """A contact stops the contact clock at the moment it happened; an attempt only goes on record.

    Raises ActionRefused for an instant ahead of now or before the customer wrote, and for unknown words.
    """
    _must_be_unresolved(case)
    _check_attempt(case, attempt, now)
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
    done = case.cause_removed_at is not None
    after = replace(
        case,
        status=Status.RESOLVED if done else Status.CONTACTED,
        contacted_at=min(case.contacted_at or attempt.happened_at, attempt.happened_at),
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


def _start_all(
    case: Case, alert: RaisedAlert, now: datetime, owed: Mapping[ClockKind, Clock] | None = None
) -> tuple[list[Clock], list[NewTimer]]:
    """The clocks of a cycle. What was still `owed` of the cycle before keeps its due time where that is earlier.

    It is owed on even where the new alert's policy knows no such promise; its steps, which that policy would name, end.
    """
    clocks = []
    for kind in alert.policy.targets:
        clock, before = start_clock(kind, alert.policy, alert.starts, case.cycle, 1), (owed or {}).get(kind)
        if before is not None and before.due_at < clock.due_at:
            clock = replace(clock, started_at=before.started_at, due_at=before.due_at)
        clocks.append(clock)
    timers = [timer for clock in clocks for timer in timers_of(clock, alert.policy.targets[clock.kind], now)]
    for kind in sorted((owed or {}).keys() - alert.policy.targets.keys()):
        clock = replace((owed or {})[kind], cycle=case.cycle, plan=1, missed_at=None)
        clocks.append(clock)
        timers += timers_of(clock, Target(by=clock.by, within=clock.due_at - clock.started_at), now)
    return clocks, timers


def _stop(case: Case, clocks: Iterable[Clock], kind: ClockKind, at: datetime) -> list[Clock]:
    clock = current_clocks(case, clocks).get(kind)
    return [clock.stop(max(at, clock.started_at))] if clock is not None and clock.running else []


def _others(assignments: Iterable[Assignment], alert: RaisedAlert) -> tuple[str, ...]:
    busy = {alert.caller.party.id, alert.fixer.party.id if alert.fixer else None}
    return tuple(dict.fromkeys(a.party.id for a in assignments if a.party.id not in busy))


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


def _duty_facts(alert: RaisedAlert) -> dict[str, Any]:
    everybody = (alert.caller, *((alert.fixer,) if alert.fixer else ()), *alert.informed)
    return {
        "alert": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "segment": alert.segment,
        "people": [{"role": a.role, "party": a.party.id, "why": list(a.why)} for a in everybody],
    }


def _dues(clocks: Iterable[Clock]) -> dict[str, str]:
    return {clock.key: clock.due_at.isoformat() for clock in clocks if clock.running}


def _results(clocks: Iterable[Clock]) -> dict[str, str]:
    return {clock.key: "met" if clock.met else "late" for clock in clocks}
