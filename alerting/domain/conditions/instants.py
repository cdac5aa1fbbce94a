"""Dates, times and intervals as PostgreSQL calculates with them in the time zone UTC. Where it
would raise: None.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import total_ordering

from alerting.domain.conditions.types import Type
from alerting.domain.errors import ConditionRefused

_DAY = 86_400_000_000
"""Microseconds."""


@total_ordering
@dataclass(frozen=True, eq=False)
class Interval:
    """Months, days and microseconds, kept apart: a month has no fixed length. Compared with 30 days
    to the month.
    """

    months: int = 0
    days: int = 0
    microseconds: int = 0

    @property
    def length(self) -> int:
        """Microseconds, as PostgreSQL compares them."""
        return (self.months * 30 + self.days) * _DAY + self.microseconds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Interval) and self.length == other.length

    def __lt__(self, other: "Interval") -> bool:
        return self.length < other.length

    def __hash__(self) -> int:
        return hash(self.length)

    def __neg__(self) -> "Interval":
        return Interval(-self.months, -self.days, -self.microseconds)

    def __add__(self, other: "Interval") -> "Interval":
        return Interval(
            self.months + other.months,
            self.days + other.days,
            self.microseconds + other.microseconds,
        )


_UNITS: tuple[tuple[str, Interval], ...] = (
    ("years?|yrs?|y", Interval(months=12)),
    ("months?|mons?", Interval(months=1)),
    ("weeks?|w", Interval(days=7)),
    ("days?|d", Interval(days=1)),
    ("hours?|hrs?|h", Interval(microseconds=3_600_000_000)),
    ("minutes?|mins?|m", Interval(microseconds=60_000_000)),
    ("seconds?|secs?|s", Interval(microseconds=1_000_000)),
)
_FORM = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*([a-z]+)")


def read_interval(text: str) -> Interval:
    """`7 days`, `-1 month`, `1.5 hours`; fractions only of weeks and shorter. Raises
    ConditionRefused.
    """
    form = _FORM.fullmatch(text.strip().lower())
    unit = next((unit for words, unit in _UNITS if form and re.fullmatch(words, form[2])), None)
    if form is None or unit is None:
        raise ConditionRefused(
            f"{text!r} is no interval", suggestion="write it as '7 days' or '12 hours'"
        )
    return _times(unit, Decimal(form[1]), text)


def _times(unit: Interval, number: Decimal, text: str) -> Interval:
    if number == int(number):
        whole = int(number)
        return Interval(unit.months * whole, unit.days * whole, unit.microseconds * whole)
    if unit.months:
        raise ConditionRefused(f"{text!r}: a month has no fractions", suggestion="write it in days")
    return Interval(microseconds=int((unit.days * _DAY + unit.microseconds) * number))


def read_moment(text: str, kind: Type) -> date | datetime:
    """A date or a time (without a zone: UTC) as ISO 8601 writes it. Raises ConditionRefused."""
    try:
        if kind is Type.DATE and re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
            return date.fromisoformat(text.strip())
        if kind is Type.TIME and re.match(r"\d{4}-\d\d-\d\d", text.strip()):
            found = datetime.fromisoformat(text.strip())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    form = "2026-03-06" if kind is Type.DATE else "2026-03-06 08:30Z"
    raise ConditionRefused(f"{text!r} is no {kind.value}", suggestion=f"write it as '{form}'")


def at_midnight(day: date) -> datetime:
    """A date where a time is wanted."""
    return datetime.combine(day, time(), UTC)


def day_of(moment: datetime) -> date:
    """The day in UTC."""
    return moment.astimezone(UTC).date()


def _shift(moment: datetime, by: Interval) -> datetime | None:
    try:
        month = moment.year * 12 + moment.month - 1 + by.months
        year, index = divmod(month, 12)
        day = min(moment.day, monthrange(year, index + 1)[1])
        moved = moment.replace(year=year, month=index + 1, day=day)
        return moved + timedelta(days=by.days, microseconds=by.microseconds)
    except (OverflowError, ValueError):
        return None


def _shift_days(day: date, by: int) -> date | None:
    try:
        return day + timedelta(days=by)
    except OverflowError:
        return None


def _between(later: datetime, earlier: datetime) -> Interval:
    apart = later - earlier
    return Interval(days=apart.days, microseconds=apart.seconds * 1_000_000 + apart.microseconds)


Calculate = Callable[..., object]
"""Of two values, whose types the table says beside it."""

SUMS: dict[tuple[Type, Type], tuple[Type, Calculate]] = {
    (Type.TIME, Type.INTERVAL): (Type.TIME, _shift),
    (Type.INTERVAL, Type.TIME): (Type.TIME, lambda by, moment: _shift(moment, by)),
    (Type.DATE, Type.INTERVAL): (Type.TIME, lambda day, by: _shift(at_midnight(day), by)),
    (Type.INTERVAL, Type.DATE): (Type.TIME, lambda by, day: _shift(at_midnight(day), by)),
    (Type.DATE, Type.BIGINT): (Type.DATE, _shift_days),
    (Type.BIGINT, Type.DATE): (Type.DATE, lambda by, day: _shift_days(day, by)),
    (Type.INTERVAL, Type.INTERVAL): (Type.INTERVAL, lambda a, b: a + b),
}
"""Types of both sides of `+` -> type and calculation of the sum."""

DIFFERENCES: dict[tuple[Type, Type], tuple[Type, Calculate]] = {
    (Type.TIME, Type.INTERVAL): (Type.TIME, lambda moment, by: _shift(moment, -by)),
    (Type.DATE, Type.INTERVAL): (Type.TIME, lambda day, by: _shift(at_midnight(day), -by)),
    (Type.DATE, Type.BIGINT): (Type.DATE, lambda day, by: _shift_days(day, -by)),
    (Type.DATE, Type.DATE): (Type.BIGINT, lambda later, earlier: (later - earlier).days),
    (Type.TIME, Type.TIME): (Type.INTERVAL, _between),
    (Type.TIME, Type.DATE): (
        Type.INTERVAL,
        lambda later, earlier: _between(later, at_midnight(earlier)),
    ),
    (Type.DATE, Type.TIME): (
        Type.INTERVAL,
        lambda later, earlier: _between(at_midnight(later), earlier),
    ),
    (Type.INTERVAL, Type.INTERVAL): (Type.INTERVAL, lambda a, b: a + -b),
}
"""The same for `-`."""
