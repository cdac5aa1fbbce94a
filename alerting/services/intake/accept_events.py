"""The door for programs: CloudEvents by HTTP, answered only after the event log has them durably
(transaction 4).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pydantic_core

from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.events import Event, parse_event
from alerting.domain.intake.payloads import TOPICS
from alerting.services.intake.event_log import EventLog, NewRecord

MAX_BATCH = 1000
"""Events of one batch; a bound on what one request may hold in memory."""


class RefusedItem(Exception):
    """An event at the door that cannot be read; `index` counts from 0 within a batch."""

    def __init__(self, error: UnreadableEvent, index: int | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.index = index


def read_request(body: bytes, headers: Mapping[str, str], now: datetime) -> list[NewRecord]:
    """The records a request stands for: one event (structured or binary), or a JSON array of
    structured ones.

    `headers` by lower-case name. Raises RefusedItem; a batch with one bad item is refused whole.
    """
    if "ce-specversion" in headers:
        attributes = {  # the HTTP binding percent-encodes what is not plain ASCII
            f"ce_{name[3:]}": unquote(value).encode()
            for name, value in headers.items()
            if name.startswith("ce-")
        }
        return [_record(body, attributes, now, None)]
    if body.lstrip()[:1] != b"[":
        return [_record(body, {}, now, None)]
    try:
        items = pydantic_core.from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise RefusedItem(UnreadableEvent("not JSON", str(error)), None) from error
    if not items or len(items) > MAX_BATCH:
        raise RefusedItem(UnreadableEvent("invalid", f"a batch has 1 to {MAX_BATCH} events"), None)
    return [_record(_dump(item), {}, now, index) for index, item in enumerate(items)]


def _dump(item: Any) -> bytes:
    return json.dumps(item, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _record(
    value: bytes, headers: Mapping[str, bytes], now: datetime, index: int | None
) -> NewRecord:
    try:
        event = parse_event(value, headers, now)
    except UnreadableEvent as error:
        raise RefusedItem(error, index) from error
    return record_of(event, headers)


def record_of(event: Event, headers: Mapping[str, bytes] | None = None) -> NewRecord:
    """An event as it goes into the log: its own bytes, under its customer's key."""
    return NewRecord(
        topic=TOPICS[event.type], key=event.customer_key, value=event.raw, headers=headers or {}
    )


def accept(event_log: EventLog, records: Sequence[NewRecord]) -> None:
    """Returns once all are durable. Raises LogUnavailable; a sender that repeats them does no
    harm.
    """
    event_log.append(records)
