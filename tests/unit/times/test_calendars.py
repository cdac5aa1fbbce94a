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

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.calendar_files import read_calendars
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
            spans = [] if day in CLOSED else [minutes(text) for text in texts]
            days[day] = bytes(any(begin <= at < end for begin, end in spans) for at in range(1440))
        at = local.hour * 60 + local.minute
        found += days[day][at : at + 15]
    return bytes(found)


def walked(kind: int, start: int, target: int, pauses: list[tuple[int, int]]) -> int:
    """The minute before which the target is used up, by counting."""
    counts = open_minutes(kind)
    at = start
    while target:
        target -= counts[at] and not any(begin <= at < end for begin, end in pauses)
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


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("480m", "berlin", Amount(length=timedelta(hours=8))),
        ("8h", "berlin", Amount(length=timedelta(hours=8))),
        ("90 s", "berlin", Amount(length=timedelta(seconds=90))),
        ("3 working days", "berlin", Amount(working_days=3)),
        ("1 working day", "berlin", Amount(working_days=1)),
        ("2d", "always", Amount(length=timedelta(days=2))),
        ("2d", "berlin", "a day of berlin has no length; write 2 working days, or hours"),
        ("2 working days", "always", "has no working days; write 2d"),
        ("0 working days", "berlin", "write 1 working day"),
        ("1.5h", "berlin", "is not a target; write 30m, 8h or 3 working days"),
        ("-2h", "always", "is not a target; write 30m, 24h or 7d"),
    ],
)
def test_targets_as_they_are_written(text: str, name: str, found: Amount | str) -> None:
    on = (
        ALWAYS
        if name == "always"
        else Calendar(name=name, time_zone="UTC", week=(((540, 1020),),) * 7)
    )
    if isinstance(found, str):
        with pytest.raises(ValueError, match=found):
            read_amount(text, on)
    else:
        assert read_amount(text, on) == found
        assert read_amount(str(found), on) == found


# rules/calendars.yaml

