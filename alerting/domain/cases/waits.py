"""Waiting: the customer or somebody else has to act before we can go on. The clocks that pause for
it stand still.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerting.domain.audit.entries import Action
from alerting.domain.cases.case_responses import stale_timer
from alerting.domain.cases.cases import (
    AuditLine,
    Case,
    Decision,
    Ended,
    Status,
    ToTell,
    Wait,
    clocks_after,
    current_clocks,
    followed_by,
)
from alerting.domain.cases.clocks import Clock, NewTimer, timers_of
from alerting.domain.cases.sla import CALLER, ClockKind, WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.domain.templates import Template
from alerting.domain.times.durations import format_duration

WAIT_END = "wait_end"
"""The kind of timer that ends a wait whose day has come."""


def begin_wait(
    case: Case, clocks: Iterable[Clock], wait: Wait, at_most: timedelta, now: datetime
) -> Decision:
    """The case waits; the clocks whose promise pauses for that stand still, but for those that are
    missed already. Whoever else owes one of them hears of it.

    To acknowledge is never waited for: a caller who waits has taken the case. Raises ActionRefused
    without a reason, for an end that has passed or lies further than `at_most` ahead, and for a
    case that is resolved or waits already.
    """
    _check(case, wait, at_most, now)
    taken = case.status is Status.OPEN and wait.by == case.caller
    held = list(clocks)
    present = [clock for clock in current_clocks(case, held).values() if clock.running]
    stopped = [
        clock.stop(max(now, clock.started_at))
        for clock in present
        if taken and _acknowledges(clock)
    ]
    paused = [clock.pause(now) for clock in present if _pauses(clock, wait, now)]
    after = replace(
        case,
        status=Status.ACKNOWLEDGED if taken else case.status,
        acknowledged_at=now if taken else case.acknowledged_at,
        waiting_since=now,
        waiting_for=wait.waiting_for,
        waiting_until=wait.until,
    )
    owing = [case.caller if clock.by == CALLER else case.fixer for clock in paused]
    told = {"by": wait.by, "reason": wait.reason.strip()}
    timers = [NewTimer(kind=WAIT_END, key=_key(after), due_at=wait.until, data={})]
    if taken:
        timers += stale_timer(after, current_clocks(case, held).get(ClockKind.ACKNOWLEDGE), now)
    return Decision(
        case=after,
        clocks=(*stopped, *paused),
        timers=tuple(timers),
        cancelled=tuple(clock.key for clock in (*stopped, *paused)),
        tell=tuple(
            ToTell(recipient=party, template=Template.WAITING, data=told)
            for party in dict.fromkeys(owing)
            if party and party != wait.by
        ),
        audit=(_noted(wait, stopped, paused, now),),
        wait=wait,
    )


def _pauses(clock: Clock, wait: Wait, now: datetime) -> bool:
    missed = clock.due_at <= now
    return not (_acknowledges(clock) or missed) and wait.waiting_for in clock.runs_by.pauses


def _noted(wait: Wait, stopped: list[Clock], paused: list[Clock], now: datetime) -> AuditLine:
    facts: dict[str, object] = {
        "by": wait.by,
        "for": wait.waiting_for.value,
        "until": wait.until.isoformat(),
        "paused": [clock.key for clock in paused],
    }
    if stopped:
        facts["clocks"] = {clock.key: "met" if clock.met else "late" for clock in stopped}
    return AuditLine(
        action=Action.CASE_WAITING,
        happened_at=now,
        facts=facts,
        personal={"reason": wait.reason.strip()},
    )


def end_wait(
    case: Case, clocks: Iterable[Clock], at: datetime, because: str, now: datetime, tell: str = ""
) -> Decision:
    """The wait ended at `at`, `because` of a person, the customer or its day; the paused clocks run
    on from then.

    `tell` is who hears that it is their turn again.
    """
    assert case.waiting_since is not None, "only a case that waits can go on"
    ended = min(max(at, case.waiting_since), now)
    resumed = [
        clock.resume(ended)
        for clock in current_clocks(case, clocks).values()
        if clock.paused_at is not None
    ]
    line = AuditLine(
        action=Action.CASE_RESUMED,
        happened_at=ended,
        facts={"by": because, "clocks": {clock.key: clock.due_at.isoformat() for clock in resumed}},
    )
    return Decision(
        case=waited(case, ended),
        clocks=tuple(resumed),
        timers=tuple(timer for clock in resumed for timer in timers_of(clock, clock.runs_by, now)),
        cancelled=(_key(case),),
        tell=(ToTell(recipient=tell, template=Template.RESUMED, data={"because": because}),)
        if tell
        else (),
        audit=(line,),
        ended=Ended(at=ended, because=because),
    )


def waited(case: Case, ended: datetime) -> Case:
    """The case without its wait, which is kept among those that are over."""
    over = case.waits
    if (
        case.waiting_since is not None
        and case.waiting_for is not None
        and ended > case.waiting_since
    ):
        over = (*over, (case.waiting_for, case.waiting_since, ended))
    return replace(case, waiting_since=None, waiting_for=None, waiting_until=None, waits=over)


def deciding(
    case: Case,
    clocks: list[Clock],
    decide: Callable[[Case, list[Clock]], Decision],
    because: str,
    now: datetime,
) -> Decision:
    """A decision about a case that may wait, with the end of the wait where there is nothing left
    to wait for: the customer was reached, the case is over, or it is open again in its next cycle
    (the wait ends before that).
    """
    decision = decide(case, clocks)
    after = decision.case
    if case.waiting_since is None or after.waiting_since is None:
        return decision
    if after.cycle != case.cycle:
        first = end_wait(case, clocks, now, because, now)
        return followed_by(first, decide(first.case, clocks_after(clocks, first)))
    called = after.contacted_at
    since, new = after.waiting_since, called is not None and called != case.contacted_at
    if after.waiting_for is WaitingFor.CUSTOMER and called is not None and new and called >= since:
        at = called
    elif after.status is Status.RESOLVED:
        at = now
    else:
        return decision
    return followed_by(decision, end_wait(after, clocks_after(clocks, decision), at, because, now))


def _check(case: Case, wait: Wait, at_most: timedelta, now: datetime) -> None:
    if case.status is Status.RESOLVED:
        raise ActionRefused(f"{case.number} is resolved; there is nothing to wait for")
    if case.waiting_until is not None:
        raise ActionRefused(
            f"{case.number} waits already, until {case.waiting_until:%Y-%m-%d %H:%M}Z; go on first"
        )
    if not wait.reason.strip():
        raise ActionRefused("say in a few words what is waited for")
    if wait.until <= now:
        raise ActionRefused(
            f"the wait would end at {wait.until.astimezone(UTC):%Y-%m-%d %H:%M}Z, which has passed"
        )
    if wait.until > now + at_most:
        raise ActionRefused(
            f"a case waits at most {format_duration(at_most)}; look at it again by then"
        )


def _acknowledges(clock: Clock) -> bool:
    return clock.kind is ClockKind.ACKNOWLEDGE


def _key(case: Case) -> str:
    assert case.waiting_since is not None, "it waits"
    return f"{case.cycle}.{WAIT_END}.{case.waiting_since:%Y%m%dT%H%M%S.%f}"
