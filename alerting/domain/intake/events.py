"""Events: immutable facts that arrive as CloudEvents 1.0, structured or binary.

An event's identity is (source, id). What cannot be read raises UnreadableEvent with a reason that
ends in a dead letter. Source of the envelope: CloudEvents 1.0.2, JSON format and the Kafka and HTTP
protocol bindings.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Annotated, Any, Literal

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alerting.domain.conditions import Type
from alerting.domain.conditions.facts import as_number, read_facts
from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.payloads import (
    COLLEAGUE_PREFIX,
    PAYLOADS,
    Id,
    Instant,
    Payload,
    SurveyAnswered,
    address_key,
    sentiment_of,
)

MAX_BODY = 1_048_576
"""Bytes of one event; larger ones are refused at the door (413) or become dead letters."""

_NUMBERS = {int, float}
_TAKEN_APART = {"respondent", "answers", "contacts", "contract", "attributes", "absences"}

MAX_FUTURE = timedelta(minutes=5)
"""How far an event's time may lie ahead of ours before it is clamped and marked."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One readable event. `time` is when it happened (UTC), `received_at` when our log took it.

    `digest` is SHA-256 over the canonical envelope: the same identity with another digest is a
    conflict.
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
    matched: str | None = None
    """The customer an answer known only by an address was found to be of."""

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Events of one customer are judged in this order: time, ties by (source, id)."""
        return (self.time, self.source, self.id)

    @cached_property
    def customer_key(self) -> str:
        """The customer the event is about; for an unknown address a hash of it. Our own people have
        keys of their own.
        """
        said = self.payload.__dict__  # pydantic is slow to say that a model has no such field
        person_id = said.get("person_id")
        if person_id is not None:
            return f"{COLLEAGUE_PREFIX}{person_id}"
        if self.matched is not None:
            return self.matched
        customer_id = said.get("customer_id")
        if customer_id is not None:
            return str(customer_id)
        respondent = said.get("respondent")
        assert respondent is not None, "the payload's validation guarantees one of the two"
        return address_key(respondent)

    def fields(self) -> Mapping[str, object]:
        """The event as conditions see it: flat, derived fields included, fractions as Decimal."""
        return {key.removeprefix("event."): value for key, value in self.facts.items()}

    @cached_property
    def facts(self) -> Mapping[str, object]:
        """The same by the keys conditions use; reckoned once, however many rulebooks ask."""
        found: dict[str, object] = {
            "event.type": self.type,
            "event.source": self.source,
            "event.id": self.id,
            "event.time": self.time,
        }
        said = self.payload.__dict__
        for name, key in _plain_fields(type(self.payload)):
            value = said[name]
            found[key] = as_number(value) if type(value) in _NUMBERS else value
        if said.get("respondent") is not None:
            found |= {
                f"event.respondent.{name}": value
                for name, value in said["respondent"].model_dump().items()
            }
        if said.get("answers"):
            found |= {
                f"event.{name}": value for name, value in read_answers(said["answers"]).items()
            }
        if isinstance(self.payload, SurveyAnswered):
            found["event.sentiment"] = sentiment_of(
                self.payload.metric, self.payload.score, self.payload.scale
            )
        return found


@cache
def _plain_fields(kind: type[Payload]) -> tuple[tuple[str, str], ...]:
    """Fields of a payload that are facts as they are, each with the key conditions use."""
    return tuple((name, f"event.{name}") for name in kind.model_fields if name not in _TAKEN_APART)


def read_answers(answers: Mapping[str, object]) -> dict[str, object]:
    """Further answers under `answers.<name>`; what is neither text, number, true/false nor a list
    of texts is missing.
    """
    kinds = dict.fromkeys(answers, Type.ANY)
    return {f"answers.{name}": value for name, value in read_facts(answers, kinds).items()}


class _Envelope(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    specversion: Literal["1.0"]
    id: Id
    source: Id
    type: Annotated[str, Field(min_length=1, max_length=200)]
    time: Instant | None = None
    data: Any = None


def parse_event(
    value: bytes | None,
    headers: Mapping[str, bytes],
    received_at: datetime,
    now: datetime | None = None,
) -> Event:
    """Read one record of the event log.

    `headers` carry `ce_*` attributes in binary mode; otherwise `value` is the structured JSON.
    `received_at` is what the log says, which a producer may have made up; without `now` it is
    believed. Raises UnreadableEvent.
    """
    envelope, canonical = _envelope(value, headers)
    payload_type = PAYLOADS.get(envelope.type)
    if payload_type is None:
        raise UnreadableEvent(
            "unknown type",
            f"{envelope.type!r}; known are {', '.join(sorted(PAYLOADS))}",
            field="type",
        )
    if not isinstance(envelope.data, dict):
        raise UnreadableEvent("invalid", "must be a JSON object", field="data")
    try:
        payload = payload_type.model_validate(envelope.data)
    except ValidationError as error:
        raise _unreadable(error, "data") from error
    now = now or received_at
    time = envelope.time or received_at
    received_at = max(received_at, min(time, now))  # nothing was received before it happened
    clamped = time > now + MAX_FUTURE
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


def made_event(
    event_id: str, source: str, time: datetime, payload: Payload, data: Mapping[str, object]
) -> Event:
    """A `customer.updated` of our own making, as `parse_event` would read it back from its bytes.

    `data` is what `payload` was read from; it must hold no NUL. Raises UnreadableEvent if it is too
    large.
    """
    kind = "customer.updated"
    whole = {
        "specversion": "1.0",
        "type": kind,
        "source": source,
        "id": event_id,
        "time": time.isoformat(),
        "data": data,
    }
    raw = _canonical(whole)
    if len(raw) > MAX_BODY:
        raise _too_large(raw)
    digest = hashlib.sha256(raw).hexdigest()
    return Event(
        source=source,
        id=event_id,
        type=kind,
        time=time,
        received_at=time,
        payload=payload,
        digest=digest,
        raw=raw,
    )


_encoded = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def _canonical(envelope: Any) -> bytes:
    return _encoded(envelope).encode()


def _too_large(value: bytes) -> UnreadableEvent:
    return UnreadableEvent("too large", f"{len(value)} bytes; at most {MAX_BODY} are read")


def _envelope(value: bytes | None, headers: Mapping[str, bytes]) -> tuple[_Envelope, bytes]:
    if value is None:
        raise UnreadableEvent("empty", "the record has no value")
    if len(value) > MAX_BODY:
        raise _too_large(value)
    body = _json(value)
    if "ce_specversion" in headers:
        attributes: Any = {
            name[3:]: _header_text(name, raw)
            for name, raw in headers.items()
            if name.startswith("ce_")
        }
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
    return envelope, _canonical(attributes)


def _json(value: bytes) -> Any:
    """JSON without NUL characters: PostgreSQL stores none in text, and no reader would miss
    them.
    """
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
