"""Working time, against a computation that asks a wall clock minute by minute and knows nothing of
ours.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.domain.times.calendars import ALWAYS, Calendar, NeverOpen, PublicHolidays
from alerting.domain.times.working_time import (
    Amount,
    due_instant,
    instant_before,
    read_amount,
    share_instant,
    working_time,
)
from tests.support.builders import LONG, unhurried

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


YEARS = 3 if LONG > 1 else 1


MINUTE = timedelta(minutes=1)


OFFICE = {**dict.fromkeys(range(4), ("09:00-12:30", "13:15-18:00")), 4: ("09:00-15:00",)}


NIGHT = dict.fromkeys(range(7), ("00:00-03:30", "22:00-24:00"))


ODD = dict.fromkeys((1, 3, 5, 6), ("01:40-02:20", "02:45-23:59"))


ZONES = {
    "Europe/Berlin": ("DE", "BE"),
    "America/New_York": ("US", None),
    "America/St_Johns": ("CA", "NL"),
    "America/Santiago": ("CL", None),  # the clock changes at midnight
    "Asia/Beirut": None,
    "Asia/Kathmandu": None,
    "Africa/Casablanca": ("MA", None),
    "Australia/Lord_Howe": ("AU", "NSW"),  # by half an hour
    "Pacific/Chatham": ("NZ", None),
    "Pacific/Apia": None,
}


CLOSED, SHORT = (
    {date(2025, 12, 24), date(2025, 4, 22)},
    {date(2025, 12, 23): ("09:00-12:00",), date(2025, 4, 20): ("10:00-11:00",)},
)


WEEKS = (OFFICE, NIGHT, ODD)


KINDS = [
    (zone, week)
    for n, zone in enumerate(ZONES)
    for week in (WEEKS if LONG > 1 else WEEKS[n % 3 : n % 3 + 1])
]


def minutes(text: str) -> tuple[int, int]:
    begin, end = text.split("-")
    return tuple(int(at[:2]) * 60 + int(at[3:]) for at in (begin, end))  # type: ignore[return-value]


@cache
def calendar(kind: int) -> Calendar:
    zone, week = KINDS[kind]
    known = ZONES[zone]
    return Calendar(
        name=zone,
        time_zone=zone,
        week=tuple(tuple(minutes(text) for text in week.get(day, ())) for day in range(7)),
        holidays=PublicHolidays(country=known[0], subdivision=known[1]) if known else None,
        closed=frozenset(CLOSED),
        short={day: tuple(map(minutes, texts)) for day, texts in SHORT.items()},
    )


@cache
def minutes_of_day(texts: tuple[str, ...]) -> bytes:
    """For each minute by the clock on the wall whether it lies in one of the periods."""
    spans = [minutes(text) for text in texts]
    return bytes(any(begin <= at < end for begin, end in spans) for at in range(1440))


@cache
def open_minutes(kind: int) -> bytes:
    """For each minute from BEGIN on whether work is done. Clocks are changed on the quarter of an
    hour alone.
    """
    zone_name, week = KINDS[kind]
    zone, known = ZoneInfo(zone_name), ZONES[zone_name]
    off: Any = holidays.country_holidays(known[0], subdiv=known[1]) if known else {}
    days: dict[date, bytes] = {}
    found = bytearray()
    for quarter in range(YEARS * 366 * 96 + 96 * 400):
        local = (BEGIN + quarter * 15 * MINUTE).astimezone(zone)
        day = local.date()
        if day not in days:
            texts: Sequence[str] = SHORT.get(day, () if day in off else week.get(day.weekday(), ()))
            days[day] = minutes_of_day(() if day in CLOSED else tuple(texts))
        at = local.hour * 60 + local.minute
        found += days[day][at : at + 15]
    return bytes(found)


def walked(kind: int, start: int, target: int, pauses: list[tuple[int, int]]) -> int:
    """The minute before which the target is used up, by counting."""
    counts = open_minutes(kind)
    paused = {at for begin, end in pauses for at in range(begin, end)}
    at = start
    while target:
        target -= counts[at] and at not in paused
        at += 1
    return at


def instant(minute: int) -> datetime:
    return BEGIN + minute * MINUTE


STARTS = st.integers(0, YEARS * 365 * 1440)


PAUSES = st.lists(st.tuples(st.integers(-600, 20_000), st.integers(0, 5_000)), max_size=3)


CASES = st.lists(st.tuples(STARTS, st.integers(1, 2_400), PAUSES), min_size=6, max_size=6)


def test_due_instants_are_those_of_a_minute_by_minute_count() -> None:
    counted = [0]

    @settings(unhurried, max_examples=600 * LONG)
    @given(st.integers(0, len(KINDS) - 1), CASES)
    def the_same(kind: int, cases: list[tuple[int, int, list[tuple[int, int]]]]) -> None:
        for start, target, drawn in cases:
            pauses = [(start + begin, start + begin + length) for begin, length in drawn]
            held = [(instant(begin), instant(end)) for begin, end in pauses]
            due = due_instant(calendar(kind), instant(start), Amount(length=target * MINUTE), held)
            assert due == instant(walked(kind, start, target, pauses))
            assert working_time(calendar(kind), instant(start), due, held) == target * MINUTE
            counted[0] += 1

    the_same()
    print(
        f"due instants: {counted[0]} counted minute by minute, {len(ZONES)} zones, {YEARS} years: "
        "no difference"
    )


@settings(unhurried, max_examples=200 * LONG)
@given(st.integers(0, len(KINDS) - 1), STARTS, st.integers(0, 20_000), PAUSES)
def test_working_time_is_that_of_a_minute_by_minute_count(
    kind: int, start: int, length: int, drawn: list[tuple[int, int]]
) -> None:
    pauses = [(start + begin, start + begin + long) for begin, long in drawn]
    counts = open_minutes(kind)
    expected = sum(
        counts[at] and not any(begin <= at < end for begin, end in pauses)
        for at in range(start, start + length)
    )
    held = [(instant(begin), instant(end)) for begin, end in pauses]
    assert (
        working_time(calendar(kind), instant(start), instant(start + length), held)
        == expected * MINUTE
    )


@settings(unhurried, max_examples=200 * LONG)
@given(
    st.integers(0, len(KINDS) - 1),
    STARTS,
    st.integers(1, 4),
    st.integers(0, 3_000),
    st.integers(0, 900),
)
def test_working_days_end_with_the_last_one_later_by_what_was_paused(
    kind: int, start: int, count: int, after: int, length: int
) -> None:
    """A pause that is over by the end of the last day, so that it can be added by hand."""
    zone = calendar(kind).zone
    counts, day = open_minutes(kind), instant(start).astimezone(zone).date()
    ends: dict[date, int] = {}
    at = start
    while len(ends) <= count:
        if counts[at] and (local := instant(at).astimezone(zone).date()) > day:
            ends[local] = at + 1
        at += 1
    last = list(ends.values())[count - 1]
    amount = Amount(working_days=count)
    assert due_instant(calendar(kind), instant(start), amount) == instant(last)
    begin, end = start + after, start + after + length
    if end <= last:
        paused = sum(counts[begin:end])
        expected = instant(walked(kind, last, paused, []))
        assert (
            due_instant(calendar(kind), instant(start), amount, [(instant(begin), instant(end))])
            == expected
        )


@settings(unhurried, max_examples=300)
@given(
    st.integers(0, len(KINDS) - 1), STARTS, st.timedeltas(timedelta(0), timedelta(days=9)), PAUSES
)
def test_there_and_back(
    kind: int, start: int, length: timedelta, drawn: list[tuple[int, int]]
) -> None:
    """To the microsecond, and over many years."""
    begin, found = instant(start) + timedelta(microseconds=start % 999_983), calendar(kind)
    assert found.between(begin, found.add(begin, length)) == length
    held = [(instant(start + at), instant(start + at + long)) for at, long in drawn]
    due = due_instant(found, begin, Amount(length=length), held)
    assert due is not None
    latest = instant_before(found, due, length, held)
    assert working_time(found, latest, due, held) == length
    assert working_time(found, begin, latest, held) == timedelta(0)
    half = share_instant(found, begin, due, Fraction(1, 2), held)
    assert working_time(found, begin, half, held) == length / 2 or length.microseconds % 2


def test_a_target_is_used_up_at_the_end_of_the_day_not_at_the_beginning_of_the_next() -> None:
    berlin = calendar(KINDS.index(("Europe/Berlin", OFFICE)))
    monday = datetime(2025, 3, 3, 8, 0, tzinfo=UTC)
    assert due_instant(berlin, monday, Amount(length=timedelta(hours=8, minutes=15))) == datetime(
        2025, 3, 3, 17, 0, tzinfo=UTC
    )
    assert due_instant(berlin, monday, Amount(length=timedelta(0))) == monday
    resting = [(datetime(2025, 3, 3, 10, 0, tzinfo=UTC), None)]
    assert due_instant(berlin, monday, Amount(length=timedelta(hours=3)), resting) is None
    assert due_instant(berlin, monday, Amount(length=timedelta(hours=2)), resting) == datetime(
        2025, 3, 3, 10, 0, tzinfo=UTC
    )


def test_always_is_elapsed_time() -> None:
    moment = datetime(2025, 3, 29, 23, 30, 0, 1, tzinfo=UTC)
    assert ALWAYS.add(moment, timedelta(days=400)) == moment + timedelta(days=400)
    nonstop = Calendar(name="nonstop", time_zone="UTC", week=ALWAYS.week)
    assert due_instant(nonstop, moment, read_amount("2 working days", nonstop)) == datetime(
        2025, 4, 1, tzinfo=UTC
    )


def test_a_calendar_that_stays_closed_says_so() -> None:
    once = Calendar(
        name="once", time_zone="UTC", week=((),) * 7, short={date(2025, 1, 2): ((600, 660),)}
    )
    assert once.add(BEGIN, timedelta(hours=1)) == datetime(2025, 1, 2, 11, tzinfo=UTC)
    with pytest.raises(NeverOpen, match="once is not open for so long within 100 years"):
        once.add(BEGIN, timedelta(hours=2))
    with pytest.raises(NeverOpen):
        once.end_of_working_day(datetime(2025, 1, 2, tzinfo=UTC), 1)
