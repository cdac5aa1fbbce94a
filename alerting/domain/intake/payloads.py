"""What events say: a model per event type. Unknown fields are kept in the raw bytes and not read.
docs/architecture.md, Contracts.
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from alerting.domain.fields import Fields
from alerting.domain.people.people import (
    Absence,
    Address,
    PartyId,
    PartyName,
    Pause,
    QuietHours,
    Turn,
)
from alerting.domain.people.people import Zone as PersonZone
from alerting.domain.people.places import country_code, language_tag, zone_name
from alerting.domain.times.days import IsoDate
from alerting.domain.times.working_time import check_amount

TOPICS = {
    "survey.answered": "surveys",
    "interaction.recorded": "interactions",
    "customer.updated": "customers",
    "customer.deleted": "customers",
    "customer.forgotten": "customers",
    "purchase.recorded": "customers",
    "person.updated": "people",
    "person.removed": "people",
}

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Line = Annotated[str, Field(max_length=500)]

RESPONDENT_PREFIX = "respondent:"
"""Keys of customers known only by an address begin with it; no sender may name such a key."""

COLLEAGUE_PREFIX = "colleague:"
"""Keys of events about our own people begin with it; no customer may."""


def _customer_id(value: str) -> str:
    if not value.strip():
        raise ValueError("is blank")
    if value.startswith(RESPONDENT_PREFIX):
        raise ValueError(
            f"must not begin with {RESPONDENT_PREFIX!r}; give the respondent's address instead"
        )
    if value.startswith(COLLEAGUE_PREFIX):
        raise ValueError(f"must not begin with {COLLEAGUE_PREFIX!r}, which is for our own people")
    return value


CustomerId = Annotated[Id, AfterValidator(_customer_id)]
Text = Annotated[str, Field(max_length=100_000)]


def _clock_time(value: str) -> str:
    if not re.fullmatch(_CLOCK_TIME, value):
        raise ValueError("must be a time of day written 09:00")
    return value


def _written_out(value: object) -> object:
    """A bare number would be read as seconds since 1970."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError("must be a time with its zone, such as 2026-03-06T08:30:00Z")
    return re.sub(r"^(.{16}):60", r"\1:59", value)  # a leap second, which no clock here knows


FIRST_YEAR, LAST_YEAR = 1900, 9900


def _utc(value: datetime) -> datetime:
    """Nothing of a customer's life is older, and signals reckon with times before it."""
    if not FIRST_YEAR <= value.year < LAST_YEAR:
        raise ValueError(f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return value.astimezone(UTC)


_CLOCK_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"

ClockTime = Annotated[
    str, AfterValidator(_clock_time), Field(json_schema_extra={"pattern": _CLOCK_TIME})
]
Country = Annotated[
    Line, AfterValidator(country_code), Field(json_schema_extra={"pattern": "^[A-Za-z]{2}$"})
]
Language = Annotated[Line, AfterValidator(language_tag)]
Zone = Annotated[Line, AfterValidator(zone_name)]
Instant = Annotated[
    AwareDatetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_utc)
]


MAX_NUMBER = 10**15
"""A thousand times the largest company's revenue: what is larger is a mistake, and would not fit
any column.
"""

Number = Annotated[int | float, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]


class Payload(BaseModel):
    """What an event says. Unknown fields are kept in the raw bytes and not read."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


def mail_of(text: str | None) -> str | None:
    """What tells this mail address from others, whatever its capitals."""
    email = (text or "").strip().casefold()
    return "email:" + email if "@" in email else None


def phone_of(text: str | None) -> str | None:
    """What tells this number from others, however it is written; `0049` is `+49`, `+49 (0)30` is
    `+4930`.
    """
    number = "".join(ch for ch in (text or "").replace("(0)", "") if ch.isdigit() or ch == "+")
    number = "+" + number[2:] if number.startswith("00") else number
    return "phone:" + number if number.strip("+") else None


class Respondent(Payload):
    """Who answered, where the sender does not know the customer's id."""

    name: Line | None = None
    email: Line | None = None
    phone: Line | None = None

    @property
    def address(self) -> str | None:
        """What tells this person from others. `n/a` is no address: everybody who has it would
        become one customer.
        """
        return mail_of(self.email) or phone_of(self.phone)


_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}


