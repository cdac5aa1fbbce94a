"""Importing customers from a table: each changed customer becomes a `customer.updated` event and goes through intake.

The rows are read twice and never held: the first time to learn how columns write numbers and days, and which customers
have several rows, the second time to take them.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from alerting.database import customers, rulebooks
from alerting.domain.customer_diff import CustomerDiff, field_changes
from alerting.domain.customers import apply_change
from alerting.domain.errors import ActionRefused, UnreadableEvent
from alerting.domain.events import Event, made_event
from alerting.domain.payloads import CustomerUpdated
from alerting.domain.people import Staff
from alerting.services.cells import Known
from alerting.services.context import Context
from alerting.services.customer_rows import RowReader
from alerting.services.customer_table import Table
from alerting.services.gathering import Gathered, Given, gather
from alerting.services.intake import take_events

CHUNK = 2_000
"""Customers of one transaction: what an interruption costs, and how long others may wait for a lock."""

SHOWN_OWNERS = 20
"""Unknown owners named one by one."""


@dataclass(kw_only=True)
class Imported:
    """What came of it; `bad` and `warnings` hold (line, reason)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How to import. `dry_run` writes nothing; `empty_clears`: an empty cell takes the value away we have.

    `progress` is told how many rows are done, and of how many; `tell` what becomes of each customer that is new or changed.
    """

    dry_run: bool = False
    empty_clears: bool = False
    progress: Callable[[int, int], None] = lambda done, of: None
    tell: Callable[[CustomerDiff], None] | None = None


ORDINARY = Wishes()


def import_customers(ctx: Context, table: Table, wishes: Wishes = ORDINARY) -> Imported:
    """Import a table; a bad row is reported and does not stop the rest. The same file again changes nothing."""
    with ctx.db.read() as tx:
        rulebook, staff = ctx.shelf.active(tx), rulebooks.staff_at(tx, tx.now())
    known = Known(declared=rulebook.attributes, currency=rulebook.currency, owners=_by_name(staff))
    try:
        reader = RowReader(table, known, note_empty=wishes.empty_clears)
    except ValueError as error:
        raise ActionRefused(f"{table.name}: {error}") from error
    found, result = Gathered(), Imported()
    names = _keys_by_name(ctx) if reader.by_name else None
    chunk: list[Given] = []
    for given in gather(reader, names, found):
        chunk.append(given)
        if len(chunk) >= CHUNK:
            _take_chunk(ctx, table.name, chunk, result, wishes)
            wishes.progress(found.done, found.rows)
            chunk = []
    _take_chunk(ctx, table.name, chunk, result, wishes)
    wishes.progress(found.done, found.rows)
    result.bad = sorted([*result.bad, *found.bad])
    result.warnings = sorted([*found.warnings, *_strangers(found.owners, staff)])
    return result


def _by_name(staff: Staff) -> dict[str, str]:
    """People as a sheet names them, where only one of them is called that. Their ids and addresses are taken as they are."""
    counts = Counter(party.name.casefold() for party in staff.parties.values())
    return {p.name.casefold(): p.id for p in staff.parties.values() if counts[p.name.casefold()] == 1}


def _keys_by_name(ctx: Context) -> dict[str, list[str]]:
    with ctx.db.read() as tx:
        return customers.keys_by_name(tx)


def _strangers(owners: dict[str, tuple[int, int]], staff: Staff) -> Iterator[tuple[int, str]]:
    """An event cannot know who works here, and somebody may be hired tomorrow: the row is taken."""
    strangers = {owner: seen for owner, seen in owners.items() if staff.by_id_or_email(owner) is None}
    for owner, (line, count) in sorted(strangers.items(), key=lambda item: item[1])[:SHOWN_OWNERS]:
        near = get_close_matches(owner, [*staff.parties, *(p.name for p in staff.parties.values())], n=1, cutoff=0.7)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        more = f" (and in {count - 1} more)" if count > 1 else ""
        yield line, f"owner: {owner!r} is nobody in people.yaml{more}{hint}"
    if len(strangers) > SHOWN_OWNERS:
        line = min(line for line, _ in strangers.values())
        yield line, f"owner: {len(strangers) - SHOWN_OWNERS} more are nobody in people.yaml"


def _take_chunk(ctx: Context, file_name: str, chunk: Sequence[Given], result: Imported, wishes: Wishes) -> None:
    with ctx.db.read() as tx:
        now = tx.now()
        states = customers.newest_states(tx, [given.customer_id for given in chunk])
    moment = now.isoformat()
    made: list[tuple[Event, str]] = []
    for given in chunk:
        before = states.get(given.customer_id)
        if before is not None and apply_change(before, given.changes) == before:
            result.unchanged += 1
            continue
        try:
            # what intake could not read would become a dead letter, and replaying it no use: the file must be mended
            made.append(_made(file_name, given, now, moment))
        except UnreadableEvent as error:
            result.bad += [(line, str(error)) for line in given.lines]
            continue
        result.new += before is None
        result.changed += before is not None
        if wishes.tell is not None:
            wishes.tell(_diff(given, before))
    if made and not wishes.dry_run:
        take_events(ctx, made)


def _diff(given: Given, before: dict[str, Any] | None) -> CustomerDiff:
    state = apply_change(before or {}, given.changes)
    return CustomerDiff(
        customer_id=given.customer_id,
        name=str(state.get("name") or given.customer_id),
        line=given.lines[0],
        new=before is None,
        fields=field_changes(before or {}, given.changes),
    )


def _made(file_name: str, given: Given, now: datetime, moment: str) -> tuple[Event, str]:
    """The row as an event. Its id holds the moment: a value that returns to what it was is a change, not a repetition."""
    data = {"customer_id": given.customer_id, **given.changes}
    content = json.dumps([moment, data], sort_keys=True)
    event_id = hashlib.sha256(content.encode()).hexdigest()[:32]
    payload = given.payload or CustomerUpdated.model_validate(data)
    event = made_event("customer.updated", f"import:{file_name}"[:200], event_id, now, payload, data)
    return event, f"{file_name}:{given.lines[0]}@{event_id}"
