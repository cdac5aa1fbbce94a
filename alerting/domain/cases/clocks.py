"""SLA clocks: one promise each, with its start, its pauses, its due instant and its end. Instants
are UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerting.domain.cases.sla import ClockKind, Duty, Policy, Target, WaitingFor, due_at
from alerting.domain.times.working_time import Amount, due_instant, working_time


def state_at(
    due_at: datetime, stopped_at: datetime | None, paused_at: datetime | None, now: datetime
) -> str:
    """`met`, `late`, `paused` (open, its time stands still), `overdue` (open and missed) or
    `running`.
    """
    if stopped_at is not None:
        return "met" if stopped_at <= due_at else "late"
    if paused_at is not None:
        return "paused"
    return "overdue" if now > due_at else "running"


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
    """One promise on one case. A stricter target or a re-opening starts the next plan, and this one
    is superseded.

    `stopped_at` is when the promise was kept (a call may be recorded later than it happened). A
    superseded clock counts in no report: the one that took its place does. `pauses` are those that
    have ended; while it is paused, `due_at` is what it was before. `worked` is the working time
    from start to stop, without pauses. `target` is what it runs by, where somebody has looked that
    up.
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

    def state(self, now: datetime) -> str:
        """As reports call it: `met`, `late`, `paused`, `overdue` or `running`; one that counts
        nowhere is `replaced`.
        """
        if self.superseded_at is not None:
            return "replaced"
        return state_at(self.due_at, self.stopped_at, self.paused_at, now)

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
        """Stopped at another time than it was thought: its pauses are those of the case's waits up
        to then.
        """
        pauses = pauses_of(self.kind, self.runs_by, self.started_at, waits)
        found = replace(self, paused_at=None, pauses=pauses)
        return replace(found, due_at=found.due()).stop(max(at, self.started_at))

    def anew(self, at: datetime) -> "Clock":
        """The next plan of the same promise, owed from `at` on."""
        due = due_at(at, self.runs_by)
        return replace(
            self,
            plan=self.plan + 1,
            started_at=at,
            due_at=due,
            stopped_at=None,
            missed_at=None,
            pauses=(),
            worked=None,
        )

    def pause(self, at: datetime) -> "Clock":
        return replace(self, paused_at=at)

    def resume(self, at: datetime) -> "Clock":
        """It runs on; a promise that was missed before the pause stays missed."""
        assert self.paused_at is not None, "only what is paused goes on"
        ended = ((self.paused_at, at),) if at > self.paused_at else ()
        resumed = replace(
            self, paused_at=None, pauses=(*self.pauses, *ended), resumes=self.resumes + 1
        )
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
    """Something due at an instant. (kind, subject, key, n) is unique; the writer fills in the
    subject.
    """

    kind: str
    key: str
    due_at: datetime
    data: Mapping[str, object]
    n: int = 1


PastWait = tuple[WaitingFor, datetime, datetime]
"""A wait that is over: for whom, from when, until when."""


def pauses_of(
    kind: ClockKind, target: Target, start: datetime, waits: Iterable[PastWait]
) -> tuple[tuple[datetime, datetime], ...]:
    """In which of a case's waits a clock stood still, had it run from `start`: those its target
    pauses for, unless it was missed before. To acknowledge is never waited for.
    """
    found: list[tuple[datetime, datetime]] = []
    for waiting_for, begin, end in (
        sorted(waits, key=lambda wait: wait[1]) if kind is not ClockKind.ACKNOWLEDGE else ()
    ):
        due = due_instant(target.calendar, start, target.within, found)
        span = max(begin, start), end
        if waiting_for in target.pauses and span[0] < span[1] and due is not None and span[0] < due:
            found.append(span)
    return tuple(found)


def start_clock(
    kind: ClockKind,
    policy: Policy,
    starts: Starts,
    cycle: int,
    plan: int,
    waits: Iterable[PastWait] = (),
) -> Clock:
    """A clock of `policy` for one cycle of a case. The case's `waits` since its start were pauses
    of it, too.
    """
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

    A step up to the due instant that has already passed is left out: the mail that opens the case
    says more. Steps after the due instant fire at once, however late they are; repetitions that
    would have been by now do not.
    """
    timers = [
        NewTimer(
            kind="missed",
            key=clock.timer_key,
            due_at=clock.due_at,
            data={"clock": clock.kind, "plan": clock.plan},
        )
    ]
    for number, step in enumerate(target.steps, 1):
        data = {
            "clock": clock.kind,
            "plan": clock.plan,
            "cycle": clock.cycle,
            "notify": list(step.notify),
        }
        if step.urgent:
            data["urgent"] = True
        for n, instant in enumerate(
            step.instants(clock.started_at, clock.due_at, target.calendar, clock.pauses), 1
        ):
            if instant > now or (step.after is not None and n == 1):
                timers.append(
                    NewTimer(
                        kind="step",
                        key=f"{clock.timer_key}.{number}",
                        due_at=instant,
                        data=data,
                        n=n,
                    )
                )
    return timers