class SurveyAnswered(Payload):
    """One answered survey. `sentiment` is derived from metric and score."""

    customer_id: CustomerId | None = None
    respondent: Respondent | None = None
    survey_id: Id
    metric: Literal["nps", "csat", "ces", "rating"] | None = None
    scale: Annotated[int, Field(ge=2, le=1000)] | None = None
    score: int | float | None = None
    comment: Text | None = None
    language: Line | None = None
    contact_me: bool | None = None
    answers: dict[str, object] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> "SurveyAnswered":
        if self.customer_id is None and not (self.respondent and self.respondent.address):
            raise ValueError("customer_id: give customer_id, or a respondent with email or phone")
        if self.score is None:
            return self
        if self.metric is None:
            raise ValueError("metric: a score needs its metric: nps, csat, ces or rating")
        if self.metric == "rating" and self.scale is None:
            raise ValueError("scale: a rating needs its scale, such as 5")
        low, high = _SCALES.get(self.metric, (1, self.scale or 0))
        if not low <= self.score <= high:
            raise ValueError(f"score: {self.metric} runs from {low} to {high}, not {self.score}")
        if self.metric != "rating" and self.score != int(self.score):
            raise ValueError(f"score: {self.metric} is a whole number, not {self.score}")
        return self


class InteractionRecorded(Payload):
    """A call, mail, visit or ticket between the customer and us."""

    customer_id: CustomerId
    channel: Literal["phone", "email", "chat", "meeting", "ticket", "web", "social"]
    direction: Literal["inbound", "outbound"] | None = None
    outcome: (
        Literal["resolved", "unresolved", "escalated", "voicemail", "abandoned", "none"] | None
    ) = None
    office: Line | None = None
    agent: Line | None = None
    contact: Line | None = None
    topic: Line | None = None
    duration_seconds: Annotated[Number, Field(ge=0)] | None = None
    text: Text | None = None


class Contact(Payload):
    """A person at the customer. Call times are wall-clock `HH:MM` in the customer's zone."""

    name: Line
    role: Line | None = None
    email: Line | None = None
    phone: Line | None = None
    call_from: ClockTime | None = None
    call_to: ClockTime | None = None


def _contract(contract: dict[str, object]) -> dict[str, object]:
    for clock in ("acknowledge", "contact", "resolve"):
        length = contract.get(clock)
        if length is not None:
            try:
                check_amount(length if isinstance(length, str) else repr(length))
            except ValueError as error:
                raise ValueError(f"{clock}: {error}") from error
    return contract


Contract = Annotated[dict[str, object], AfterValidator(_contract)]
"""What was agreed with the customer: lengths of promises by clock, on which `calendar`; other keys
are kept and mean nothing to us.
"""


class CustomerUpdated(Payload):
    """A change of a customer: fields that are present replace, `null` clears, absent ones stay.

    `contacts` is replaced whole; `attributes` and `contract` are merged key by key.
    """

    customer_id: CustomerId
    name: Line | None = None
    parent: CustomerId | None = None
    revenue_with_us: Annotated[Number, Field(ge=0)] | None = None
    industry: Line | None = None
    country: Country | None = None
    region: Line | None = None
    city: Line | None = None
    employees: Annotated[int, Field(ge=0, le=2**62)] | None = None
    lifecycle: Line | None = None
    renewal_date: IsoDate | None = None
    owner: Line | None = None
    language: Language | None = None
    time_zone: Zone | None = None
    contacts: list[Contact] | None = None
    contract: Contract | None = None
    attributes: dict[str, object] | None = None

    def changes(self) -> dict[str, object]:
        """The fields that were given, as JSON values."""
        return self._changes

    @cached_property
    def _changes(self) -> dict[str, object]:
        return self.model_dump(mode="json", exclude={"customer_id"}, exclude_unset=True)


class PurchaseRecorded(Payload):
    """A customer bought, or gave something back: then `amount` is negative."""

    customer_id: CustomerId
    amount: Number
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None


class CustomerDeleted(Payload):
    """The customer left; its history stays until it is forgotten."""

    customer_id: CustomerId


class CustomerForgotten(Payload):
    """Everything personal about this customer up to the event's time is to be erased. `by` says on
    whose word.
    """

    customer_id: Id
    by: Line | None = None


