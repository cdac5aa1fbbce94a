"""The rows of a table gathered by customer: several rows of one are taken together, whatever stands between them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alerting.domain.customer_fields import FREE, contact_of
from alerting.domain.customers import apply_change
from alerting.domain.payloads import CustomerUpdated
from alerting.services.customer_rows import Reading, RowReader
from alerting.services.customer_table import Row


@dataclass(kw_only=True)
class Gathered:
    """What was found on the way. `bad` and `warnings` hold (line, reason); `owners` the first line of each, and how many."""

    rows: int = 0
    done: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)
    owners: dict[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(kw_only=True)
class Given:
    """What a table gives of one customer: its first row, and the contacts of further ones.

    `payload` is what was validated, as long as no further row was joined.
    """

    customer_id: str
    lines: list[int] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    payload: CustomerUpdated | None = None
    empty: set[str] = field(default_factory=set)

    def add(self, reading: Reading) -> None:
        """Join a row. Raises ValueError for a further one that adds no contact, or contradicts an earlier one."""
        self.empty |= set(reading.empty)
        if not self.lines:
            self.lines, self.changes, self.payload = [reading.line], reading.changes, reading.payload
            return
        contacts = self.changes.get("contacts", [])
        fresh = [contact for contact in reading.changes.get("contacts", []) if contact not in contacts]
        if not fresh:
            raise ValueError(
                f"customer_id: {self.customer_id} stands in line {self.lines[0]} already, and this row adds no contact"
            )
        before = _flat(self.changes)
        for name, value in _flat(reading.changes).items():
            if before.get(name, value) != value:
                raise ValueError(
                    f"{name}: line {self.lines[0]} gives {self.customer_id} {before[name]!r}; "
                    "further rows of a customer add contacts and leave the rest empty"
                )
        self.lines.append(reading.line)
        self.changes = apply_change(self.changes, {**reading.changes, "contacts": [*contacts, *fresh]})
        self.payload = None

    def clear_empty(self) -> None:
        """What no row of the customer gives is taken away."""
        given = _flat(self.changes).keys()
        cleared: dict[str, Any] = {}
        for name in sorted(self.empty - given - {"customer_id"}):
            if name.startswith(FREE):
                cleared.setdefault("attributes", {})[name.removeprefix(FREE)] = None
            elif not contact_of(name):
                cleared[name] = None
            elif "contacts" not in self.changes:
                cleared["contacts"] = None
        if cleared:
            attributes = {**cleared.pop("attributes", {}), **self.changes.get("attributes", {})}
            self.changes = {**cleared, **self.changes, **({"attributes": attributes} if attributes else {})}
            self.payload = None


def _flat(changes: Mapping[str, Any]) -> dict[str, Any]:
    free = {f"{FREE}{name}": value for name, value in changes.get("attributes", {}).items()}
    return {name: value for name, value in changes.items() if name not in {"attributes", "contacts"}} | free


@dataclass(kw_only=True)
class _Pending:
    """A customer whose rows are not all read. `spoilt`: the first bad one, without which the others would lose contacts."""

    rows: int
    given: Given
    spoilt: int | None = None


def gather(reader: RowReader, names: dict[str, list[str]] | None, found: Gathered) -> Iterator[Given]:
    """The good rows by customer; a customer comes when its last row is read. `names`: keys by name, where there are no ids."""
    repeated = _look_through(reader, names, found)
    pending: dict[str, _Pending] = {}
    for row in reader.table.rows():
        found.done += 1
        if row.problem is None and reader.is_total(row):
            found.warnings.append((row.line, "looks like a total and is left out"))
            continue
        try:
            key = _key(reader, names, row)
        except ValueError as error:
            found.bad.append((row.line, str(error)))
            continue
        if key not in repeated:
            if given := _single(reader, row, key, found):
                yield _noted(given, names, found)
            continue
        waiting = pending.setdefault(key, _Pending(rows=repeated[key], given=Given(customer_id=key)))
        _join(reader, row, waiting, found)
        if waiting.rows == 0 and (whole := _whole(pending.pop(key), found)):
            yield _noted(whole, names, found)
    _note_errors(reader, found)


def _look_through(reader: RowReader, names: dict[str, list[str]] | None, found: Gathered) -> dict[str, int]:
    """Show every row to the reader; returns the customers that have several rows, with how many."""
    seen: set[str] = set()
    repeated: dict[str, int] = {}
    for row in reader.table.rows():
        found.rows += 1
        reader.look(row)
        try:
            key = _key(reader, names, row)
        except ValueError:
            continue
        if row.problem is None and reader.is_total(row):
            continue
        if names is not None:
            names.setdefault(key.casefold(), [key])  # the first spelling of the file is the customer's key
        if key in seen:
            repeated[key] = repeated.get(key, 1) + 1
        seen.add(key)
    return repeated


def _key(reader: RowReader, names: dict[str, list[str]] | None, row: Row) -> str:
    """Whose a row is. Raises ValueError where its name is that of several customers."""
    key = reader.key_of(row)
    if names is None:
        return key
    known = names.get(key.casefold(), [])
    if len(known) > 1:
        raise ValueError(f"name: {key!r} is the name of {' and '.join(sorted(known)[:5])}; add a column customer_id")
    return known[0] if known else key


def _single(reader: RowReader, row: Row, key: str, found: Gathered) -> Given | None:
    """The ordinary case: the only row of its customer."""
    try:
        reading = reader.read(row, key)
    except ValueError as error:
        found.bad.append((row.line, str(error)))
        return None
    given = Given(customer_id=key)
    given.add(reading)
    return given


def _join(reader: RowReader, row: Row, waiting: _Pending, found: Gathered) -> None:
    waiting.rows -= 1
    try:
        reading = reader.read(row, waiting.given.customer_id)
    except ValueError as error:
        found.bad.append((row.line, str(error)))
        if waiting.spoilt is None and (reader.gives_contact(row) or not waiting.given.lines):
            waiting.spoilt = row.line
        return
    try:
        waiting.given.add(reading)
    except ValueError as error:
        found.bad.append((row.line, str(error)))


def _whole(pending: _Pending, found: Gathered) -> Given | None:
    given = pending.given
    if pending.spoilt is not None:
        # contacts are replaced whole: those we have, and the bad row names, would go
        reason = f"customer_id: line {pending.spoilt} of the same customer is bad, and its rows are taken together"
        found.bad += [(line, reason) for line in given.lines]
        return None
    return given if given.lines else None


def _noted(given: Given, names: dict[str, list[str]] | None, found: Gathered) -> Given:
    """With what its columns leave empty, and its owner noted. Where names stand for ids, they do so for groups, too."""
    if given.empty:
        given.clear_empty()
    parent = given.changes.get("parent")
    if names is not None and parent is not None and len(group := names.get(parent.casefold(), [])) == 1:
        given.changes, given.payload = {**given.changes, "parent": group[0]}, None
    owner = given.changes.get("owner")
    if owner is not None:
        line, count = found.owners.get(owner, (given.lines[0], 0))
        found.owners[owner] = (line, count + 1)
    return given


def _note_errors(reader: RowReader, found: Gathered) -> None:
    for label, errors in reader.errors.items():
        cells = "1 cell shows" if errors.count == 1 else f"{errors.count} cells show"
        found.warnings.append((errors.first_line, f"{label}: {cells} {errors.shown}, read as not known"))
