"""SLA policies and clocks: promises with a start, a due instant and steps around it.

Lengths are working time of the target's calendar; on `always` that is elapsed time. Instants are UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, Literal, Protocol

from alerting.domain.calendars import ALWAYS, Calendar, NeverOpen
from alerting.domain.working_time import (
    Amount,
    Pause,
    due_instant,
    instant_before,
    read_amount,
    share_instant,
    working_time,
)


class ClockKind(StrEnum):
    """What is promised: to take the case, to speak with the customer, to remove the cause."""

    ACKNOWLEDGE = "acknowledge"
    CONTACT = "contact"
    RESOLVE = "resolve"


Duty = Literal["caller", "fixer"]
CALLER: Duty = "caller"
FIXER: Duty = "fixer"


class WaitingFor(StrEnum):
    """Who has to do something before we can go on."""

    CUSTOMER = "customer"
    THIRD_PARTY = "third_party"


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
    urgent: bool = False
    """Tells its people outside their working hours, too."""

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
    """One promise of a policy: by whom, within what, on which calendar, with which steps, and which waits it pauses for."""

    by: Duty
    within: Amount
    calendar: Calendar = ALWAYS
    steps: tuple[Step, ...] = ()
    pauses: frozenset[WaitingFor] = frozenset(WaitingFor)
    calendar_of: Duty | None = None
    """Whose own calendar counts; `calendar` is for those who have none."""
    stale_after: timedelta | None = None
    """Of an acknowledgement: in how much working time something has to follow it."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A named set of targets. `starts` says which of the three starts counts; all three are kept.

    `rulebook` is the hash of the one that says so: clocks keep it, and run by it when the active one is another.
    """

    id: str
    starts: Literal["customer_sent", "received", "case_opened"]
    targets: Mapping[ClockKind, Target]
    rulebook: str = ""
    moves_open_cases: bool = False
    """Whether cases that are open when the policy is edited are promised what it says from then on."""

    @property
    def tells_fixer(self) -> bool:
        steps = [step for target in self.targets.values() for step in target.steps]
        return any(word.endswith("fixer") for step in steps for word in step.notify)


def is_ever_due(target: Target) -> bool:
    """Whether its calendar is open for so long within a lifetime."""
    try:
        due_at(datetime(2026, 1, 1, tzinfo=UTC), target)
    except NeverOpen:
        return False
    return True


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
        if within is not None and is_ever_due(replace(target, within=within, calendar=calendar)):
            named = calendars.get(str(contract.get("calendar")))
            targets[kind] = replace(
                target, within=within, calendar=calendar, calendar_of=None if named else target.calendar_of
            )
    return policy if targets == policy.targets else replace(policy, targets=targets)


class HasCalendar(Protocol):
    """A person or an office, who may work by a calendar of its own: a name of `rules/calendars.yaml`."""

    @property
    def calendar(self) -> str | None: ...


def on_calendars_of(
    policy: Policy, people: Mapping[Duty, HasCalendar | None], calendars: Mapping[str, Calendar]
) -> Policy:
    """The policy with the calendars of those who owe something, where it says so and they have one."""
    targets = dict(policy.targets)
    for kind, target in policy.targets.items():
        holder = people.get(target.calendar_of) if target.calendar_of else None
        own = calendars.get(holder.calendar or "") if holder is not None else None
        if own is not None and (own.name != ALWAYS.name or target.within.length is not None):
            targets[kind] = replace(target, calendar=own)
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
    in no report: the one that took its place does. `pauses` are those that have ended; while it is paused, `due_at` is
    what it was before. `worked` is the working time from start to stop, without pauses. `target` is what it runs by,
    where somebody has looked that up.
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
    within: Amount
    calendar: str
    rulebook: str = ""
    paused_at: datetime | None = None
    pauses: tuple[tuple[datetime, datetime], ...] = ()
    resumes: int = 0
    worked: timedelta | None = None
    target: Target | None = field(default=None, compare=False, repr=False)

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

    @property
    def timer_key(self) -> str:
        """Of its steps, which are set anew after each pause, however short."""
        return f"{self.key}.resumed{self.resumes}" if self.resumes else self.key

    def stop(self, at: datetime) -> "Clock":
        """Kept at `at`, which may lie before pauses that are known by now: those do not count."""
        ended = [*self.pauses, *([(self.paused_at, at)] if self.paused_at is not None else [])]
        pauses = tuple((begin, min(end, at)) for begin, end in ended if begin < min(end, at))
        worked = working_time(self.runs_by.calendar, self.started_at, at, pauses)
        stopped = replace(self, stopped_at=at, paused_at=None, pauses=pauses, worked=worked)
        return stopped if pauses == self.pauses else replace(stopped, due_at=stopped.due())

    def stop_anew(self, at: datetime, waits: Iterable["PastWait"]) -> "Clock":
        """Stopped at another time than it was thought: its pauses are those of the case's waits up to then."""
        pauses = pauses_of(self.kind, self.runs_by, self.started_at, waits)
        found = replace(self, paused_at=None, pauses=pauses)
        return replace(found, due_at=found.due()).stop(max(at, self.started_at))

    def pause(self, at: datetime) -> "Clock":
        return replace(self, paused_at=at)

    def resume(self, at: datetime) -> "Clock":
        """It runs on; a promise that was missed before the pause stays missed."""
        assert self.paused_at is not None, "only what is paused goes on"
        ended = ((self.paused_at, at),) if at > self.paused_at else ()
        resumed = replace(self, paused_at=None, pauses=(*self.pauses, *ended), resumes=self.resumes + 1)
        return replace(resumed, due_at=resumed.due())

    @property
    def runs_by(self) -> Target:
        assert self.target is not None, f"nobody has looked up what clock {self.key} runs by"
        return self.target

    def due(self) -> datetime:
        """When its target is used up, given the pauses that have ended."""
        found = due_instant(self.runs_by.calendar, self.started_at, self.within, self.pauses)
        assert found is not None, "these pauses have an end"
        return found

    def supersede(self, at: datetime) -> "Clock":
        return replace(self, superseded_at=at, paused_at=None)


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


