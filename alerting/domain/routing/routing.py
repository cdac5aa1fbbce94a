"""Who is responsible for a customer: roles, territories and leads, and the steps that fill a
role.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

from alerting.domain.customers.customers import Customer
from alerting.domain.people.people import PartyId
from alerting.domain.people.places import country_named, folded

OWNER = "customer.owner"


class Territory(BaseModel):
    """A part of the map: the office that serves it, who leads it, or both; what it lacks the larger
    part around it has.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    country: Annotated[str, AfterValidator(country_named)]
    region: str | None = None
    city: str | None = None
    office: PartyId | None = None
    lead: PartyId | None = None

    @model_validator(mode="after")
    def _somebody(self) -> "Territory":
        if self.office is None and self.lead is None:
            raise ValueError("a territory has an office, a lead or both")
        return self

    @property
    def words(self) -> str:
        return ", ".join(part for part in (self.country, self.region, self.city) if part)

    def fits(self, customer: Customer) -> int:
        """How specifically this territory fits: 0 not at all, 1 by country, 2 by region, 3 by
        city.
        """
        wanted = [("country", self.country), ("region", self.region), ("city", self.city)]
        depth = 0
        for level, (name, value) in enumerate(wanted, 1):
            if value is None:
                continue
            if folded(str(customer.state.get(name) or "")) != folded(value):
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
    team: PartyId | None = None

    @property
    def forms(self) -> int:
        return sum(getattr(self, name) is not None for name in Role.model_fields)


class OwnerChange(BaseModel):
    """What an owner change does to the open case of its customer: it goes to the new owner, or
    stays where it is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    open_cases: Literal["move", "keep"] = "keep"


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
    owner_change: OwnerChange = field(default_factory=OwnerChange)

    def teams_behind(self, role: str) -> set[str]:
        """The teams that filling this role, or `default` in its place, may ask."""
        names = {role, "default", *roles_behind(role, self.roles)}
        found = {self.roles[name].team for name in names if name in self.roles}
        return {team for team in found if team is not None}

    def territories_of(self, customer: Customer) -> list[Territory]:
        """Those that fit, the most specific first."""
        fitting = [territory for territory in self.territories if territory.fits(customer)]
        return sorted(fitting, key=lambda territory: territory.fits(customer), reverse=True)

    def industry_lead(self, industry: str) -> str | None:
        return next(
            (lead for name, lead in self.industries.items() if folded(name) == folded(industry)),
            None,
        )
