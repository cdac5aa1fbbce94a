"""Importing customers from a table: each changed row becomes a `customer.updated` event and goes through intake."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from alerting.database import customers
from alerting.domain.customers import apply_change
from alerting.domain.payloads import CustomerUpdated
from alerting.services.context import Context
from alerting.services.intake import Record, take_records

CHUNK = 200
"""Customers of one transaction."""

_NUMBERS = {"revenue_with_us": float, "employees": int}
_CONTACT = {
    "contact_name": "name",
    "contact_role": "role",
    "contact_email": "email",
    "contact_phone": "phone",
    "call_from": "call_from",
    "call_to": "call_to",
}
_PLAIN = (
    "name", "parent", "revenue_with_us", "industry", "country", "region", "city", "employees", "lifecycle",
    "renewal_date", "owner", "language", "time_zone",
)  # fmt: skip
COLUMNS = ("customer_id", *_PLAIN, *_CONTACT)
"""What a table may have beside `attribute.<name>` columns. Several rows of one customer add contacts."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the file: its line, and its cells by column. Empty cells say nothing."""

    line: int
    cells: Mapping[str, str]


@dataclass(kw_only=True)
class Imported:
    """What came of it; `bad` holds (line, reason)."""

    changed: int = 0
    unchanged: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)


def unknown_columns(columns: Iterable[str]) -> list[str]:
    return [name for name in columns if name not in COLUMNS and not name.startswith("attribute.")]


def import_customers(
    ctx: Context, file_name: str, rows: Iterable[Row], progress: Callable[[int], None] = lambda more: None
) -> Imported:
    """Import rows; a bad one is reported and does not stop the rest. The same file again changes nothing.

    `progress` is told how many more customers are done.
    """
    result = Imported()
    changes: dict[str, tuple[int, dict[str, Any]]] = {}
    for row in rows:
        try:
            customer_id, given = _read(row.cells)
        except ValueError as error:
            result.bad.append((row.line, str(error)))
            continue
        _, merged = changes.setdefault(customer_id, (row.line, {}))
        contacts = merged.get("contacts", []) + [
            c for c in given.pop("contacts", []) if c not in merged.get("contacts", [])
        ]
        merged.update(given)
        if contacts:
            merged["contacts"] = contacts
    items = sorted(changes.items())
    for start in range(0, len(items), CHUNK):
        _take_chunk(ctx, file_name, items[start : start + CHUNK], result)
        progress(len(items[start : start + CHUNK]))
    return result


def _take_chunk(
    ctx: Context, file_name: str, items: Sequence[tuple[str, tuple[int, dict[str, Any]]]], result: Imported
) -> None:
    with ctx.db.read() as tx:
        now = tx.now()
        histories = customers.histories(tx, [customer_id for customer_id, _ in items])
    records = []
    for customer_id, (line, given) in items:
        versions = histories[customer_id].versions
        state = versions[-1][1] if versions else {}
        if versions and apply_change(state, given) == state:
            result.unchanged += 1
            continue
        records.append(_record(file_name, line, customer_id, given, now))
    if records:
        take_records(ctx, records)
        result.changed += len(records)


def _record(file_name: str, line: int, customer_id: str, given: Mapping[str, Any], now: datetime) -> Record:
    """The row as an event. Its id holds the moment: a value that returns to what it was is a change, not a repetition."""
    data = {"customer_id": customer_id, **given}
    content = json.dumps([now.isoformat(), data], sort_keys=True)
    envelope = {
        "specversion": "1.0",
        "type": "customer.updated",
        "source": f"import:{file_name}"[:200],
        "id": hashlib.sha256(content.encode()).hexdigest()[:32],
        "time": now.isoformat(),
        "data": data,
    }
    value = json.dumps(envelope, ensure_ascii=False).encode()
    return Record(place=f"{file_name}:{line}@{envelope['id']}", offset=line, value=value, headers={}, timestamp=now)


def _read(cells: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """One row as changes. Raises ValueError that names the column."""
    given: dict[str, Any] = {"customer_id": cells.get("customer_id", "").strip()}
    if not given["customer_id"]:
        raise ValueError("customer_id: is empty")
    contact: dict[str, Any] = {}
    for column, text in cells.items():
        value = text.strip()
        if not value or column == "customer_id":
            continue
        if column in _CONTACT:
            contact[_CONTACT[column]] = value
        elif column.startswith("attribute."):
            given.setdefault("attributes", {})[column.removeprefix("attribute.")] = value
        elif column in _PLAIN:
            given[column] = _number(column, value) if column in _NUMBERS else value
    if contact:
        given["contacts"] = [contact]
    try:
        event = CustomerUpdated.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"] if not isinstance(part, int))
        raise ValueError(f"{place}: {first['msg'].removeprefix('Value error, ')}") from error
    return event.customer_id, event.changes()


def _number(column: str, text: str) -> int | float:
    """A number as spreadsheets write it: `310000`, `310,000`, `310000.50`."""
    try:
        number = _NUMBERS[column](text.replace(",", "").replace(" ", "").replace("_", ""))
    except ValueError as error:
        raise ValueError(f"{column}: {text!r} is not a number") from error
    return int(number) if number == int(number) else number