PastWait = tuple[WaitingFor, datetime, datetime]
"""A wait that is over: for whom, from when, until when."""


def pauses_of(
    kind: ClockKind, target: Target, start: datetime, waits: Iterable[PastWait]
) -> tuple[tuple[datetime, datetime], ...]:
    """In which of a case's waits a clock stood still, had it run from `start`: those its target pauses for, unless it was
    missed before. To acknowledge is never waited for."""
    found: list[tuple[datetime, datetime]] = []
    for waiting_for, begin, end in sorted(waits, key=lambda wait: wait[1]) if kind is not ClockKind.ACKNOWLEDGE else ():
        due = due_instant(target.calendar, start, target.within, found)
        span = max(begin, start), end
        if waiting_for in target.pauses and span[0] < span[1] and due is not None and span[0] < due:
            found.append(span)
    return tuple(found)


def start_clock(
    kind: ClockKind, policy: Policy, starts: Starts, cycle: int, plan: int, waits: Iterable[PastWait] = ()
) -> Clock:
    """A clock of `policy` for one cycle of a case. The case's `waits` since its start were pauses of it, too."""
    target = policy.targets[kind]
    started = starts.chosen(policy.starts)
    pauses = pauses_of(kind, target, started, waits)
    due = due_instant(target.calendar, started, target.within, pauses)
    assert due is not None, "these pauses have an end"
    return Clock(
        kind=kind,
        cycle=cycle,
        plan=plan,
        by=target.by,
        policy=policy.id,
        started_at=started,
        due_at=due,
        pauses=pauses,
        within=target.within,
        calendar=target.calendar.name,
        rulebook=policy.rulebook,
        target=target,
    )


def timers_of(clock: Clock, target: Target, now: datetime) -> list[NewTimer]:
    """The steps of one plan, and the moment that marks it missed.

    A step up to the due instant that has already passed is left out: the mail that opens the case says more. Steps
    after the due instant fire at once, however late they are; repetitions that would have been by now do not.
    """
    timers = [
        NewTimer(
            kind="missed", key=clock.timer_key, due_at=clock.due_at, data={"clock": clock.kind, "plan": clock.plan}
        )
    ]
    for number, step in enumerate(target.steps, 1):
        data = {"clock": clock.kind, "plan": clock.plan, "cycle": clock.cycle, "notify": list(step.notify)}
        if step.urgent:
            data["urgent"] = True
        for n, instant in enumerate(step.instants(clock.started_at, clock.due_at, target.calendar, clock.pauses), 1):
            if instant > now or (step.after is not None and n == 1):
                timers.append(NewTimer(kind="step", key=f"{clock.timer_key}.{number}", due_at=instant, data=data, n=n))
    return timers
