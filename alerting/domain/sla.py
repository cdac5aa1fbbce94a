"""SLA policies and clocks: promises with a start, a due instant and steps around it.

Lengths are working time of the target's calendar; on `always` that is elapsed time. Instants are UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal

from alerting.domain.calendars import ALWAYS, Calendar
from alerting.domain.working_time import Amount, Pause, due_instant, instant_before, read_amount, share_instant


class ClockKind(StrEnum):
    """What is promised: to take the case, to speak with the customer, to remove the cause."""

    ACKNOWLEDGE = "acknowledge"
    CONTACT = "contact"
    RESOLVE = "resolve"


Duty = Literal["caller", "fixer"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """Somebody is told before the due instant, after it, or when a share of the target is used up. One of the three.

    With `every` that happens again, `times` in all, until somebody takes the case.
    """

    notify: tuple[str, ...]
    before: timedelta | None = None
    after: timedelta | None = None
    at: Fraction | None = None
    every: timedelta | None = None
    times: int = 1

    @property
    def words(self) -> str:
        """`before 4h`, `after 0h`, `at 80%`."""
        if self.at is not None:
            when = f"at {self.at.numerator * 100 // self.at.denominator}%"
        elif self.before is not None:
            when = f"before {Amount(length=self.before)}"
        else:
            when = f"after {Amount(length=self.after)}"
        return when if self.every is None else f"{when}, every {Amount(length=self.every)}, {self.times} times"

    def instant(
        self, started_at: datetime, due_at: datetime, calendar: Calendar = ALWAYS, pauses: Iterable[Pause] = ()
    ) -> datetime:
        """When it comes to pass, in working time of the calendar: so long before or after the due instant, or at a share."""
        if self.before is not None:
            return instant_before(calendar, due_at, self.before, pauses)
        if self.after is not None:
            return calendar.add(due_at, self.after)
        assert self.at is not None, "loading refuses a step without before, after or at"
        return share_instant(calendar, started_at, due_at, self.at, pauses)

    def instants(
        self, started_at: datetime, due_at: datetime, calendar: Calendar = ALWAYS, pauses: Iterable[Pause] = ()
    ) -> list[datetime]:
        """The first and those at which it is repeated, in working time, too."""
        found = [self.instant(started_at, due_at, calendar, pauses)]
        while self.every is not None and len(found) < self.times:
            found.append(calendar.add(found[-1], self.every))
        return found


@dataclass(frozen=True, kw_only=True)
class Target:
    """One promise of a policy: by whom, within what, on which calendar, with which steps."""

    by: Duty
    within: Amount
    calendar: Calendar = ALWAYS
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A named set of targets. `starts` says which of the three starts counts; all three are kept."""

    id: str
    starts: Literal["customer_sent", "received", "case_opened"]
    targets: Mapping[ClockKind, Target]

    @property
    def tells_fixer(self) -> bool:
        steps = [step for target in self.targets.values() for step in target.steps]
        return any(word.endswith("fixer") for step in steps for word in step.notify)


def under_contract(policy: Policy, contract: Mapping[str, Any], calendars: Mapping[str, Calendar]) -> Policy:
    """The policy with the lengths a customer's contract promises: `{"contact": "8h", "calendar": "berlin"}`.

    Who owes what to whom stays as the policy says, and so does what the contract is silent about, or says of a calendar
    that is not known or has no such lengths.
    """
    targets = dict(policy.targets)
    for kind, target in policy.targets.items():
        text, calendar = contract.get(kind.value), calendars.get(str(contract.get("calendar")), target.calendar)
        try:
            within = read_amount(str(text), calendar) if text is not None else None
        except ValueError:
            continue
        if within is not None:
            targets[kind] = replace(target, within=within, calendar=calendar)
    return policy if targets == policy.targets else replace(policy, targets=targets)


@dataclass(frozen=True, kw_only=True)
class Starts:
    """The three moments a promise can be counted from."""

    customer_sent: datetime
    received: datetime
    case_opened: datetime

    @classmethod
    def of_event(cls, sent: datetime, received: datetime, case_opened: datetime) -> "Starts":
        """A sender's clock may run ahead of ours; nothing was sent after it was received."""
        return cls(customer_sent=min(sent, received), received=received, case_opened=case_opened)

    def chosen(self, name: str) -> datetime:
        return getattr(self, name)  # type: ignore[no-any-return]


@dataclass(frozen=True, kw_only=True)
class Clock:
    """One promise on one case. A stricter target or a re-opening starts the next plan, and this one is superseded.

    `stopped_at` is when the promise was kept (a call may be recorded later than it happened). A superseded clock counts
    in no report: the one that took its place does.
    """

    kind: ClockKind
    cycle: int
    plan: int
    by: Duty
    policy: str
    started_at: datetime
    due_at: datetime
    stopped_at: datetime | None = None
    missed_at: datetime | None = None
    superseded_at: datetime | None = None

    @property
    def running(self) -> bool:
        return self.stopped_at is None and self.superseded_at is None

    @property
    def met(self) -> bool | None:
        """Kept in time; None while it runs, and for a superseded one."""
        return None if self.stopped_at is None else self.stopped_at <= self.due_at

    @property
    def key(self) -> str:
        return f"{self.cycle}.{self.kind}.{self.plan}"

    def stop(self, at: datetime) -> "Clock":
        return replace(self, stopped_at=at)

    def supersede(self, at: datetime) -> "Clock":
        return replace(self, superseded_at=at)


@dataclass(frozen=True, kw_only=True)
class NewTimer:
    """Something due at an instant. (kind, subject, key, n) is unique; the writer fills in the subject."""

    kind: str
    key: str
    due_at: datetime
    data: Mapping[str, Any]
    n: int = 1


def due_at(start: datetime, target: Target) -> datetime:
    """The earliest instant at which the target is used up."""
    found = due_instant(target.calendar, start, target.within)
    assert found is not None, "nothing is paused yet"
    return found


def start_clock(kind: ClockKind, policy: Policy, starts: Starts, cycle: int, plan: int) -> Clock:
    """A clock of `policy` for one cycle of a case."""
    target = policy.targets[kind]
    started = starts.chosen(policy.starts)
    return Clock(
        kind=kind,
        cycle=cycle,
        plan=plan,
        by=target.by,
        policy=policy.id,
        started_at=started,
        due_at=due_at(started, target),
    )


def timers_of(clock: Clock, target: Target, now: datetime) -> list[NewTimer]:
    """The steps of one plan, and the moment that marks it missed.

    A step up to the due instant that has already passed is left out: the mail that opens the case says more. Steps
    after the due instant fire at once, however late they are; repetitions that would have been by now do not.
    """
    timers = [
        NewTimer(kind="missed", key=clock.key, due_at=clock.due_at, data={"clock": clock.kind, "plan": clock.plan})
    ]
    for number, step in enumerate(target.steps, 1):
        data = {"clock": clock.kind, "plan": clock.plan, "cycle": clock.cycle, "notify": list(step.notify)}
        for n, instant in enumerate(step.instants(clock.started_at, clock.due_at, target.calendar), 1):
            if instant > now or (step.after is not None and n == 1):
                timers.append(NewTimer(kind="step", key=f"{clock.key}.{number}", due_at=instant, data=data, n=n))
    return timers
