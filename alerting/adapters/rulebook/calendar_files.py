"""rules/calendars.yaml and the iCal files it names: what a business may write of its working time,
and calendars of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator, Field, RootModel, model_validator

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import YamlFile
from alerting.adapters.rulebook.forms.values import Form, Identifier, listed
from alerting.domain.people.people import Zone
from alerting.domain.times.calendars import ALWAYS, Calendar, Period, PublicHolidays, is_ever_open
from alerting.domain.times.days import IsoDate

if TYPE_CHECKING:
    from icalendar import Component
    from recurring_ical_events import CalendarQuery

CALENDARS = "rules/calendars.yaml"

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_PERIOD = re.compile(r"(\d\d):([0-5]\d)\s*[-–]\s*(\d\d):([0-5]\d)")


def _period(text: object) -> Period:
    found = _PERIOD.fullmatch(str(text).strip())
    begin, end = (
        (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
        if found
        else (0, 0)
    )
    if found is None or end > 1440:
        raise ValueError(f"{str(text)!r} is no period; write 09:00-17:30")
    if begin >= end:
        raise ValueError(
            f"{str(text)!r} ends before it begins; work over midnight is 22:00-24:00 and "
            "00:00-06:00"
        )
    return begin, end


def _periods(value: object) -> tuple[Period, ...]:
    if value is None:
        raise ValueError(
            'has no hours; write [09:00-17:30], and quote several days within braces: "mon,wed"'
        )
    found = sorted(_period(text) for text in listed(value))
    for (_, end), (begin, _) in pairwise(found):
        if begin < end:
            raise ValueError("two periods overlap")
    return tuple(found)


def _days(text: str) -> str:
    """Checks `mon-thu` or `mon, wed`; which days they are says `_weekdays`."""
    for part in text.split(","):
        ends = [end.strip() for end in part.split("-")]
        wrong = next((end for end in ends if end not in DAYS), None)
        if wrong is not None or len(ends) > 2:
            raise ValueError(
                f"{text!r} are no days; write mon, mon-fri or mon,wed with {', '.join(DAYS)}"
            )
        if DAYS.index(ends[0]) > DAYS.index(ends[-1]):
            raise ValueError(f"{text!r} goes over the end of the week; write two entries")
    return text


def _weekdays(text: str) -> list[int]:
    ends = [[DAYS.index(end.strip()) for end in part.split("-")] for part in text.split(",")]
    return [day for end in ends for day in range(end[0], end[-1] + 1)]


def _each_day_once(hours: dict[str, tuple[Period, ...]]) -> dict[str, tuple[Period, ...]]:
    every = [day for days in hours for day in _weekdays(days)]
    twice = sorted({day for day in every if every.count(day) > 1})
    if twice:
        raise ValueError(f"{DAYS[twice[0]]} has hours twice; one entry for each day")
    return hours


Periods = Annotated[tuple[Period, ...], BeforeValidator(_periods)]


class HolidaysForm(Form):
    country: str
    subdivision: str | None = None

    @model_validator(mode="after")
    def _known(self) -> "HolidaysForm":
        import holidays  # see domain.calendars

        countries = holidays.list_supported_countries()
        if self.country not in countries:
            raise ValueError(
                f"no public holidays are known of {self.country!r}; write a country such as DE"
            )
        if self.subdivision is not None:
            try:
                holidays.country_holidays(self.country, subdiv=self.subdivision)
            except NotImplementedError as error:
                known = ", ".join(countries[self.country]) or "none"
                raise ValueError(
                    f"{self.country} has no part {self.subdivision!r}; known are {known}"
                ) from error
        return self


class CalendarForm(Form):
    time_zone: Zone
    hours: Annotated[
        dict[Annotated[str, AfterValidator(_days)], Periods], AfterValidator(_each_day_once)
    ] = Field(default_factory=dict)
    holidays: HolidaysForm | None = None
    closed: list[IsoDate] = Field(default_factory=list)
    short: dict[IsoDate, Periods] = Field(default_factory=dict)
    ical: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)

    def week(self) -> tuple[tuple[Period, ...], ...]:
        """The periods of each day, Monday first."""
        hours = {day: periods for days, periods in self.hours.items() for day in _weekdays(days)}
        return tuple(hours.get(day, ()) for day in range(7))


class CalendarsForm(RootModel[dict[Identifier, CalendarForm]]):
    """rules/calendars.yaml: calendars by name"""


@dataclass(frozen=True, kw_only=True)
class IcalDays:
    """The whole days of an iCal file, with those that come again; what was cancelled is none of
    them.
    """

    text: str

    @property
    def events(self) -> list["Component"]:
        return [event for event in self._calendar.walk("VEVENT") if not _is_cancelled(event)]

    @property
    def _calendar(self) -> "Component":
        import icalendar

        return icalendar.Calendar.from_ical(self.text.removeprefix("\ufeff"))

    @cached_property
    def _repeated(self) -> "CalendarQuery":
        import recurring_ical_events

        return recurring_ical_events.of(self._calendar)

    def of_year(self, year: int) -> frozenset[date]:
        """The days that lie in `year`. Raises ValueError, KeyError or AttributeError for a broken
        file.
        """
        found = set()
        for event in self._repeated.between(date(year, 1, 1), date(year + 1, 1, 1)):
            begin, end = event["DTSTART"].dt, event.end
            if type(begin) is date and not _is_cancelled(event):
                found |= {begin + timedelta(days=n) for n in range(max(1, (end - begin).days))}
        return frozenset(found)


def _is_cancelled(event: "Component") -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _when(event: "Component", name: str) -> object:
    """The day or time a property holds. Raises AttributeError where it holds neither."""
    return attrgetter("dt")(event[name])


def _ends_too_early(event: "Component") -> bool:
    """Whether a whole day's event ends before it begins, or with a time of day."""
    begin, end = (_when(event, name) if name in event else None for name in ("DTSTART", "DTEND"))
    return type(begin) is date and end is not None and (type(end) is not date or end < begin)


