"""Events: immutable facts that arrive as CloudEvents 1.0, structured or binary.

An event's identity is (source, id). What cannot be read raises UnreadableEvent with a reason that ends in a dead letter.
Source of the envelope: CloudEvents 1.0.2, JSON format and the Kafka and HTTP protocol bindings.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from alerting.domain.errors import UnreadableEvent

MAX_BODY = 1_048_576
"""Bytes of one event; larger ones are refused at the door (413) or become dead letters."""

MAX_FUTURE = timedelta(minutes=5)
"""How far an event's time may lie ahead of ours before it is clamped and marked."""

TOPICS = {
    "survey.answered": "surveys",
    "interaction.recorded": "interactions",
    "customer.updated": "customers",
    "customer.deleted": "customers",
}

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Line = Annotated[str, Field(max_length=500)]
Text = Annotated[str, Field(max_length=100_000)]


def _iso_date(value: object) -> object:
    if isinstance(value, str):
        return date.fromisoformat(value)
    return value


def _written_out(value: object) -> object:
    """A bare number would be read as seconds since 1970."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError("must be a time with its zone, such as 2026-03-06T08:30:00Z")
    return value


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("lies outside the years 1 to 9999") from error


IsoDate = Annotated[date, BeforeValidator(_iso_date)]
Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out), AfterValidator(_utc)]


class Payload(BaseModel):
    """What an event says. Unknown fields are kept in the raw bytes and not read."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class Respondent(Payload):
    """Who answered, where the sender does not know the customer's id."""

    name: Line | None = None
    email: Line | None = None
    phone: Line | None = None

    @property
    def address(self) -> str | None:
        """What tells this person from others. `n/a` is no address: everybody who has it would become one customer."""
        email = (self.email or "").strip().casefold()
        if "@" in email:
            return "email:" + email
        number = "".join(ch for ch in self.phone or "" if ch.isdigit() or ch == "+")
        return "phone:" + number if number.strip("+") else None


_SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}


class SurveyAnswered(Payload):
    """One answered survey. `sentiment` is derived, see `sentiment_of`."""

    customer_id: Id | None = None
    respondent: Respondent | None = None
    survey_id: Id
    metric: Literal["nps", "csat", "ces", "rating"] | None = None
    scale: Annotated[int, Field(ge=2, le=1000)] | None = None
    score: int | float | None = None
    comment: Text | None = None
    language: Line | None = None
    contact_me: bool | None = None
    answers: dict[str, Any] = Field(default_factory=dict)

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

    customer_id: Id
    channel: Literal["phone", "email", "chat", "meeting", "ticket", "web", "social"]
    direction: Literal["inbound", "outbound"] | None = None
    outcome: Literal["resolved", "unresolved", "escalated", "voicemail", "abandoned", "none"] | None = None
    office: Line | None = None
    agent: Line | None = None
    contact: Line | None = None
    topic: Line | None = None
    duration_seconds: Annotated[float, Field(ge=0)] | None = None
    text: Text | None = None


class Contact(Payload):
    """A person at the customer. Call times are wall-clock `HH:MM` in the customer's zone."""

    name: Line
    role: Line | None = None
    email: Line | None = None
    phone: Line | None = None
    call_from: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None
    call_to: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] | None = None


class CustomerUpdated(Payload):
    """A change of a customer: fields that are present replace, `null` clears, absent ones stay.

    `contacts` is replaced whole; `attributes` and `contract` are merged key by key.
    """

    customer_id: Id
    name: Line | None = None
    parent: Id | None = None
    revenue_with_us: int | float | None = None
    industry: Line | None = None
    country: Line | None = None
    region: Line | None = None
    city: Line | None = None
    employees: Annotated[int, Field(ge=0, le=2**62)] | None = None
    lifecycle: Line | None = None
    renewal_date: IsoDate | None = None
    owner: Line | None = None
    language: Line | None = None
    time_zone: Line | None = None
    contacts: list[Contact] | None = None
    contract: dict[str, Any] | None = None
    attributes: dict[str, Any] | None = None

    def changes(self) -> dict[str, Any]:
        """The fields that were given, as JSON values."""
        return self.model_dump(mode="json", exclude={"customer_id"}, exclude_unset=True)


class CustomerDeleted(Payload):
    """The customer left; its history stays until it is forgotten."""

    customer_id: Id


PAYLOADS: dict[str, type[Payload]] = {
    "survey.answered": SurveyAnswered,
    "interaction.recorded": InteractionRecorded,
    "customer.updated": CustomerUpdated,
    "customer.deleted": CustomerDeleted,
}


def sentiment_of(metric: str | None, score: float | None, scale: int | None) -> str | None:
    """`negative`, `neutral` or `positive`; None without a score. Bands: DESIGN.md, Contracts."""
    if metric is None or score is None:
        return None
    if metric == "rating":
        share = (Fraction(str(score)) - 1) / ((scale or 2) - 1)  # in floats, 1.4 of 2 lies below 0.4
        return "negative" if share < Fraction(2, 5) else "positive" if share >= Fraction(3, 4) else "neutral"
    worst, middling = {"nps": (6, 8), "csat": (2, 3), "ces": (3, 4)}[metric]
    return "negative" if score <= worst else "neutral" if score <= middling else "positive"


