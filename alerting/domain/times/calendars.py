"""Working time: when a calendar is open, how much of it lies between two instants, and when so much
is used up.

A calendar is open at an instant when its wall clock there shows a time within one of the day's
periods. So a period over the hour that clocks leave out in spring is shorter, and one over the hour
they repeat in autumn is longer. Everything is computed in whole microseconds of UTC, from the
calendar alone: anybody can check it minute by minute.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from alerting.domain.errors import Invalid
from alerting.domain.times.spans import (
    EPOCH_DAY,
    HOUR,
    MINUTE,
    SECOND,
    Span,
    Year,
    instant_of,
    joined,
    made,
    micros,
    moment_of,
    year_of,
)

Period = tuple[int, int]
"""From and to in minutes after midnight on the wall clock; 1440 is the end of the day."""


WHOLE_DAY: tuple[Period, ...] = ((0, 1440),)

HORIZON = 100
"""Years that are searched for working time before a calendar counts as closed for ever."""


_PROBED = 6 * HOUR
"""No clock has ever been changed twice within this time."""


class NeverOpen(Invalid):
    """The working time asked for does not come within `HORIZON` years."""


class DaysOff(Protocol):
    """Days that come again every year, or in some: public holidays, or those of an iCal file."""

    def of_year(self, year: int) -> frozenset[date]:
        """The days of one year."""


@dataclass(frozen=True, kw_only=True)
class PublicHolidays:
    """The public holidays of a country, or of a part of it, as the package `holidays` knows
    them.
    """

    country: str
    subdivision: str | None = None

    def of_year(self, year: int) -> frozenset[date]:
        """The days of one year. Raises NotImplementedError for a country that is not known."""
        import holidays  # a tenth of a second that few processes ever need

        return frozenset(
            holidays.country_holidays(self.country, subdiv=self.subdivision, years=year)
        )


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """When work is done. `closed` and `closings` beat `short`, which beats holidays, which beat the
    week (Monday first).

    Years and days are worked out when they are first asked for, and kept.
    """

    name: str
    time_zone: str
    week: tuple[tuple[Period, ...], ...]
    holidays: DaysOff | None = None
    closed: frozenset[date] = frozenset()
    closings: tuple[DaysOff, ...] = ()
    short: Mapping[date, tuple[Period, ...]] = field(default_factory=dict)
    _years: dict[int, Year] = field(default_factory=dict, init=False, repr=False, compare=False)
    _days: dict[date, list[Span]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _ends: dict[tuple[date, int], datetime] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _off: dict[tuple[DaysOff, int], frozenset[date]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def periods_on(self, day: date) -> tuple[Period, ...]:
        """The periods of one day, as the wall clock shows them."""
        if day in self.closed or any(self._is_off(days, day) for days in self.closings):
            return ()
        if day in self.short:
            return self.short[day]
        if self.holidays is not None and self._is_off(self.holidays, day):
            return ()
        return self.week[day.weekday()]

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Working time from `start` on and before `end`; nothing where `end` is not later."""
        return timedelta(microseconds=self.open_between(micros(start), micros(end)))

    def add(self, start: datetime, amount: timedelta) -> datetime:
        """The earliest instant before which so much working time has passed since `start`: 18:00,
        not 09:00 of the next day. Raises NeverOpen.
        """
        return moment_of(self.instant_after(micros(start), amount // timedelta(microseconds=1)))

    def next_open(self, moment: datetime) -> datetime:
        """The moment itself where it is open, or the next opening. Raises NeverOpen."""
        return moment_of(self.instant_after(micros(moment), 1) - 1)

    def open_between(self, start: int, end: int) -> int:
        """Microseconds of working time between two instants in microseconds."""
        if end <= start:
            return 0
        first, last = year_of(start), year_of(end)
        found = self._year(last).before(end) - self._year(first).before(start)
        return found + sum(self._year(year).whole for year in range(first, last))

    def instant_after(self, start: int, amount: int) -> int:
        """The earliest instant before which `amount` microseconds were open since `start`. Raises
        NeverOpen.
        """
        if amount <= 0:
            return start
        first = year_of(start)
        used = amount + self._year(first).before(start)
        for year in range(first, min(first + HORIZON, 9999)):
            if used <= self._year(year).whole:
                return self._year(year).after(used)
            used -= self._year(year).whole
        raise NeverOpen(f"{self.name} is not open for so long within {HORIZON} years")

    def instant_before(self, end: int, amount: int) -> int:
        """The latest instant from which on so much is open until `end`."""
        if amount <= 0:
            return end
        last = year_of(end)
        left = self._year(last).before(end) - amount
        for year in range(last, max(last - HORIZON, 1), -1):
            if left >= 0:
                spans, until = self._year(year).spans, self._year(year).until
                at = bisect_right(until, left)
                return spans[at][1] - (until[at] - left)
            left += self._year(year - 1).whole
        raise NeverOpen(f"{self.name} was not open for so long within {HORIZON} years")

    def end_of_working_day(self, start: datetime, count: int) -> datetime:
        """The end of work on the `count`th working day after the day of `start`, which does not
        count. Raises NeverOpen.
        """
        first = start.astimezone(self.zone).date()
        found = self._ends.get((first, count))
        if found is None:
            spans = (self.spans_of(first + timedelta(days=n)) for n in range(1, HORIZON * 366))
            last = next(islice(filter(None, spans), count - 1, None), None)
            if last is None:
                raise NeverOpen(f"{self.name} has no such working day within {HORIZON} years")
            found = self._ends[first, count] = moment_of(last[-1][1])
        return found

    def spans_of(self, day: date) -> list[Span]:
        """When the calendar is open on one day of its own."""
        found = self._days.get(day)
        if found is None:
            begin = instant_of(day)
            around = (begin - 36 * HOUR, begin + 60 * HOUR)
            every = (
                span for segment in self._segments(*around) for span in self._open(day, *segment)
            )
            found = self._days[day] = joined(sorted(every))
        return found

    def _year(self, year: int) -> Year:
        found = self._years.get(year)
        if found is None:
            begin, end = instant_of(date(year, 1, 1)), instant_of(date(year + 1, 1, 1))
            found = self._years[year] = made(joined(sorted(self._spans(begin, end))))
        return found

    def _spans(self, begin: int, end: int) -> Iterator[Span]:
        for segment in self._segments(begin, end):
            since, until, offset = segment
            for number in range(
                (since + offset) // (24 * HOUR), (until + offset) // (24 * HOUR) + 1
            ):
                yield from self._open(EPOCH_DAY + timedelta(days=number), since, until, offset)

    def _open(self, day: date, since: int, until: int, offset: int) -> Iterator[Span]:
        """A day's periods within a stretch of time in which the wall clock differs from UTC by one
        offset.
        """
        midnight = instant_of(day) - offset
        for first, last in self.periods_on(day):
            begin, end = (
                max(since, midnight + first * MINUTE),
                min(until, midnight + last * MINUTE),
            )
            if begin < end:
                yield begin, end

    def _segments(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Stretches of time with one offset each: from, to, and the offset."""
        since, offset = begin, self._offset(begin)
        while begin < end:
            probed = min(begin + _PROBED, end)
            if self._offset(probed) != offset:
                low, high = begin, probed
                while high - low > SECOND:
                    middle = (low + high) // 2 // SECOND * SECOND
                    low, high = (middle, high) if self._offset(middle) == offset else (low, middle)
                yield since, high, offset
                since, offset = high, self._offset(high)
            begin = probed
        if since < end:
            yield since, end, offset

    def _offset(self, instant: int) -> int:
        found = moment_of(instant).astimezone(self.zone).utcoffset()
        assert found is not None, "a time in a zone has an offset"
        return found // timedelta(microseconds=1)

    def _is_off(self, days: DaysOff, day: date) -> bool:
        key = (days, day.year)
        if key not in self._off:
            self._off[key] = days.of_year(day.year)
        return day in self._off[key]


ALWAYS = Calendar(name="always", time_zone="UTC", week=(WHOLE_DAY,) * 7)


def is_ever_open(calendar: Calendar) -> bool:
    """Whether there is any day of work, in the years of its own dates and in 28 others, after which
    weekdays repeat.
    """
    if any(calendar.periods_on(day) for day in calendar.short):
        return True
    begin = date(2020, 1, 1)
    return any(calendar.periods_on(begin + timedelta(days=n)) for n in range(28 * 366))