def read_calendars(files: Mapping[str, str], findings: Findings) -> dict[str, Calendar] | None:
    """The calendars of a rulebook by name, `always` among them; None where nobody can tell which
    there are.

    `findings` are told what is wrong with each.
    """
    found = {"always": ALWAYS}
    if CALENDARS not in files:
        return found
    file = YamlFile(CALENDARS, files[CALENDARS], findings)
    form = file.read(CalendarsForm, findings)
    if form is None:
        return None
    for name, given in form.root.items():
        if name == "always":
            findings.add(
                file,
                (name,),
                "`always` is open all the time, and is there already",
                "take another name",
            )
            continue
        closings = [
            days
            for at, _ in enumerate(given.ical)
            if (days := _ical(files, file, (name, "ical", at), findings))
        ]
        calendar = Calendar(
            name=name,
            time_zone=given.time_zone,
            week=given.week(),
            holidays=PublicHolidays(**given.holidays.model_dump()) if given.holidays else None,
            closed=frozenset(given.closed),
            closings=tuple(closings),
            short=given.short,
        )
        if file.is_whole((name,)) and not is_ever_open(calendar):
            findings.add(
                file,
                (name,),
                f"{name} never opens",
                "write `hours:`, such as mon-fri: [09:00-17:00]",
            )
        found[name] = calendar
    return found


def _ical(
    files: Mapping[str, str], file: YamlFile, path: YamlPath, findings: Findings
) -> IcalDays | None:
    name = str(file.at(path) if isinstance(file.at(path[:-1]), list) else file.at(path[:-1]))
    known = {one.removeprefix("rules/") for one in files if one.endswith(".ics")}
    findings.check_name(file, path, "iCal file", name, known)
    if name not in known:
        return None
    days = IcalDays(text=files[f"rules/{name}"])
    try:
        events = days.events
        for event in filter(_ends_too_early, events):
            begins, ends = (f"{_when(event, name)}" for name in ("DTSTART", "DTEND"))
            message = (
                f"{name}: {str(event.get('SUMMARY', 'an event'))!r} begins on {begins} and "
                f"ends on {ends}"
            )
            findings.add(
                file, path, message, "mend its DTEND, the first day that is not closed any more"
            )
            return None
        days.of_year(2026)
    except (ValueError, KeyError, AttributeError) as error:
        findings.add(file, path, f"{name} is no iCal file: {error}", "export it as .ics once more")
        return None
    timed = sum(type(_when(event, "DTSTART")) is not date for event in events if "DTSTART" in event)
    if timed:
        line, column = file.position(path)
        events_say = (
            "1 event with times of day, which closes"
            if timed == 1
            else f"{timed} events with times of day, which close"
        )
        message = f"{name} has {events_say} nothing"
        findings.warn(file.name, message, "only whole days do; write `short:`", line, column)
    return days