class PersonUpdated(Payload):
    """A change of a person, an office or a team: fields that are present replace, `null` clears,
    absent ones stay.

    `absences` and `members` are replaced whole. Names that nobody bears yet are taken: who is meant
    may arrive later.
    """

    person_id: PartyId
    kind: Literal["person", "office", "team"] | None = None
    active: bool | None = None
    name: PartyName | None = None
    email: Address | None = None
    phone: Line | None = None
    title: Line | None = None
    manager: PartyId | None = None
    substitute: PartyId | None = None
    office: PartyId | None = None
    locale: Language | None = None
    time_zone: PersonZone | None = None
    quiet_hours: QuietHours | None = None
    calendar: Line | None = None
    digest: Pause | None = None
    absences: list[Absence] | None = None
    members: Annotated[list[PartyId], Field(min_length=1)] | None = None
    turn: Turn | None = None
    begins: IsoDate | None = None

    def changes(self) -> dict[str, object]:
        """The fields that were given, as JSON values."""
        return self.model_dump(
            mode="json", by_alias=True, exclude={"person_id"}, exclude_unset=True
        )


class PersonRemoved(Payload):
    """Somebody left: nothing is given to them any more. The same as `person.updated` with `active:
    false`.
    """

    person_id: PartyId

    def changes(self) -> dict[str, object]:
        return {"active": False}


class SilenceNoticed(Payload):
    """Our own event: nothing of a kind came from a customer for as long as a rule says. No sender
    can post it.
    """

    customer_id: Id
    rule: str
    of: str
    since: Annotated[datetime, Field(strict=False)]
    days: int


class SegmentChanged(Payload):
    """Our own event, and what `alerting.segments` carries: a customer entered or left a segment or
    got or lost tags.

    `from_segment` is null where the customer was not known before. `cause` names the event,
    `calendar`, `rulebook` or the group that did it.
    """

    customer_id: Id
    from_segment: str | None
    to_segment: str
    why: str
    tags: list[str]
    tags_added: list[str]
    tags_removed: list[str]
    cause: str


PAYLOADS: dict[str, type[Payload]] = {
    "survey.answered": SurveyAnswered,
    "interaction.recorded": InteractionRecorded,
    "customer.updated": CustomerUpdated,
    "customer.deleted": CustomerDeleted,
    "customer.forgotten": CustomerForgotten,
    "purchase.recorded": PurchaseRecorded,
    "person.updated": PersonUpdated,
    "person.removed": PersonRemoved,
}
"""Events that others send, by type."""

OF_PEOPLE = ("person.updated", "person.removed")
"""Those about our own people: they are facts, and nothing is judged by them."""

OWN: dict[str, type[Payload]] = {"silence": SilenceNoticed, "segment.changed": SegmentChanged}
"""Events we make ourselves: they tell nothing new of a customer."""

STORED: dict[str, type[Payload]] = {**PAYLOADS, **OWN}
"""Those, and the ones we make ourselves."""


def sentiment_of(metric: str | None, score: float | None, scale: int | None) -> str | None:
    """`negative`, `neutral` or `positive`; None without a score. The bands stand in
    docs/reference/events.md.
    """
    if metric is None or score is None:
        return None
    if metric == "rating":  # in floats, 1.4 of 2 lies below 0.4
        share = (Fraction(str(score)) - 1) / ((scale or 2) - 1)
        is_negative, is_positive = share < Fraction(2, 5), share >= Fraction(3, 4)
    else:
        worst, middling = {"nps": (6, 8), "csat": (2, 3), "ces": (3, 4)}[metric]
        is_negative, is_positive = score <= worst, score > middling
    if is_negative:
        return "negative"
    return "positive" if is_positive else "neutral"


def address_key(respondent: Respondent) -> str:
    """The customer key of somebody known only by an address: a hash, so that the key itself names
    nobody.
    """
    assert respondent.address is not None, "the payload's validation refuses an answer from nowhere"
    return key_of_address(respondent.address)


def key_of_address(address: str) -> str:
    return RESPONDENT_PREFIX + hashlib.sha256(address.encode()).hexdigest()[:32]


def contact_keys(contacts: Collection[Mapping[str, object]]) -> set[str]:
    """The keys answers of these contacts would come under, were nothing known of them but an
    address.
    """
    found = [mail_of(Fields(one).text_or_none("email")) for one in contacts]
    found += [phone_of(Fields(one).text_or_none("phone")) for one in contacts]
    return {key_of_address(address) for address in found if address}
