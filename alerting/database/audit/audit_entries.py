"""The audit: entries are only ever inserted. Personal values stand beside, the entry holds keyed
commitments.

Form (transaction 13): `body` is canonical JSON (sorted keys, no blanks, UTF-8) of the whole entry;
it is these bytes that are sealed. A commitment is HMAC-SHA-256 with the customer's key over `entry
name`, a line feed, and the value. Erasing destroys key and values; the body, and any chain over it,
stays valid.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, LargeBinary, cast, func, select

from alerting.database.engine import Transaction
from alerting.database.rows.audit import EntryRow
from alerting.database.tables import audit_entry, audit_unsealed, personal_key, personal_value
from alerting.domain.audit.entries import Entry, Machine, RecordedEntry
from alerting.domain.audit.seals import canonical
from alerting.domain.fields import Fields

BODY = cast(audit_entry.c.body, LargeBinary).label("body")
"""On SQLite somebody may have put a text there, which is no less the bytes that are reckoned
with.
"""


def columns() -> list[ColumnElement[Any]]:
    """Those of an entry, whatever somebody has made of its bytes."""
    return [BODY if column.name == "body" else column for column in audit_entry.c]


def write(tx: Transaction, entry: Entry, now: datetime) -> int:
    """Append one entry; returns its number. Part of the transaction that made the change."""
    return write_all(tx, [entry], now)[0]


def write_all(tx: Transaction, entries: Sequence[Entry], now: datetime) -> list[int]:
    """Append entries in their order; returns their numbers."""
    if not entries:
        return []
    adding = audit_entry.insert().returning(audit_entry.c.id, sort_by_parameter_order=True)
    numbers = list(tx.execute(adding, [_row(tx, entry, now) for entry in entries]).scalars())
    tx.execute(audit_unsealed.insert(), [{"entry_id": number} for number in numbers])
    personal = [
        {"entry_id": number, "name": name, "customer_key": entry.customer_key, "value": value}
        for number, entry in zip(numbers, entries, strict=True)
        for name, value in entry.personal.items()
    ]
    if personal:
        tx.execute(personal_value.insert(), personal)
    return numbers


def _row(tx: Transaction, entry: Entry, now: datetime) -> dict[str, object]:
    commitments = {}
    if entry.personal:
        assert entry.customer_key is not None, "personal values belong to a customer"
        key = _key_of(tx, entry.customer_key)
        commitments = {name: commitment(key, name, value) for name, value in entry.personal.items()}
    body = canonical(
        {
            "version": 1,
            "happened_at": entry.happened_at.isoformat(),
            "recorded_at": now.isoformat(),
            "actor": entry.actor,
            "action": entry.action,
            "subject": {"kind": entry.subject.kind, "id": entry.subject.id},
            "cause": entry.cause,
            "facts": dict(entry.facts),
            "personal": commitments,
        }
    )
    return {
        "happened_at": entry.happened_at,
        "recorded_at": now,
        "actor": entry.actor,
        "action": entry.action,
        "subject_kind": entry.subject.kind,
        "subject_id": entry.subject.id,
        "body": body,
    }


class _Subject(TypedDict):
    kind: str
    id: str


class EntryBody(TypedDict):
    """What the sealed bytes of an entry say; instants in ISO 8601."""

    version: int
    happened_at: str
    recorded_at: str
    actor: str
    action: str
    subject: _Subject
    cause: str | None
    facts: Mapping[str, object]
    personal: Mapping[str, str]


_WRITTEN = EntryBody.__annotations__.keys() - {"version"}


def said_in(body: bytes) -> EntryBody | None:
    """What an entry's bytes say; None where they do not say what every entry of ours does."""
    try:
        said: EntryBody = json.loads(body)
    except (ValueError, RecursionError):
        return None
    is_ours = (
        isinstance(said, dict) and said.keys() >= _WRITTEN and isinstance(said["personal"], dict)
    )
    return (
        said if is_ours and all(isinstance(one, str) for one in said["personal"].values()) else None
    )


def commitment(key: bytes, name: str, value: str) -> str:
    """What the entry holds in place of a personal value."""
    return "hmac-sha256:" + hmac.new(key, f"{name}\n{value}".encode(), hashlib.sha256).hexdigest()


def _key_of(tx: Transaction, customer_key: str) -> bytes:
    fresh = {"customer_key": customer_key, "key": secrets.token_bytes(32)}
    made = tx.execute(
        tx.insert(personal_key).values(fresh).on_conflict_do_nothing().returning(personal_key.c.key)
    )
    key = made.scalar()
    if key is None:
        key = tx.execute(
            select(personal_key.c.key).where(personal_key.c.customer_key == customer_key)
        ).scalar_one()
    return bytes(key)


_MACHINES = (Machine.JUDGE, Machine.FOLLOW_UP, Machine.DELIVERY)


def last_done(
    tx: Transaction, subject_kind: str, subject_id: str, actions: Sequence[str]
) -> datetime | None:
    """When one of these was last recorded of a subject."""
    a = audit_entry.c
    wanted = (a.subject_kind == subject_kind, a.subject_id == subject_id, a.action.in_(actions))
    return tx.execute(select(func.max(a.recorded_at)).where(*wanted)).scalar()


def touched_by_people(tx: Transaction, subject_kind: str, subject_id: str) -> bool:
    """Whether anybody has done anything about it, besides the product itself."""
    e = audit_entry.c
    mine = (e.subject_kind == subject_kind, e.subject_id == subject_id, e.actor.not_in(_MACHINES))
    return tx.execute(select(e.id).where(*mine).limit(1)).first() is not None


def entries_of(
    tx: Transaction, subject_kind: str, subject_id: str, *, personal_values: bool = True
) -> list[RecordedEntry]:
    """The entries about one subject, oldest first, with the personal values that still exist if
    they are wanted.

    One that somebody has made unreadable is left out: `alerting audit verify` names it.
    """
    mine = (audit_entry.c.subject_kind == subject_kind, audit_entry.c.subject_id == subject_id)
    rows = tx.rows(EntryRow, select(*columns()).where(*mine).order_by(audit_entry.c.id))
    personal = _values_of(tx, [row.id for row in rows] if personal_values else [])
    return [
        RecordedEntry(
            id=row.id,
            actor=said["actor"],
            action=said["action"],
            cause=said["cause"],
            happened_at=row.happened_at,
            recorded_at=row.recorded_at,
            facts=Fields(said["facts"]),
            commitments=said["personal"],
            personal_values=personal.get(row.id, {}),
        )
        for row in rows
        if (said := said_in(bytes(row.body))) is not None
    ]


def _values_of(tx: Transaction, entries: Sequence[int]) -> dict[int, dict[str, str]]:
    """The personal values that still exist, by entry and name."""
    found: dict[int, dict[str, str]] = {}
    if entries:
        for row in tx.execute(select(personal_value).where(personal_value.c.entry_id.in_(entries))):
            found.setdefault(row.entry_id, {})[row.name] = row.value
    return found
