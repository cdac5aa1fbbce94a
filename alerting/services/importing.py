"""Importing customers from a table: each changed customer becomes a `customer.updated` event and goes through intake."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from alerting.database import customers, staffing
from alerting.domain.customers import apply_change
from alerting.domain.errors import UnreadableEvent
from alerting.domain.events import parse_event
from alerting.services.context import Context
from alerting.services.customer_rows import Row, RowReader, Table
from alerting.services.intake import Record, take_records

CHUNK = 200
"""Customers of one transaction."""


@dataclass(kw_only=True)
class Imported:
    """What came of it; `bad` and `warnings` hold (line, reason)."""

    changed: int = 0
    unchanged: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)


@dataclass(kw_only=True)
class Given:
    """What a table gives of one customer: its first row, and the contacts of further ones."""

    customer_id: str
    lines: list[int] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def add(self, line: int, changes: Mapping[str, Any]) -> None:
        """Join a row. Raises ValueError for a further one that adds no contact, or contradicts an earlier one."""
        contacts = self.changes.get("contacts", [])
        fresh = [contact for contact in changes.get("contacts", []) if contact not in contacts]
        if self.lines and not fresh:
            raise ValueError(
                f"customer_id: {self.customer_id} stands in line {self.lines[0]} already, and this row adds no contact"
            )
        before = _flat(self.changes)
        for name, value in _flat(changes).items():
            if before.get(name, value) != value:
                raise ValueError(
                    f"{name}: line {self.lines[0]} gives {self.customer_id} {before[name]!r}; "
                    "further rows of a customer add contacts and leave the rest empty"
                )
        self.lines.append(line)
        self.changes = apply_change(self.changes, {**changes, **({"contacts": [*contacts, *fresh]} if fresh else {})})


def _flat(changes: Mapping[str, Any]) -> dict[str, Any]:
    free = {f"attributes.{name}": value for name, value in changes.get("attributes", {}).items()}
    return {name: value for name, value in changes.items() if name not in {"attributes", "contacts"}} | free


def import_customers(ctx: Context, table: Table, progress: Callable[[int], None] = lambda more: None) -> Imported:
    """Import a table; a bad row is reported and does not stop the rest. The same file again changes nothing.

    `progress` is told how many more rows are done.
    """
    with ctx.db.read() as tx:
        declared = ctx.shelf.active(tx).attributes
    result = Imported()
    every = _gather(RowReader(table=table, declared=declared), table.rows, result)
    progress(len(result.bad))
    _warn_of_owners(ctx, every, result)
    for start in range(0, len(every), CHUNK):
        chunk = every[start : start + CHUNK]
        _take_chunk(ctx, table.name, chunk, result)
        progress(sum(len(given.lines) for given in chunk))
    result.bad.sort()
    return result


def _gather(reader: RowReader, rows: Sequence[Row], result: Imported) -> list[Given]:
    """The good rows by customer, sorted."""
    found: dict[str, Given] = {}
    spoilt: dict[str, int] = {}
    for row in rows:
        try:
            changes = reader.read(row)
        except ValueError as error:
            result.bad.append((row.line, str(error)))
            if row.gives_contact or row.customer_id not in found:
                spoilt.setdefault(row.customer_id, row.line)
            continue
        try:
            found.setdefault(row.customer_id, Given(customer_id=row.customer_id)).add(row.line, changes)
        except ValueError as error:
            result.bad.append((row.line, str(error)))
    for customer_id in found.keys() & spoilt.keys():
        # contacts are replaced whole: those we have, and the bad row names, would go
        reason = f"customer_id: line {spoilt[customer_id]} of the same customer is bad, and its rows are taken together"
        result.bad += [(line, reason) for line in found.pop(customer_id).lines]
    return [found[customer_id] for customer_id in sorted(found)]


def _warn_of_owners(ctx: Context, every: Sequence[Given], result: Imported) -> None:
    """An event cannot know who works here, and somebody may be hired tomorrow: the row is taken."""
    with ctx.db.read() as tx:
        staff = staffing.staff_at(tx, tx.now())
    strangers: dict[str, list[int]] = {}
    for given in every:
        owner = given.changes.get("owner")
        if owner and staff.by_id_or_email(owner) is None:
            strangers.setdefault(owner, []).append(given.lines[0])
    for owner, lines in strangers.items():
        near = get_close_matches(owner, staff.parties, n=1, cutoff=0.7)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        more = f" (and in {len(lines) - 1} more)" if len(lines) > 1 else ""
        result.warnings.append((min(lines), f"owner: {owner!r} is nobody in people.yaml{more}{hint}"))
    result.warnings.sort()


def _take_chunk(ctx: Context, file_name: str, chunk: Sequence[Given], result: Imported) -> None:
    with ctx.db.read() as tx:
        now = tx.now()
        histories = customers.histories(tx, [given.customer_id for given in chunk])
    records = []
    for given in chunk:
        versions = histories[given.customer_id].versions
        state = versions[-1][1] if versions else {}
        if versions and apply_change(state, given.changes) == state:
            result.unchanged += 1
            continue
        record = _record(file_name, given, now)
        try:
            # what intake could not read would become a dead letter, and replaying it no use: the file must be mended
            parse_event(record.value, record.headers, now)
            records.append(record)
        except UnreadableEvent as error:
            result.bad += [(line, str(error)) for line in given.lines]
    if records:
        result.changed += take_records(ctx, records).events


def _record(file_name: str, given: Given, now: datetime) -> Record:
    """The row as an event. Its id holds the moment: a value that returns to what it was is a change, not a repetition."""
    data = {"customer_id": given.customer_id, **given.changes}
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
    line = given.lines[0]
    return Record(place=f"{file_name}:{line}@{envelope['id']}", offset=line, value=value, headers={}, timestamp=now)
