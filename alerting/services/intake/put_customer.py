"""One customer put by its id: the same as a `customer.updated` event, said in the way of HTTP."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

import pydantic_core

from alerting.database.customers import customers
from alerting.domain.customers.customers import apply_change
from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.events import Event, parse_event
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.services.context import Context
from alerting.services.intake.accept_events import record_of
from alerting.services.intake.event_log import NewRecord

SOURCE = "/v1/customers"
VALID_FROM = "valid_from"
_FIELDS = [name for name in CustomerUpdated.model_fields if name != "customer_id"]


@dataclass(frozen=True, kw_only=True)
class Put:
    """What a request comes to: a record for the event log, or nothing where all of it is known
    already.
    """

    event: Event
    record: NewRecord | None


def read_put(ctx: Context, customer_id: str, body: bytes) -> Put:
    """The event a PUT stands for. Raises UnreadableEvent with the field as the body has it."""
    given = _object(body)
    if given.get("customer_id", customer_id) != customer_id:
        raise UnreadableEvent(
            "invalid", f"is not {customer_id!r}, whose address this is", field="customer_id"
        )
    unknown = next(
        (name for name in given if name not in {*_FIELDS, "customer_id", VALID_FROM}), None
    )
    if unknown is not None:
        near = get_close_matches(unknown, [*_FIELDS, VALID_FROM], n=1, cutoff=0.6)
        hint = (
            f"did you mean {near[0]!r}?"
            if near
            else f"known are {', '.join(_FIELDS)} and {VALID_FROM}"
        )
        raise UnreadableEvent("invalid", f"is no field of a customer; {hint}", field=unknown)
    with ctx.db.read() as tx:
        now = tx.now()
        history = customers.histories(tx, [customer_id])[customer_id]
    event = _event(customer_id, given, now)
    since = history.known_since
    state = history.as_of(event.time).state if since is not None and since <= event.time else None
    known = state is not None and apply_change(state, _changes(event)) == state
    return Put(event=event, record=None if known else record_of(event))


def _object(body: bytes) -> dict[str, object]:
    try:
        found = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise UnreadableEvent("not JSON", str(error)) from error
    if not isinstance(found, dict):
        raise UnreadableEvent("invalid", "must be a JSON object: the customer's fields")
    return found


def _event(customer_id: str, given: Mapping[str, object], now: datetime) -> Event:
    """Ids rise with time: of two changes valid from the same moment the later one counts."""
    data = {
        "customer_id": customer_id,
        **{name: value for name, value in given.items() if name != VALID_FROM},
    }
    content = hashlib.sha256(
        json.dumps([given, secrets.token_hex(8)], sort_keys=True).encode()
    ).hexdigest()
    envelope = {
        "specversion": "1.0",
        "type": "customer.updated",
        "source": SOURCE,
        "id": f"{now:%Y%m%dT%H%M%S.%fZ}-{content[:16]}",
        "time": given.get(VALID_FROM) or now.isoformat(),
        "data": data,
    }
    try:
        event = parse_event(
            json.dumps(envelope, ensure_ascii=False).encode("utf-8", "surrogatepass"), {}, now
        )
    except UnreadableEvent as error:
        raise UnreadableEvent(error.reason, error.detail, field=_field(error.field)) from error
    if event.clamped:
        raise UnreadableEvent(
            "invalid", "lies in the future; send it when it is true", field=VALID_FROM
        )
    return event


def _field(path: str | None) -> str | None:
    if path == "time":
        return VALID_FROM
    return path.removeprefix("data.") if path else None


def _changes(event: Event) -> dict[str, object]:
    assert isinstance(event.payload, CustomerUpdated), "the type of the envelope says so"
    return event.payload.changes()