BERLIN = """berlin: {time_zone: Europe/Berlin, hours: {mon-thu: ["09:00-12:30", "13:15-18:00"], fri: ["09:00-15:00"]},
  holidays: {country: DE, subdivision: BE}, closed: [2026-12-24], short: {2026-12-23: ["09:00-12:00"]}}
"""  # noqa: E501
CLOSURES = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//sample//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20250804
DTEND;VALUE=DATE:20250806
RRULE:FREQ=YEARLY
SUMMARY:Works holiday
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
DTSTART:20260810T080000Z
DTEND:20260810T100000Z
SUMMARY:Fire drill
END:VEVENT
END:VCALENDAR
"""


def read(text: str, **more: str) -> tuple[dict[str, Calendar], Findings]:
    findings = Findings()
    files = {
        "rules/calendars.yaml": text,
        **{f"rules/{name}.ics": ical for name, ical in more.items()},
    }
    return read_calendars(files, findings) or {}, findings


def test_closed_beats_short_beats_holidays_beats_the_week() -> None:
    found, findings = read(
        BERLIN.replace("closed: [2026-12-24]", "closed: [2026-12-24, 2026-12-22]").replace(
            "short: {", 'short: {2026-12-22: ["09:00-10:00"], 2026-12-25: ["10:00-11:00"], '
        )
    )
    assert findings.problems == [] and set(found) == {"always", "berlin"}
    day = found["berlin"].periods_on
    assert day(date(2026, 12, 21)) == ((540, 750), (795, 1080))
    assert day(date(2026, 12, 22)) == day(date(2026, 12, 24)) == ()
    assert day(date(2026, 12, 23)) == ((540, 720),)
    assert day(date(2026, 12, 25)) == ((600, 660),)  # a short day on a holiday
    assert day(date(2026, 3, 6)) == ((540, 900),)
    assert day(date(2027, 3, 8)) == ()  # Women's Day, in Berlin alone
    assert day(date(2026, 3, 7)) == ()


def test_an_ical_file_closes_its_whole_days_every_year() -> None:
    text = BERLIN.replace("closed:", "ical: works.ics, closed:")
    found, findings = read(text, works=CLOSURES)
    assert findings.problems == []
    assert [str(w) for w in findings.warnings] == [
        "rules/calendars.yaml:2:45: works.ics has 1 event with times of day, which closes nothing "
        "(only whole days do; write `short:`)"
    ]
    for year in (2025, 2026, 2031):
        open_days = [d for d in range(3, 9) if found["berlin"].periods_on(date(year, 8, d))]
        assert 4 not in open_days and 5 not in open_days
    assert found["berlin"].periods_on(date(2026, 8, 6))
    assert found["berlin"].periods_on(date(2026, 8, 10))
    assert "no iCal file is called 'work.ics' (did you mean 'works.ics'?)" in str(
        read(text.replace("works", "work"), works=CLOSURES)[1].problems[0]
    )
    assert "works.ics is no iCal file" in str(read(text, works="nonsense")[1].problems[0])


def event(*lines: str) -> str:
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{lines[0]}", "SUMMARY:Stocktaking", *lines, "END:VEVENT"]
    )


def test_what_was_cancelled_closes_no_day_and_a_mark_at_the_begin_is_no_fault() -> None:
    ical = "\r\n".join(
        [
            "\ufeffBEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//x//y//EN",
            event("DTSTART;VALUE=DATE:20260309", "STATUS:CANCELLED"),
            event("DTSTART;VALUE=DATE:20260310", "STATUS:CONFIRMED"),
            event("DTSTART:20260311T090000Z", "STATUS:CANCELLED"),
            "END:VCALENDAR",
            "",
        ]
    )
    found, findings = read(BERLIN.replace("closed:", "ical: works.ics, closed:"), works=ical)
    assert found is not None and (findings.problems, findings.warnings) == ([], [])
    assert [bool(found["berlin"].periods_on(date(2026, 3, day))) for day in (9, 10, 11)] == [
        True,
        False,
        True,
    ]


def test_an_event_that_ends_before_it_begins_is_named() -> None:
    wrong = event("DTSTART;VALUE=DATE:20300309", "DTEND;VALUE=DATE:20300301")
    ical = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{wrong}\r\nEND:VCALENDAR\r\n"
    (problem,) = read(BERLIN.replace("closed:", "ical: works.ics, closed:"), works=ical)[1].problems
    assert (
        "works.ics: 'Stocktaking' begins on 2030-03-09 and ends on 2030-03-01 (mend its DTEND"
        in str(problem)
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Europe/Berlin", "Europe/Berln", ":1:10: 'Europe/Berln' is not a time zone"),
        ("mon-thu", "mon-tho", ":1:44: 'mon-tho' are no days; write mon, mon-fri or mon,wed"),
        (
            "mon-thu",
            "mon,tue",
            """:1:44: has no hours; write [09:00-17:30], and quote several days within braces: "mon,wed\"""",  # noqa: E501
        ),
        ("mon-thu", "thu-mon", ":1:44: 'thu-mon' goes over the end of the week"),
        ("fri:", "thu:", ":1:36: thu has hours twice"),
        ('"13:15-18:00"', '"12:15-18:00"', "two periods overlap"),
        (
            '"13:15-18:00"',
            '"22:00-06:00"',
            "ends before it begins; work over midnight is 22:00-24:00 and 00:00-06:00",
        ),
        ('"13:15-18:00"', '"1:15-18:00"', "'1:15-18:00' is no period; write 09:00-17:30"),
        ('"13:15-18:00"', '"13:15-24:30"', "is no period"),
        ("country: DE", "country: DD", "no public holidays are known of 'DD'"),
        ("subdivision: BE", "subdivision: XX", "DE has no part 'XX'; known are BB, BE"),
        ("2026-12-24", "2026-12-34", "must be a day of the calendar"),
        ("2026-12-23", "2026-13-23", "must be a day of the calendar"),
        ("berlin:", "always:", ":1:1: `always` is open all the time"),
        ("closed:", "close:", "unknown key 'close' (did you mean 'closed'?)"),
    ],
)
def test_each_mistake_in_a_calendar_is_found_at_its_place(old: str, new: str, said: str) -> None:
    (problem,) = read(BERLIN.replace(old, new, 1))[1].problems
    assert said in str(problem)


@pytest.mark.parametrize("hours", ["{}", "{mon-fri: []}"])
def test_a_calendar_that_never_opens_is_an_error(hours: str) -> None:
    (problem,) = read(f"shut: {{time_zone: UTC, hours: {hours}}}\n")[1].problems
    assert "rules/calendars.yaml:1:1: shut never opens" in str(problem)


def test_one_mistake_does_not_hide_another() -> None:
    problems = read(
        BERLIN.replace("mon-thu", "mon-tho").replace("DE", "DD") + "other: {time_zone: Mars/One}\n"
    )[1].problems
    assert len(problems) == 3