def address_key(respondent: Respondent) -> str:
    """The customer key of somebody known only by an address: a hash, so that the key itself names nobody."""
    assert respondent.address is not None, "the payload's validation refuses an answer from nowhere"
    return "respondent:" + hashlib.sha256(respondent.address.encode()).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One readable event. `time` is when it happened (UTC), `received_at` when our log took it.

    `digest` is SHA-256 over the canonical envelope: the same identity with another digest is a conflict.
    """

    source: str
    id: str
    type: str
    time: datetime
    received_at: datetime
    payload: Payload
    digest: str
    raw: bytes
    clamped: bool = False

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Events of one customer are judged in this order: time, ties by (source, id)."""
        return (self.time, self.source, self.id)

    @property
    def customer_key(self) -> str:
        """The customer the event is about; for an unknown address a hash of it."""
        customer_id = getattr(self.payload, "customer_id", None)
        if customer_id is not None:
            return str(customer_id)
        respondent = getattr(self.payload, "respondent", None)
        assert respondent is not None, "the payload's validation guarantees one of the two"
        return address_key(respondent)

    def fields(self) -> dict[str, Any]:
        """The event as conditions see it: flat, derived fields included, fractions as Decimal."""
        found: dict[str, Any] = {"type": self.type, "source": self.source, "id": self.id, "time": self.time}
        for name, value in self.payload.model_dump().items():
            if name == "respondent":
                found |= {f"respondent.{k}": v for k, v in (value or {}).items()}
            elif name not in {"answers", "contacts", "contract", "attributes"}:
                found[name] = Decimal(str(value)) if isinstance(value, float) else value
        if isinstance(self.payload, SurveyAnswered):
            found["sentiment"] = sentiment_of(self.payload.metric, self.payload.score, self.payload.scale)
        return found


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"]
    id: Id
    source: Id
    type: Annotated[str, Field(min_length=1, max_length=200)]
    time: Instant | None = None
    data: Any = None


def parse_event(value: bytes | None, headers: Mapping[str, bytes], received_at: datetime) -> Event:
    """Read one record of the event log.

    `headers` carry `ce_*` attributes in binary mode; otherwise `value` is the structured JSON. Raises UnreadableEvent.
    """
    envelope, canonical = _envelope(value, headers)
    payload_type = PAYLOADS.get(envelope.type)
    if payload_type is None:
        raise UnreadableEvent(
            "unknown type", f"{envelope.type!r}; known are {', '.join(sorted(PAYLOADS))}", field="type"
        )
    if not isinstance(envelope.data, dict):
        raise UnreadableEvent("invalid", "must be a JSON object", field="data")
    try:
        payload = payload_type.model_validate(envelope.data)
    except ValidationError as error:
        raise _unreadable(error, "data") from error
    time = envelope.time or received_at
    clamped = time > received_at + MAX_FUTURE
    return Event(
        source=envelope.source,
        id=envelope.id,
        type=envelope.type,
        time=received_at if clamped else time,
        received_at=received_at,
        payload=payload,
        digest=hashlib.sha256(canonical).hexdigest(),
        raw=value or b"",
        clamped=clamped,
    )


def _envelope(value: bytes | None, headers: Mapping[str, bytes]) -> tuple[_Envelope, bytes]:
    if value is None:
        raise UnreadableEvent("empty", "the record has no value")
    if len(value) > MAX_BODY:
        raise UnreadableEvent("too large", f"{len(value)} bytes; at most {MAX_BODY} are read")
    body = _json(value)
    if "ce_specversion" in headers:
        attributes: Any = {name[3:]: _header_text(name, raw) for name, raw in headers.items() if name.startswith("ce_")}
        attributes["data"] = body
    else:
        attributes = body
    if not isinstance(attributes, dict):
        raise UnreadableEvent("invalid", "a CloudEvent is a JSON object")
    try:
        envelope = _Envelope.model_validate(attributes)
    except ValidationError as error:
        raise _unreadable(error) from error
    attributes.pop("datacontenttype", None)  # binary mode says it outside the envelope
    return envelope, json.dumps(attributes, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _json(value: bytes) -> Any:
    """JSON without NUL characters: PostgreSQL stores none in text, and no reader would miss them."""
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableEvent("not UTF-8", f"byte {error.start} cannot be read") from error
    try:
        return _clean(pydantic_core.from_json(value, allow_inf_nan=False))
    except ValueError as error:
        raise UnreadableEvent("not JSON", str(error)) from error


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number is too large")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _header_text(name: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8").replace("\x00", "")
    except UnicodeDecodeError as error:
        raise UnreadableEvent("not UTF-8", "the header cannot be read", field=name) from error


def _unreadable(error: ValidationError, prefix: str = "") -> UnreadableEvent:
    """The first finding of pydantic, with the dotted path of its field."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = [prefix] if prefix else []
    path += [str(part) for part in first["loc"] if part not in {"int", "float"}]
    message = first["msg"].removeprefix("Value error, ")
    if not first["loc"] and ": " in message:
        name, message = message.split(": ", 1)
        path.append(name)
    return UnreadableEvent("invalid", message, field=".".join(path) or None)
