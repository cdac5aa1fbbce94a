"""Calendars as files: closed days, iCal files, and each mistake at its place."""

from datetime import date

import pytest

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.calendar_files import read_calendars
from alerting.domain.times.calendars import Calendar
from tests.support.rulebook.calendars import BERLIN

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
