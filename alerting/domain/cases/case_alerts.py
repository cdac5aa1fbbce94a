"""What an alert does to its customer's case: opens it, joins it, or opens it again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from alerting.domain.audit.entries import Action
from alerting.domain.cases.cases import (
    SEVERITIES,
    AuditLine,
    Case,
    Complaint,
    Decision,
    NewCase,
    Opening,
    RaisedAlert,
    Status,
    ToTell,
    clocks_after,
    current_clocks,
    followed_by,
)
from alerting.domain.cases.clocks import Clock, NewTimer, start_clock, timers_of
from alerting.domain.cases.resolutions import asked_no_more
from alerting.domain.cases.sla import ClockKind, Policy, Target
from alerting.domain.routing.fill_role import Assignment
from alerting.domain.templates import Template
from alerting.domain.times.working_time import Amount


def open_case(customer_key: str, alert: RaisedAlert, now: datetime) -> Opening:
    """The customer's first alert: a case, its clocks with their steps, a mail to each person
    concerned.
    """
    informed = _others(alert.informed, alert)
    case = NewCase(
        customer_key=customer_key,
        cycle=1,
        status=Status.OPEN,
        severity=alert.severity,
        segment=alert.segment,
        territory=alert.territory,
        rule=alert.rule,
        policy=alert.policy.id,
        caller=alert.caller.party.id,
        fixer=alert.fixer.party.id if alert.fixer else None,
        informed=informed,
        assignment=1,
        starts=alert.starts,
    )
    clocks, timers = _start_all(case, [alert], {}, now, {})
    tell = [ToTell(recipient=case.caller, template=alert.template, data={"duty": "call"})]
    if case.fixer:
        tell.append(ToTell(recipient=case.fixer, template=Template.FIX))
    tell += [ToTell(recipient=person, template=Template.INFORMED) for person in informed]
    opened = AuditLine(
        action=Action.CASE_OPENED,
        happened_at=now,
        facts={**_duty_facts(alert), "clocks": _dues(clocks)},
    )
    return Opening(
        case=case, clocks=tuple(clocks), timers=tuple(timers), tell=tuple(tell), audit=(opened,)
    )


def join_case(
    case: Case,
    clocks: Iterable[Clock],
    alert: RaisedAlert,
    policies: Mapping[str, Policy],
    now: datetime,
) -> Decision:
    """A further alert of a customer whose case is unresolved. `policies` are those of the active
    rulebook.

    The higher severity's caller holds the case, ties keep the present one who is here; the other is
    informed. Where the new alert's target ends earlier, that clock gets a new plan. If the customer
    has been spoken with and complains again afterwards, the case goes back to open in its next
    cycle: the earlier call does not answer the new complaint. In the same way a cause that was
    removed before the new complaint has to be removed again. A complaint that arrives late and was
    answered by a call already asks for no further one. A resolved case that opens again is joined,
    too.
    """
    if case.contacted_at is not None and not case.answers(alert.starts.customer_sent):
        return _reopen(case, clocks, alert, policies, now)
    after, tell = _join_people(case, alert)
    if case.cause_removed_at is not None and alert.starts.customer_sent > case.cause_removed_at:
        after = replace(after, cause_removed_at=None)
        if after.fixer is not None and after.fixer == case.fixer:
            tell.append(ToTell(recipient=after.fixer, template=Template.FIX))
    held = list(clocks)
    changed, timers, cancelled = _stricter(after, held, alert, now)
    if case.status is Status.ACKNOWLEDGED and after.status is Status.OPEN:
        owed, steps = owed_anew(case, held, now)
        changed, timers = [*changed, *owed], [*timers, *steps]
    facts = {**_duty_facts(alert), "clocks": _dues(changed)}
    return Decision(
        case=after,
        clocks=tuple(changed),
        timers=tuple(timers),
        cancelled=tuple(cancelled),
        tell=tuple(tell),
        audit=(
            AuditLine(action=Action.CASE_JOINED, happened_at=now, facts=facts),
            *_caller_lines(case, after, alert, now),
        ),
    )


def _caller_lines(case: Case, after: Case, alert: RaisedAlert, now: datetime) -> list[AuditLine]:
    if after.caller == case.caller:
        return []
    away = case.caller in alert.away
    why = f"{case.caller} is away" if away else f"{alert.rule} is {alert.severity}"
    moved = {
        "from": case.caller,
        "to": after.caller,
        "why": why,
        **({"away": True} if away else {}),
    }
    return [AuditLine(action=Action.CASE_CALLER_CHANGED, happened_at=now, facts=moved)]


def _reopen(
    case: Case,
    clocks: Iterable[Clock],
    alert: RaisedAlert,
    policies: Mapping[str, Policy],
    now: datetime,
) -> Decision:
    joined, tell = _join_people(case, alert)
    renewed = next_cycle(
        replace(joined, assignment=case.assignment), clocks, [alert], policies, now
    )
    if joined.fixer is not None and joined.fixer == case.fixer:
        tell.append(ToTell(recipient=joined.fixer, template=Template.FIX))
    reopened, *more = renewed.audit
    reopened = replace(reopened, facts={**reopened.facts, **_duty_facts(alert)})
    audit = (reopened, *more, *_caller_lines(case, joined, alert, now))
    return replace(renewed, tell=tuple(tell), audit=audit)


def next_cycle(
    case: Case,
    clocks: Iterable[Clock],
    complaints: Sequence[Complaint],
    policies: Mapping[str, Policy],
    now: datetime,
) -> Decision:
    """Back to open for complaints that no call has answered, oldest first.

    Each promise is the strictest any of them makes. What the fixer has done since the newest was
    sent stays done.
    """
    first, newest = complaints[0], max(complaint.starts.customer_sent for complaint in complaints)
    gravest = max(complaints, key=lambda c: SEVERITIES.index(c.severity))  # the first of several
    removed = case.cause_removed_at
    after = replace(
        case,
        cycle=case.cycle + 1,
        status=Status.OPEN,
        starts=first.starts,
        acknowledged_at=None,
        policy=gravest.policy.id,
        rule=gravest.rule,
        contacted_at=None,
        resolved_at=None,
        root_cause=None,
        action=None,
        corrective_action=None,
        cause_removed_at=removed if removed is not None and removed >= newest else None,
        assignment=case.assignment + 1,
    )
    held = list(clocks)
    running = {kind: clock for kind, clock in current_clocks(case, held).items() if clock.running}
    started, timers = _start_all(after, complaints, policies, now, running, _mended(case, held))
    alerts = [
        complaint.id for complaint in complaints if complaint.id
    ]  # an answer to a check survey is none
    facts = {"alerts": alerts, "rule": after.rule, "cycle": after.cycle, "clocks": _dues(started)}
    return Decision(
        case=after,
        clocks=(*(clock.supersede(now) for clock in running.values()), *started),
        timers=tuple(timers),
        cancelled=(*(clock.key for clock in running.values()), *asked_no_more(case)),
        audit=(AuditLine(action=Action.CASE_REOPENED, happened_at=now, facts=facts),),
    )


def _join_people(case: Case, alert: RaisedAlert) -> tuple[Case, list[ToTell]]:
    """Who holds the case after a join, and who is told: the caller what is new, people new to the
    case that they are.
    """
    stronger = SEVERITIES.index(alert.severity) > SEVERITIES.index(case.severity)
    other = alert.caller.party.id
    caller = other if stronger or case.caller in alert.away else case.caller
    fixer = case.fixer or (alert.fixer.party.id if alert.fixer else None)
    known = {caller, fixer, *case.informed}
    fixing = [alert.fixer.party.id] if alert.fixer else []
    # the former caller's word does not bind the new one, who must still be able to say "I'll call"
    unbound = caller != case.caller and case.status is Status.ACKNOWLEDGED
    candidates = [case.caller, other, *fixing, *(a.party.id for a in alert.informed)]
    new = [person for person in dict.fromkeys(candidates) if person not in known]
    after = replace(
        case,
        status=Status.OPEN if unbound else case.status,
        acknowledged_at=None if unbound else case.acknowledged_at,
        severity=alert.severity if stronger else case.severity,
        rule=alert.rule if stronger else case.rule,
        policy=alert.policy.id if stronger else case.policy,
        caller=caller,
        fixer=fixer,
        informed=tuple(p for p in (*case.informed, *new) if p != caller),
        assignment=case.assignment + (caller != case.caller),
    )
    tell = [
        ToTell(recipient=caller, template=alert.template, data={"duty": "call", "joined": True})
    ]
    if fixer is not None and fixer != case.fixer:
        tell.append(ToTell(recipient=fixer, template=Template.FIX))
    tell += [ToTell(recipient=person, template=Template.INFORMED) for person in new]
    return after, tell


def owed_anew(
    case: Case, clocks: Iterable[Clock], now: datetime
) -> tuple[list[Clock], list[NewTimer]]:
    """Another caller has the case now, whom the former's word does not bind: to acknowledge is owed
    again, from now on.
    """
    old = current_clocks(case, clocks).get(ClockKind.ACKNOWLEDGE)
    if old is None or old.stopped_at is None:
        return [], []
    new = old.anew(now)
    return [new], timers_of(new, new.runs_by, now)


def strictest(
    case: Case, clocks: Iterable[Clock], complaints: Iterable[Complaint], now: datetime
) -> Decision:
    """What the complaints' promises come to, each with the waits it pauses for: of two rules the
    one that ends earlier counts, at any time.
    """
    held, decision = list(clocks), Decision(case=case)
    for complaint in complaints:
        running = {c.policy for c in current_clocks(case, held).values() if c.running}
        if complaint.policy.id in running and len(running) == 1:
            continue
        changed, timers, cancelled = _stricter(case, held, complaint, now, among=_WAITED_FOR)
        more = Decision(
            case=case, clocks=tuple(changed), timers=tuple(timers), cancelled=tuple(cancelled)
        )
        held = clocks_after(held, more)
        decision = followed_by(decision, more)
    return decision


_WAITED_FOR = frozenset({ClockKind.CONTACT, ClockKind.RESOLVE})
"""What a wait can hold up: to acknowledge never stands still."""


def _mended(case: Case, clocks: Iterable[Clock]) -> datetime | None:
    """When the cause was last removed, in whichever cycle."""
    found = [
        clock.stopped_at
        for clock in clocks
        if clock.kind is ClockKind.RESOLVE and clock.stopped_at is not None
    ]
    return max(
        [*found, *([case.cause_removed_at] if case.cause_removed_at is not None else [])],
        default=None,
    )


def _stricter(
    case: Case,
    clocks: Iterable[Clock],
    alert: Complaint,
    now: datetime,
    among: Collection[ClockKind] = frozenset(ClockKind),
) -> tuple[list[Clock], list[NewTimer], list[str]]:
    """New plans where the alert's target ends before the running one, or where the case had no such
    clock.

    What is already done is not asked for again: nothing could stop such a clock any more. A cause
    that came back is.
    """
    held, sent = list(clocks), alert.starts.customer_sent
    present, answered, mended = current_clocks(case, held), case.answers(sent), _mended(case, held)
    done = {
        ClockKind.ACKNOWLEDGE: answered or case.status is not Status.OPEN,
        ClockKind.CONTACT: answered or case.contacted_at is not None,
        ClockKind.RESOLVE: case.cause_removed_at is not None
        or (mended is not None and sent <= mended),
    }
    again = {ClockKind.RESOLVE} - {kind for kind, over in done.items() if over}
    changed, timers, cancelled = [], [], []
    for kind, target in alert.policy.targets.items():
        if done[kind] or kind not in among:
            continue
        old = present.get(kind)
        new = start_clock(
            kind, alert.policy, alert.starts, case.cycle, old.plan + 1 if old else 1, case.waits
        )
        paused = _stands_still(case, new)
        kept = old is not None and (
            not _ends_before(paused or new, old) if old.running else kind not in again
        )
        if kept:
            continue
        replaced = [old] if old is not None and old.running else []
        changed += [*(clock.supersede(now) for clock in replaced), paused or new]
        timers += [] if paused else timers_of(new, target, now)
        cancelled += [clock.key for clock in replaced]
    return changed, timers, cancelled


def _ends_before(new: Clock, old: Clock) -> bool:
    """Of two promises the one that runs ends before the one that stands still."""
    if (new.paused_at is None) != (old.paused_at is None):
        return new.paused_at is None and old.missed_at is None
    return new.due_at < old.due_at


def _stands_still(case: NewCase, clock: Clock) -> Clock | None:
    """The clock paused, where its case waits for what it pauses for."""
    since, kind = case.waiting_since, clock.kind
    if (
        since is None
        or kind is ClockKind.ACKNOWLEDGE
        or case.waiting_for not in clock.runs_by.pauses
    ):
        return None
    return clock.pause(max(since, clock.started_at)) if clock.due_at > since else None


def _start_all(
    case: NewCase,
    complaints: Sequence[Complaint],
    policies: Mapping[str, Policy],
    now: datetime,
    owed: Mapping[ClockKind, Clock],
    mended: datetime | None = None,
) -> tuple[list[Clock], list[NewTimer]]:
    """The clocks of a cycle.

    What was still `owed` of the cycle before keeps its due time where that is earlier. It is owed
    on even where no new complaint's policy knows such a promise, with the steps of its own policy.
    A cause that was `mended` since a complaint was sent is not to be mended for it again.
    """
    clocks, timers = [], []
    for kind in ClockKind:
        asking = [complaint for complaint in complaints if kind in complaint.policy.targets]
        if kind is ClockKind.RESOLVE and mended is not None:
            asking = [complaint for complaint in asking if complaint.starts.customer_sent > mended]
        plans = [
            (
                start_clock(kind, c.policy, c.starts, case.cycle, 1, case.waits),
                c.policy.targets[kind],
            )
            for c in asking
        ]
        before = owed.get(kind)
        if before is not None:
            carried = replace(before, cycle=case.cycle, plan=1)
            plans.append((carried, _target_of(carried, policies)))
        if plans:
            clock, target = min(plans, key=lambda plan: plan[0].due_at)
            clocks.append(clock)
            timers += _timers_left(clock, target, now)
    return clocks, timers


def _timers_left(clock: Clock, target: Target, now: datetime) -> list[NewTimer]:
    """A promise that was missed before the case opened again: nobody is told of that twice."""
    return [
        timer
        for timer in timers_of(clock, target, now)
        if clock.missed_at is None or timer.due_at > now
    ]


def promised_by(case: Case, clocks: Iterable[Clock]) -> Policy:
    """The promises of a case without the rulebook they came from: no steps."""
    targets = {kind: _target_of(clock, {}) for kind, clock in current_clocks(case, clocks).items()}
    return Policy(id=case.policy, starts="customer_sent", targets=targets)


def _target_of(clock: Clock, policies: Mapping[str, Policy]) -> Target:
    """The promise behind a clock; without its steps where neither it nor the rulebook knows that
    policy any more.
    """
    policy = policies.get(clock.policy)
    known = policy.targets.get(clock.kind) if policy else None
    return (
        clock.target
        or known
        or Target(by=clock.by, within=Amount(length=clock.due_at - clock.started_at))
    )


def _others(assignments: Iterable[Assignment], alert: RaisedAlert) -> tuple[str, ...]:
    busy = {alert.caller.party.id, alert.fixer.party.id if alert.fixer else None}
    return tuple(dict.fromkeys(a.party.id for a in assignments if a.party.id not in busy))


def _duty_facts(alert: RaisedAlert) -> dict[str, object]:
    everybody = (alert.caller, *((alert.fixer,) if alert.fixer else ()), *alert.informed)
    return {
        "alert": alert.id,
        "rule": alert.rule,
        "severity": alert.severity,
        "segment": alert.segment,
        "people": [_person_facts(a) for a in everybody],
    }


def _person_facts(assignment: Assignment) -> dict[str, object]:
    return {
        "role": assignment.role,
        "party": assignment.party.id,
        "why": list(assignment.why),
        "steps": [step.as_json() for step in assignment.steps],
    }


def _dues(clocks: Iterable[Clock]) -> dict[str, str]:
    return {clock.key: clock.due_at.isoformat() for clock in clocks if clock.running}
