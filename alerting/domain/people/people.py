"""People, offices and teams: who can be told something, when they are absent, and whose turn it
is.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from alerting.domain.times.days import IsoDate
from alerting.domain.times.durations import parse_duration


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is not a time zone; write one such as Europe/Berlin") from error
    return name


_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
"""The plain form of RFC 5321 addresses: no quotes, no comments, no address literals."""


def mail_address(text: str) -> str:
    """One bare ASCII address, `local@domain`. Raises ValueError."""
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is not one mail address")
    return text


def _hours(text: str) -> str:
    begin, _, end = text.partition("-")
    if (
        not all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", part) for part in (begin, end))
        or begin == end
    ):
        raise ValueError(f"{text!r} are no hours; write them as 20:00-07:00")
    return text


def _pause(text: str) -> str:
    if not timedelta(0) < parse_duration(text) <= timedelta(days=1):
        raise ValueError(f"{text!r} is not between a second and a day; write 30m, 2h or 1d")
    return text


def _day(value: object) -> object:
    """A bare number would be read as days since 1970, and a time be cut off."""
    if isinstance(value, datetime) or not isinstance(value, (str, date)):
        raise ValueError("must be a day of the calendar written year-month-day, such as 2026-05-31")
    return value


Pause = Annotated[str, AfterValidator(_pause)]
QuietHours = Annotated[str, AfterValidator(_hours)]
Zone = Annotated[str, AfterValidator(_zone)]
Address = Annotated[str, Field(max_length=254), AfterValidator(mail_address)]
PartyId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
PartyName = Annotated[str, Field(min_length=1, max_length=200)]
Day = Annotated[IsoDate, BeforeValidator(_day)]
Turn = Literal["day", "week", "case"]


class Absence(BaseModel):
    """Days on which somebody is not to be asked, both included, in the person's own zone."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    begin: Annotated[Day, Field(alias="from")]
    end: Annotated[Day, Field(alias="to")]
    substitute: PartyId | None = None
    """Who stands in for these days; without one the person's own substitute does."""

    @model_validator(mode="after")
    def _in_order(self) -> "Absence":
        if self.end < self.begin:
            raise ValueError(f"to: {self.end} lies before {self.begin}, the first day")
        return self

    @property
    def words(self) -> str:
        days = f"on {self.begin}" if self.begin == self.end else f"from {self.begin} to {self.end}"
        return f"is absent {days}"


class Party(BaseModel):
    """A person or an office that can be told something. An office is reached at its shared
    address.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: PartyId
    kind: Literal["person", "office"] = "person"
    name: PartyName
    email: Address
    phone: str | None = None
    title: str | None = None
    manager: PartyId | None = None
    substitute: PartyId | None = None
    office: PartyId | None = None
    """The office a person works in."""
    locale: str = "en"
    time_zone: Zone = "UTC"
    quiet_hours: QuietHours | None = None
    calendar: str | None = None
    """The working hours, by their name in rules/calendars.yaml."""
    digest: Pause | None = None
    """How long after a mail the next ones are gathered, to come as one."""
    absences: tuple[Absence, ...] = ()

    @property
    def digest_pause(self) -> timedelta | None:
        return parse_duration(self.digest) if self.digest else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def absence_at(self, moment: datetime) -> Absence | None:
        """The absence a moment lies in; of several the one that began last."""
        today = moment.astimezone(self.zone).date()
        found = [absence for absence in self.absences if absence.begin <= today <= absence.end]
        return max(found, key=lambda absence: absence.begin, default=None)

    def quiet_until(self, moment: datetime) -> datetime | None:
        """When the quiet hours that `moment` lies in are over (UTC); None where it lies in none.

        Wall-clock times of the own zone: hours that a clock change skips or repeats are as long as
        they are.
        """
        if self.quiet_hours is None:
            return None
        begin, end = (time.fromisoformat(part) for part in self.quiet_hours.split("-"))
        local = moment.astimezone(self.zone)
        inside = (
            begin <= local.time() < end
            if begin < end
            else local.time() >= begin or local.time() < end
        )
        if not inside:
            return None
        day = local.date() if local.time() < end else local.date() + timedelta(days=1)
        return datetime.combine(day, end, self.zone).astimezone(UTC)


A_MONDAY = date(2024, 1, 1)
"""The day turns are counted from where a team names none."""


class Team(BaseModel):
    """People who take turns. Turns by `day` and `week` are counted from `begins`, days being those
    of `time_zone`; by `case` it is whoever's last case is the longest ago.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: PartyId
    kind: Literal["team"] = "team"
    name: PartyName
    members: Annotated[tuple[PartyId, ...], Field(min_length=1)]
    turn: Turn = "week"
    begins: Day = A_MONDAY
    time_zone: Zone = "UTC"

    @model_validator(mode="after")
    def _each_once(self) -> "Team":
        twice = next((member for member in self.members if self.members.count(member) > 1), None)
        if twice is not None:
            raise ValueError(f"members: {twice!r} stands here twice")
        return self

    def in_line(self, moment: datetime, taken: Mapping[str, int]) -> tuple[list[str], str]:
        """The members in the order in which they are asked, and why the first one is.

        `taken` is the number of each member's last turn, the higher the later. The answer depends
        on nothing else, so that it can be given again.
        """
        if self.turn == "case":
            order = sorted(self.members, key=lambda member: taken.get(member, 0))
            return order, "whose last case is the longest ago" if order[
                0
            ] in taken else "who has had no case yet"
        passed = (moment.astimezone(ZoneInfo(self.time_zone)).date() - self.begins).days
        number = passed if self.turn == "day" else passed // 7
        first = number % len(self.members)
        return [
            *self.members[first:],
            *self.members[:first],
        ], f"{self.turn} {number + 1} since {self.begins}"


Known = Party | Team
"""Whoever has an id among the people."""


def dated(party: Known) -> dict[str, object]:
    """What is said of somebody as facts: JSON values by field. What is left out is as if nothing
    were said.
    """
    return party.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"id"}) | {
        "kind": party.kind
    }
