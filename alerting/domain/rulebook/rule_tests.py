"""A rule test: customers, what happens to them, and what must come of it. Whether it did is decided
here, purely.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from alerting.domain.times.durations import parse_duration

BEGIN = datetime.fromisoformat("2026-03-06T08:30:00+00:00")
"""When a test begins that does not say: a Friday morning. The real date plays no part."""

Kind = Literal["alert", "mail", "missed"]
Deed = Literal["acknowledge", "contact", "hand_over", "wait", "go_on", "fixed"]


def default_begin(go_live: datetime) -> datetime:
    """BEGIN, or the first such hour after `go_live` where that is later: before it nothing rings,
    and no test would say much.
    """
    if go_live <= BEGIN or go_live.year > 9900:  # somebody means never
        return BEGIN
    same_day = datetime.combine(go_live.astimezone(UTC), BEGIN.timetz())
    return same_day if same_day >= go_live else same_day + timedelta(days=1)


def parse_offset(text: str) -> timedelta:
    """`2h`, or several parts: `5d 14h 24m`. Raises ValueError that shows the right form."""
    parts = re.split(r"(?<=[smhd])\s+(?=\d)", text.strip())
    return sum((parse_duration(part) for part in parts), timedelta(0))


def format_offset(offset: timedelta) -> str:
    """Whole minutes, as `parse_offset` reads them: what a report shows can be copied into a
    test.
    """
    minutes = minute_of(offset)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [
        f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "m")) if number
    ]
    return " ".join(parts) or "0m"


def minute_of(offset: timedelta) -> int:
    """Times are compared by the minute: the clock ticks on by milliseconds while a test is
    played.
    """
    return offset // timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the files something stands."""

    file: str
    line: int | None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An event that arrives, and happened, at an offset from the begin."""

    at: timedelta
    type: str
    data: Mapping[str, object]
    place: Place


@dataclass(frozen=True, kw_only=True)
class Response:
    """What a person does about a case. `by` and `to` name a role or a person; `customer` None is
    the only one with a case.
    """

    at: timedelta
    does: Deed
    by: str
    to: str | None
    outcome: str
    note: str
    waiting_for: str
    customer: str | None
    place: Place


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One line of `expect`. Filters that are None let everything pass; `never` turns it round:
    nothing may match.

    `what` is the rule of an alert, the template of a mail, the clock of a miss.
    """

    kind: Kind
    never: bool
    what: str | None
    to: str | None
    customer: str | None
    at: timedelta | None
    place: Place

    def matches(self, happening: "Happening") -> bool:
        return (
            self.kind == happening.kind
            and self.what in {None, happening.what}
            and (self.to is None or self.to in happening.names)
            and self.customer in {None, happening.customer}
            and (self.at is None or minute_of(self.at) == minute_of(happening.at))
        )

    def __str__(self) -> str:
        what = f" {self.what}" if self.what else ""
        to = f" to {self.to}" if self.to else ""
        customer = f" for {self.customer}" if self.customer else ""
        at = f" at {format_offset(self.at)}" if self.at is not None else ""
        return f"{'no ' if self.never else ''}{self.kind}{what}{to}{customer}{at}"


@dataclass(frozen=True, kw_only=True)
class Happening:
    """An alert that rang, a mail that was sent or a promise that was missed, as an offset from the
    begin.

    `names` are what a mail's recipient answers to: roles held for this customer, and the person's
    id unless a role of that name exists.
    """

    at: timedelta
    kind: Kind
    what: str
    customer: str
    to: str | None = None
    names: frozenset[str] = frozenset()

    def __str__(self) -> str:
        to = f" to {self.to}" if self.to else ""
        return f"{format_offset(self.at)}: {self.kind} {self.what}{to} for {self.customer}"


@dataclass(frozen=True, kw_only=True)
class RuleTest:
    """One test as written. `only`: what is not expected must not happen."""

    name: str
    place: Place
    begin: datetime
    customers: Sequence[Mapping[str, object]]
    timeline: Sequence[Arrival | Response]
    until: timedelta
    expect: Sequence[Expected]
    only: bool

    @property
    def end(self) -> timedelta:
        """Until when the clocks run."""
        return max([self.until, *(item.at for item in self.timeline)])


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that went wrong on the way; the test fails, whatever else happened. `place` None:
    the whole test's.
    """

    message: str
    place: Place | None = None


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of a test's timeline, in the order of time. `remarks` explain what did not
    happen.
    """

    happened: Sequence[Happening]
    faults: Sequence[Fault] = ()
    remarks: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class TestResult:
    """How a test ended: what was expected in vain, what came that must not come, and what went
    wrong.
    """

    test: RuleTest
    played: Played
    missing: Sequence[Expected]
    forbidden: Sequence[tuple[Expected, Happening]]
    surplus: Sequence[Happening]

    @property
    def passed(self) -> bool:
        return not (self.missing or self.forbidden or self.surplus or self.played.faults)


def judge_test(test: RuleTest, played: Played) -> TestResult:
    """Match each expectation with a happening of its own, as many as can be, and say what is left
    on either side.
    """
    wanted = [expected for expected in test.expect if not expected.never]
    met = _pairs(wanted, played.happened)
    every = list(enumerate(played.happened))
    never = [expected for expected in test.expect if expected.never]
    tried = [(expected, *one) for expected in never for one in every]
    forbidden = [(e, number) for e, number, happening in tried if e.matches(happening)]
    taken = {*met.values(), *(number for _, number in forbidden)}
    return TestResult(
        test=test,
        played=played,
        missing=[expected for number, expected in enumerate(wanted) if number not in met],
        forbidden=[(expected, played.happened[number]) for expected, number in forbidden],
        surplus=[happening for number, happening in every if test.only and number not in taken],
    )


def _pairs(wanted: Sequence[Expected], happened: Sequence[Happening]) -> dict[int, int]:
    """The largest matching, by augmenting paths (Kuhn): a wide filter gives way to a narrow one
    that has no other.
    """
    holder: dict[int, int] = {}

    def place(expectation: int, tried: set[int]) -> bool:
        for number, happening in enumerate(happened):
            if number in tried or not wanted[expectation].matches(happening):
                continue
            tried.add(number)
            if number not in holder or place(holder[number], tried):
                holder[number] = expectation
                return True
        return False

    for expectation in range(len(wanted)):
        place(expectation, set())
    return {expectation: number for number, expectation in holder.items()}
