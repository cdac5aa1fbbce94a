"""Rows about what came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class StoredEventRow:
    """All that an `Event` is made of; `payload` is its JSON text."""

    source: str
    id: str
    type: str
    time: datetime
    received_at: datetime
    customer_key: str
    digest: str
    payload: str
    raw: bytes
    clamped: bool


@dataclass(frozen=True, kw_only=True)
class EventRow(StoredEventRow):
    """An event as it is stored."""

    seq: int
    recorded_at: datetime
    sentiment: str | None
    place: str
    excluded: str | None
    rulebook: str


@dataclass(frozen=True, kw_only=True)
class DeadLetterRow:
    """A record that could not be read or judged. `headers` are name and base64."""

    id: int
    place: str
    digest: str
    reason: str
    field: str | None
    detail: str
    raw: bytes
    headers: list[list[str]]
    received_at: datetime
    recorded_at: datetime
    published_at: datetime | None
    replayed_at: datetime | None
    discarded_at: datetime | None
    discarded_by: str | None
    discard_reason: str | None
    attempts: int


@dataclass(frozen=True, kw_only=True)
class UnmatchedRow:
    """An answer of which nobody can tell whose it is, with its event; `key` is what it is kept
    under.
    """

    event_seq: int
    address: str
    candidates: list[str]
    time: datetime
    source: str
    event_id: str
    payload: Mapping[str, object]
    key: str


@dataclass(frozen=True, kw_only=True)
class ReconciliationRow:
    """What a source says it sent, against what arrived."""

    id: int
    source: str
    recorded_at: datetime
    first_day: str
    last_day: str
    by_id: bool
    zone: str
    sent: int
    received: int
    unreadable: int
    missing: int
    surplus: int
    missing_ids: list[str]
