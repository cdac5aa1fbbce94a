"""What becomes of a case when facts that came late change or take away its alerts, before anybody
has touched it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from alerting.domain.audit.entries import Action
from alerting.domain.cases.case_alerts import join_case, open_case
from alerting.domain.cases.cases import (
    AuditLine,
    Case,
    Decision,
    Ended,
    RaisedAlert,
    Status,
    ToTell,
    current_clocks,
)
from alerting.domain.cases.clocks import Clock, NewTimer, timers_of
from alerting.domain.cases.sla import ClockKind, Policy
from alerting.domain.cases.waits import WAIT_END, waited
from alerting.domain.templates import Template

AlreadyTold = Collection[tuple[str, str]]
"""Who has been told what: person and duty, which is `call` or the name of the mail."""

_DUTIES = ("call", "fix", "informed")


OVER = {"informed": ("call", "fix"), "call": ("informed",), "fix": ("informed",)}
"""What a person has been told no longer holds once they are told this."""


def replan_case(
    case: Case,
    clocks: Iterable[Clock],
    alerts: Sequence[RaisedAlert],
    policies: Mapping[str, Policy],
    told: AlreadyTold,
    now: datetime,
) -> Decision:
    """The case as it would be had its present alerts come in the order of their events; without any
    it is withdrawn.

    Clocks that come out the same go on; others are planned anew. Nobody is told twice; who was
    given a duty that is somebody else's now hears whose.
    """
    if not alerts:
        return _withdrawn(case, clocks, told, now)
    made, wanted = _as_if_in_order(case, alerts, policies, now)
    former = [
        p
        for p, duty in told
        if duty in _DUTIES and p not in {made.caller, made.fixer, *made.informed}
    ]
    after = replace(
        case,
        severity=made.severity,
        segment=made.segment,
        territory=made.territory,
        rule=made.rule,
        policy=made.policy,
        caller=made.caller,
        fixer=made.fixer,
        informed=tuple(dict.fromkeys([*made.informed, *former])),
        assignment=case.assignment + (made.caller != case.caller),
        starts=replace(made.starts, case_opened=case.starts.case_opened),
    )
    changed, timers, cancelled = _replanned(after, clocks, wanted, alerts, now)
    facts = {
        "alerts": [alert.id for alert in alerts],
        "caller": after.caller,
        "clocks": sorted(wanted),
    }
    return Decision(
        case=after,
        clocks=tuple(changed),
        timers=tuple(timers),
        cancelled=tuple(cancelled),
        tell=tuple(not_yet_told(_duties(after, alerts), told)),
        audit=(AuditLine(action=Action.CASE_REVISED, happened_at=now, facts=facts),),
    )


def not_yet_told(tell: Iterable[ToTell], told: AlreadyTold) -> list[ToTell]:
    """What each of them has not been told already."""
    return [one for one in tell if (one.recipient, duty_of(one)) not in told]


def duty_of(told: ToTell) -> str:
    return str(told.data.get("duty", told.template))


def _as_if_in_order(
    case: Case, alerts: Sequence[RaisedAlert], policies: Mapping[str, Policy], now: datetime
) -> tuple[Case, dict[ClockKind, Clock]]:
    first, *rest = sorted(alerts, key=lambda alert: alert.starts.customer_sent)
    decision = open_case(case.customer_key, first, now).stored(case.id)
    made, held = decision.case, {clock.key: clock for clock in decision.clocks}
    for alert in rest:
        decision = join_case(made, held.values(), alert, policies, now)
        made, held = decision.case, held | {clock.key: clock for clock in decision.clocks}
    return made, {
        kind: clock for kind, clock in current_clocks(made, held.values()).items() if clock.running
    }


def _replanned(
    case: Case,
    clocks: Iterable[Clock],
    wanted: Mapping[ClockKind, Clock],
    alerts: Sequence[RaisedAlert],
    now: datetime,
) -> tuple[list[Clock], list[NewTimer], list[str]]:
    present = current_clocks(case, clocks)
    policies = {alert.policy.id: alert.policy for alert in alerts}
    changed: list[Clock] = []
    timers: list[NewTimer] = []
    cancelled: list[str] = []
    for kind in ClockKind:
        old, new = present.get(kind), wanted.get(kind)
        if old is not None and new is not None and _same(old, new):
            continue
        if old is not None and old.running:
            changed.append(old.supersede(now))
            cancelled.append(old.key)
        if new is not None:
            planned = replace(new, cycle=case.cycle, plan=old.plan + 1 if old else 1)
            changed.append(planned)
            timers += timers_of(planned, policies[planned.policy].targets[kind], now)
    return changed, timers, cancelled


def _same(old: Clock, new: Clock) -> bool:
    facts = ("by", "policy", "started_at", "due_at")
    return old.running and all(getattr(old, name) == getattr(new, name) for name in facts)


def _duties(case: Case, alerts: Sequence[RaisedAlert]) -> list[ToTell]:
    template = next(alert.template for alert in alerts if alert.rule == case.rule)
    tell = [
        ToTell(recipient=case.caller, template=template, data={"duty": "call", "revised": True})
    ]
    if case.fixer:
        tell.append(ToTell(recipient=case.fixer, template=Template.FIX, data={"revised": True}))
    return [
        *tell,
        *(
            ToTell(recipient=p, template=Template.INFORMED, data={"revised": True})
            for p in case.informed
        ),
    ]


def forget_case(case: Case, clocks: Iterable[Clock], now: datetime) -> Decision:
    """An open case ends, as nobody is to call somebody we do not know any more. What was missed by
    then stays missed.
    """
    running = [clock for clock in current_clocks(case, clocks).values() if clock.running]
    missed = [clock.due_at < now and clock.paused_at is None for clock in running]
    gone = {"status": Status.RESOLVED, "resolved_at": now, "forgotten_at": now}
    return Decision(
        case=replace(waited(case, now), **gone),  # type: ignore[arg-type]
        clocks=tuple(
            c.stop(now) if late else c.supersede(now)
            for c, late in zip(running, missed, strict=True)
        ),
        cancelled=(*(clock.key for clock in running), f"{case.cycle}.{WAIT_END}"),
        audit=(AuditLine(action=Action.CASE_FORGOTTEN, happened_at=now),),
        ended=Ended(at=now, because="forgotten") if case.waiting_since is not None else None,
    )


def _withdrawn(case: Case, clocks: Iterable[Clock], told: AlreadyTold, now: datetime) -> Decision:
    running = [clock for clock in current_clocks(case, clocks).values() if clock.running]
    people = dict.fromkeys(person for person, _ in sorted(told))
    return Decision(
        case=replace(
            case,
            status=Status.RESOLVED,
            resolved_at=now,
            withdrawn_at=now,
            waiting_since=None,
            waiting_for=None,
            waiting_until=None,
        ),
        clocks=tuple(clock.supersede(now) for clock in running),
        cancelled=(*(clock.key for clock in running), f"{case.cycle}.{WAIT_END}"),
        tell=tuple(ToTell(recipient=person, template=Template.WITHDRAWN) for person in people),
        audit=(AuditLine(action=Action.CASE_WITHDRAWN, happened_at=now),),
        ended=Ended(at=now, because="withdrawn") if case.waiting_since is not None else None,
    )
