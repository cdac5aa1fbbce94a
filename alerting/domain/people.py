"""People and offices, and who of them is responsible for a customer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from alerting.domain.customers import Customer
from alerting.domain.durations import parse_duration


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
    if not all(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", part) for part in (begin, end)) or begin == end:
        raise ValueError(f"{text!r} are no hours; write them as 20:00-07:00")
    return text


def _pause(text: str) -> str:
    if not timedelta(0) < parse_duration(text) <= timedelta(days=1):
        raise ValueError(f"{text!r} is not between a second and a day; write 30m, 2h or 1d")
    return text


Pause = Annotated[str, AfterValidator(_pause)]
QuietHours = Annotated[str, AfterValidator(_hours)]
Zone = Annotated[str, AfterValidator(_zone)]
Address = Annotated[str, Field(max_length=254), AfterValidator(mail_address)]
PartyId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]


class Party(BaseModel):
    """A person or an office that can be told something. An office is reached at its shared address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: PartyId
    kind: Literal["person", "office"] = "person"
    name: Annotated[str, Field(min_length=1, max_length=200)]
    email: Address
    phone: str | None = None
    title: str | None = None
    manager: PartyId | None = None
    substitute: PartyId | None = None
    locale: str = "en"
    time_zone: Zone = "UTC"
    quiet_hours: QuietHours | None = None
    digest: Pause | None = None
    """How long after a mail the next ones are gathered, to come as one."""

    @property
    def digest_pause(self) -> timedelta | None:
        return parse_duration(self.digest) if self.digest else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def quiet_until(self, moment: datetime) -> datetime | None:
        """When the quiet hours that `moment` lies in are over (UTC); None where it lies in none.

        Wall-clock times of the own zone: hours that a clock change skips or repeats are as long as they are.
        """
        if self.quiet_hours is None:
            return None
        begin, end = (time.fromisoformat(part) for part in self.quiet_hours.split("-"))
        local = moment.astimezone(self.zone)
        inside = begin <= local.time() < end if begin < end else local.time() >= begin or local.time() < end
        if not inside:
            return None
        day = local.date() if local.time() < end else local.date() + timedelta(days=1)
        return datetime.combine(day, end, self.zone).astimezone(UTC)


class Territory(BaseModel):
    """A part of the map and the office that serves it; the most specific one that fits a customer counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: str
    region: str | None = None
    city: str | None = None
    office: PartyId
    lead: PartyId | None = None

    def fits(self, customer: Customer) -> int:
        """How specifically this territory fits: 0 not at all, 1 by country, 2 by region, 3 by city."""
        wanted = [("country", self.country), ("region", self.region), ("city", self.city)]
        depth = 0
        for level, (name, value) in enumerate(wanted, 1):
            if value is None:
                continue
            if str(customer.state.get(name) or "").casefold() != value.casefold():
                return 0
            depth = level
        return depth


class Role(BaseModel):
    """How a role is filled: exactly one of the forms."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: PartyId | None = None
    first_of: list[str] | None = None
    territory: Literal["office", "lead"] | None = None
    industry: Literal["lead"] | None = None
    segment: Literal["lead"] | None = None

    @property
    def forms(self) -> int:
        return sum(getattr(self, name) is not None for name in Role.model_fields)


