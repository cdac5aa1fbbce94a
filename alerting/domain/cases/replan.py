"""Promises made anew: what an edited policy says, and what a check survey's answer asks for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from alerting.domain.audit.entries import Action
from alerting.domain.cases.case_alerts import next_cycle
from alerting.domain.cases.case_responses import informed_after_move
from alerting.domain.cases.cases import AuditLine, Case, Complaint, Decision, ToTell, followed_by
from alerting.domain.cases.clocks import Clock, Starts, start_clock, timers_of
from alerting.domain.cases.sla import Policy
from alerting.domain.routing.staff import Staff
from alerting.domain.templates import Template


def replan_promises(
    case: Case, promised: Mapping[str, tuple[Clock, Policy]], rulebook: str, now: datetime
) -> Decision | None:
    """The case with those of its clocks planned anew whose policy promises something else by now;
    None where nothing changes. `promised` is by the clock's key.
    """
    plans = [(clock, replan(clock, policy, now)) for clock, policy in promised.values()]
    changed = [(old, new) for old, new in plans if new is not None]
    if not changed:
        return None
    facts = {
        "rulebook": rulebook,
        "clocks": {
            new.key: {"was": old.due_at.isoformat(), "due": new.due_at.isoformat()}
            for old, new in changed
        },
    }
    clocks = [(old.supersede(now), new) for old, new in changed]
    return Decision(
        case=case,
        clocks=tuple(clock for pair in clocks for clock in pair),
        timers=tuple(timer for _, new in changed for timer in timers_of(new, new.runs_by, now)),
        cancelled=tuple(old.key for old, _ in changed),
        audit=(AuditLine(action=Action.CASE_PROMISES_MOVED, happened_at=now, facts=facts),),
    )


def replan(clock: Clock, policy: Policy, now: datetime) -> Clock | None:
    """The clock as the policy promises by now, from the same start and with the same pauses; None
    where it stays.

    What is missed stays missed, what stands still stays as it is, and nothing is made late after
    the fact: a promise that would have ended by now stays as it was.
    """
    target = policy.targets.get(clock.kind)
    if target is None or not clock.running or clock.paused_at is not None or clock.due_at <= now:
        return None
    starts = Starts(
        customer_sent=clock.started_at, received=clock.started_at, case_opened=clock.started_at
    )
    new = replace(
        start_clock(clock.kind, policy, starts, clock.cycle, clock.plan + 1), pauses=clock.pauses
    )
    new = replace(new, due_at=new.due()) if new.pauses else new
    return None if new.due_at <= now or _same_promise(new, clock) else new


def _same_promise(one: Clock, other: Clock) -> bool:
    mine, theirs = one.runs_by, other.runs_by
    return (one.due_at, mine.steps, mine.pauses, mine.stale_after) == (
        other.due_at,
        theirs.steps,
        theirs.pauses,
        theirs.stale_after,
    )


def reopen_unhappy(
    case: Case,
    clocks: list[Clock],
    complaint: Complaint,
    policies: Mapping[str, Policy],
    former: str,
    now: datetime,
) -> Decision:
    """A negative answer to the check survey opens the case again, for a caller who is here.

    `case` is already with its caller (see `with_somebody_here`), `former` had it before.
    """
    tell = [
        ToTell(recipient=case.caller, template=Template.CALL, data={"duty": "call", "joined": True})
    ]
    audit = []
    if case.fixer is not None:
        tell.append(ToTell(recipient=case.fixer, template=Template.FIX))
    if former != case.caller:
        tell.append(ToTell(recipient=former, template=Template.INFORMED))
        facts = {"from": former, "to": case.caller, "why": f"{former} is away", "away": True}
        audit.append(AuditLine(action=Action.CASE_CALLER_CHANGED, happened_at=now, facts=facts))
    first = Decision(case=case, tell=tuple(tell), audit=tuple(audit))
    return followed_by(first, next_cycle(case, clocks, [complaint], policies, now))


def with_somebody_here(case: Case, staff: Staff) -> Case:
    """The case with whoever stands in for a caller who is away; where nobody does, it stays."""
    caller = staff.get(case.caller)
    asked = staff.ask(caller, to_call=True).party if caller is not None else None
    if asked is None or asked.id == case.caller:
        return case
    return replace(case, caller=asked.id, informed=informed_after_move(case, asked.id))
