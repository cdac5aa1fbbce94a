"""Stretches of time in whole microseconds of UTC, and how much of a year they make up."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

Span = tuple[int, int]
"""From and to in microseconds after 1970 in UTC, the end not included."""

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)


def micros(moment: datetime) -> int:
    """Microseconds after 1970 in UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(instant: int) -> datetime:
    """The time of an instant in microseconds, in UTC."""
    return _EPOCH + timedelta(microseconds=instant)


def instant_of(day: date) -> int:
    """The beginning of a day in UTC, in microseconds."""
    return (day - EPOCH_DAY).days * 24 * HOUR


_NEW_YEARS = [instant_of(date(year, 1, 1)) for year in range(1, 10_000)]


def year_of(instant: int) -> int:
    """The year of UTC in which an instant lies."""
    return bisect_right(_NEW_YEARS, instant)


@dataclass(frozen=True, kw_only=True)
class Year:
    """The open spans of one year of UTC, in order, with the time that is open before the end of
    each.
    """

    spans: Sequence[Span]
    until: Sequence[int]

    @cached_property
    def begins(self) -> list[int]:
        return [begin for begin, _ in self.spans]

    @property
    def whole(self) -> int:
        return self.until[-1] if self.until else 0

    def before(self, instant: int) -> int:
        """Open time of this year before an instant."""
        at = bisect_right(self.begins, instant) - 1
        if at < 0:
            return 0
        begin, end = self.spans[at]
        return self.until[at] - max(0, end - max(instant, begin))

    def after(self, used: int) -> int:
        """The earliest instant before which so much of this year was open; there is that much."""
        at = bisect_left(self.until, used)
        return self.spans[at][1] - (self.until[at] - used)


def made(spans: Sequence[Span]) -> Year:
    """A year of these open spans, which are in order and do not touch."""
    until, whole = [], 0
    for begin, end in spans:
        whole += end - begin
        until.append(whole)
    return Year(spans=spans, until=until)


def joined(spans: Sequence[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap made one."""
    found: list[Span] = []
    for begin, end in spans:
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found