def roles_behind(name: str, roles: Mapping[str, Role]) -> set[str]:
    """All roles that filling this one may come to, in any number of steps."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        role = roles.get(waiting.pop())
        new = set(role.first_of or ()) - found if role else set()
        found |= new
        waiting += new
    return found


@dataclass(frozen=True, kw_only=True)
class Routing:
    """`routing.yaml`: roles by name, territories, and leads by industry and by segment."""

    roles: Mapping[str, Role]
    territories: tuple[Territory, ...] = ()
    industries: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """A role filled: who, and the steps that led there, readable one after the other."""

    party: Party
    role: str
    why: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Staff:
    """Everybody who can be told something at one moment, by id."""

    parties: Mapping[str, Party]

    def get(self, party_id: str | None) -> Party | None:
        return self.parties.get(party_id) if party_id else None

    @cached_property
    def people_only(self) -> "Staff":
        """Without the offices."""
        return Staff(parties={name: party for name, party in self.parties.items() if party.kind == "person"})

    def by_id_or_email(self, text: str | None) -> Party | None:
        """A customer's `owner` may be written as an id or as a mail address."""
        if not text:
            return None
        found = self.parties.get(text)
        if found is not None:
            return found
        matches = (p for p in self.parties.values() if p.email.casefold() == text.casefold())
        return next(matches, None)

    def manager_of(self, party: Party) -> Party | None:
        return self.get(party.manager)

    def substitute_of(self, party: Party) -> Party | None:
        return self.get(party.substitute)

    def next_responsible(self, party: Party, default: str | None, already: set[str]) -> Party | None:
        """Whom to tell when `party` cannot be reached: the substitute, then `default`, then managers; nobody twice.

        Managers come last: a wrong address must not bring every small complaint before a vice president.
        """
        line: list[Party | None] = [self.substitute_of(party), self.get(default)]
        boss, seen = self.manager_of(party), {party.id}
        while boss is not None and boss.id not in seen:
            line.append(boss)
            seen.add(boss.id)
            boss = self.manager_of(boss)
        return next((p for p in line if p is not None and p.id not in already), None)


def fill_role(
    role: str, customer: Customer, segment: str, routing: Routing, staff: Staff, *, to_call: bool = False
) -> Assignment:
    """Who holds `role` for this customer. What cannot be filled falls to `default`, and the reasons say so.

    `to_call` passes over offices: an office cannot speak with anybody. Raises LookupError if `default` itself names
    nobody; loading a rulebook refuses that beforehand.
    """
    why: list[str] = []
    available = staff.people_only if to_call else staff
    party = _fill(role, customer, segment, routing, available, why)
    if party is None and role != "default":
        why.append(f"nobody holds {role}: goes to default")
        party = _fill("default", customer, segment, routing, staff, why)
    if party is None:
        raise LookupError(f"the role 'default' names nobody: {'; '.join(why)}")
    return Assignment(party=party, role=role, why=tuple(why))


def _fill(name: str, customer: Customer, segment: str, routing: Routing, staff: Staff, why: list[str]) -> Party | None:
    if name == "customer.owner":
        return _note(why, "account owner", customer.state.get("owner"), staff)
    role = routing.roles.get(name)
    if role is None:
        why.append(f"{name}: no such role")
        return None
    if role.first_of is not None:
        tried = (_fill(item, customer, segment, routing, staff, why) for item in role.first_of if item != name)
        return next((party for party in tried if party is not None), None)
    if role.person is not None:
        return _note(why, name, role.person, staff)
    if role.territory is not None:
        ranked = sorted(routing.territories, key=lambda t: t.fits(customer), reverse=True)
        best = ranked[0] if ranked and ranked[0].fits(customer) else None
        return _note(
            why, f"{name} (territory)", str(getattr(best, role.territory) or "") or None if best else None, staff
        )
    if role.industry is not None:
        industry = str(customer.state.get("industry") or "").casefold()
        lead = next((person for named, person in routing.industries.items() if named.casefold() == industry), None)
        return _note(why, f"{name} (industry)", lead, staff)
    return _note(why, f"{name} (segment {segment})", routing.segments.get(segment), staff)


def _note(why: list[str], label: str, party_id: str | None, staff: Staff) -> Party | None:
    """Look somebody up and write down what was found."""
    if party_id is None:
        why.append(f"{label}: nobody")
        return None
    party = staff.by_id_or_email(party_id)
    why.append(f"{label}: {party.name}" if party else f"{label}: {party_id} is not in people.yaml")
    return party
