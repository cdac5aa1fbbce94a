"""The form of rules/people.yaml."""

from typing import Annotated

from pydantic import Field

from alerting.adapters.rulebook.forms.values import Form
from alerting.domain.people.people import Absence, Party, PartyId, Team


class OfficeForm(Form):
    id: PartyId
    name: str
    email: str
    phone: str | None = None
    manager: PartyId | None = None
    substitute: PartyId | None = None
    locale: str = "en"
    time_zone: str = "UTC"
    quiet_hours: str | None = None
    calendar: str | None = None
    digest: str | None = None


class AbsenceForm(Absence):
    person: PartyId


class PeopleForm(Form):
    """rules/people.yaml; facts that are imported, not part of the rulebook's hash."""

    people: Annotated[list[Party], Field(min_length=1)]
    offices: list[OfficeForm] = Field(default_factory=list)
    teams: list[Team] = Field(default_factory=list)
    absences: list[AbsenceForm] = Field(default_factory=list)
