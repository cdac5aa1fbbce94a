"""Targets of promises, and the time that counts towards them: working time without what was paused,
and felt time.

Pauses are half-open stretches of time; where they overlap they count once. One without an end lasts
until further notice.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from alerting.domain.times.calendars import ALWAYS, Calendar
from alerting.domain.times.spans import Span, joined, micros, moment_of

Pause = tuple[datetime, datetime | None]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LENGTH = re.compile(r"([0-9]{1,1000})\s*([smhd])")
_WORKING_DAYS = re.compile(r"([0-9]{1,1000})\s*working days?")
LONGEST_DAYS = 3660
"""Nobody promises anything for longer."""
_FOR_EVER = micros(datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True, kw_only=True)
class Amount:
    """How much is promised: so much working time, or until the end of so many working days after
    the day of the start.
    """

    length: timedelta | None = None
    working_days: int | None = None

    def __str__(self) -> str:
        if self.length is None:
            return f"{self.working_days} working day{'s' if self.working_days != 1 else ''}"
        seconds = int(self.length.total_seconds())
        unit = next(unit for unit in "hms" if seconds % _UNITS[unit] == 0)
        return f"{seconds // _UNITS[unit]}{unit}"


def read_amount(text: str, calendar: Calendar) -> Amount:
    """`30m`, `8h`, `3 working days`, or `2d` where every day has 24 hours of working time. Raises
    ValueError.
    """
    text, always = text.strip(), calendar.name == ALWAYS.name
    if found := _WORKING_DAYS.fullmatch(text):
        if always:
            raise ValueError(
                f"{text!r}: {calendar.name} is open all the time and has no working days; write "
                f"{found[1]}d"
            )
        if not int(found[1]):
            raise ValueError(f"{text!r} is over before it begins; write 1 working day")
        return _capped(text)
    if found := _LENGTH.fullmatch(text):
        if found[2] == "d" and not always:
            raise ValueError(
                f"{text!r}: a day of {calendar.name} has no length; write {found[1]} working days, "
                "or hours"
            )
        return _capped(text)
    forms = "30m, 24h or 7d" if always else "30m, 8h or 3 working days"
    raise ValueError(f"{text!r} is not a target; write {forms}")


def check_amount(text: str) -> str:
    """Checks the form alone, where nobody knows the calendar yet. Raises ValueError."""
    if not (_WORKING_DAYS.fullmatch(text.strip()) or _LENGTH.fullmatch(text.strip())):
        raise ValueError(f"{text!r} is not a target; write 8h, 2d or 3 working days")
    if _capped(text.strip()) in (Amount(working_days=0), Amount(length=timedelta(0))):
        raise ValueError(f"{text!r} is no time at all")
    return text


def _capped(text: str) -> Amount:
    """What a text of the right form means. Raises ValueError beyond ten years."""
    found = _LENGTH.fullmatch(text)
    days = int(found[1]) * _UNITS[found[2]] / 86_400 if found else int(text.split("w")[0])
    if days > LONGEST_DAYS:
        raise ValueError(f"{text!r} is longer than ten years")
    return stored_amount(text)


def stored_amount(text: str) -> Amount:
    """What `str` of an Amount wrote, or `check_amount` has checked."""
    if found := _WORKING_DAYS.fullmatch(text):
        return Amount(working_days=int(found[1]))
    return Amount(length=timedelta(seconds=int(text[:-1].strip()) * _UNITS[text[-1]]))


def due_instant(
    calendar: Calendar, start: datetime, amount: Amount, pauses: Iterable[Pause] = ()
) -> datetime | None:
    """The earliest instant at which the target is used up; None while a pause without an end lasts.
    Raises NeverOpen.

    Working days end with the last of them, later by the working time that was paused.
    """
    if amount.length is None:
        assert amount.working_days is not None, "an amount has one of the two"
        left = calendar.between(start, calendar.end_of_working_day(start, amount.working_days))
    else:
        left = amount.length
    instant, remaining = micros(start), left // timedelta(microseconds=1)
    for begin, end in _spans(pauses, instant, _FOR_EVER):
        free = calendar.open_between(instant, begin)
        if remaining <= free:
            break
        if end == _FOR_EVER:
            return None
        instant, remaining = end, remaining - free
    return moment_of(calendar.instant_after(instant, remaining))


def instant_before(
    calendar: Calendar, due: datetime, length: timedelta, pauses: Iterable[Pause] = ()
) -> datetime:
    """The latest instant from which so much working time is left until the due instant. Raises
    NeverOpen.
    """
    instant, remaining = micros(due), length // timedelta(microseconds=1)
    for begin, end in reversed(_spans(pauses, 0, instant)):
        free = calendar.open_between(end, instant)
        if remaining <= free:
            break
        instant, remaining = begin, remaining - free
    return moment_of(calendar.instant_before(instant, remaining))


def share_instant(
    calendar: Calendar,
    start: datetime,
    due: datetime,
    share: Fraction,
    pauses: Iterable[Pause] = (),
) -> datetime:
    """When a share of the working time until the due instant is used up."""
    held = list(pauses)
    used = working_time(calendar, start, due, held) * share.numerator / share.denominator
    found = due_instant(calendar, start, Amount(length=used), held)
    assert found is not None, "what ends by then has a share that ends by then"
    return found


def working_time(
    calendar: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()
) -> timedelta:
    """Working time from `start` on and before `end`, without what was paused."""
    since, until = micros(start), micros(end)
    paused = sum(calendar.open_between(*span) for span in _spans(pauses, since, until))
    return timedelta(microseconds=calendar.open_between(since, until) - paused)


def _spans(pauses: Iterable[Pause], since: int, until: int) -> list[Span]:
    """The pauses within a stretch of time, in order, none of them overlapping or empty."""
    given = ((micros(begin), _FOR_EVER if end is None else micros(end)) for begin, end in pauses)
    cut = ((max(begin, since), min(end, until)) for begin, end in given)
    return joined(sorted(span for span in cut if span[0] < span[1]))
