"""The rows of a table gathered by customer: several rows of one are taken together, whatever stands
between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from alerting.domain.customers.customers import apply_change
from alerting.domain.imports.customer_fields import FREE, contact_of
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.services.imports.changes import attributes_of, contacts_of
from alerting.services.imports.customer_table import Row
from alerting.services.imports.read_row import Reading, RowReader


@dataclass(kw_only=True)
class Gathered:
    """What was found on the way through the file. `bad` and `warnings` hold (line, reason)."""

    rows: int = 0
    done: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    warnings: list[tuple[int, str]] = field(default_factory=list)


class RowGroup(NamedTuple):
    """All rows of one customer."""

    key: str
    rows: Sequence[Row]


@dataclass(kw_only=True)
class Given:
    """What a table gives of one customer: its first row, and the contacts of further ones.

    `payload` is what was validated, as long as no further row was joined.
    """

    customer_id: str
    lines: list[int] = field(default_factory=list)
    changes: dict[str, object] = field(default_factory=dict)
    payload: CustomerUpdated | None = None
    empty: set[str] = field(default_factory=set)
    doubted: set[str] = field(default_factory=set)
    """Names of contacts in rows that were refused for something else they say."""

    def keep_doubted(self, known: Mapping[str, object]) -> None:
        """Contacts are replaced whole: one that is known, and stands in a refused row, stays as it
        was.
        """
        given = contacts_of(self.changes)
        if given and self.doubted:
            stood = [one for one in contacts_of(known) if one.get("name") in self.doubted]
            kept = [one for one in stood if one not in given]
            self.changes, self.payload = {**self.changes, "contacts": [*given, *kept]}, None

    def add(self, reading: Reading) -> None:
        """Join a row. Raises ValueError for a further one that adds no contact, or contradicts an
        earlier one.
        """
        self.empty |= set(reading.empty)
        if not self.lines:
            self.lines, self.changes, self.payload = (
                [reading.line],
                reading.changes,
                reading.payload,
            )
            return
        contacts = contacts_of(self.changes)
        fresh = [contact for contact in contacts_of(reading.changes) if contact not in contacts]
        if not fresh:
            raise ValueError(
                f"customer_id: {self.customer_id} stands in line {self.lines[0]} already, and this "
                "row adds no contact"
            )
        before = _flat(self.changes)
        for name, value in _flat(reading.changes).items():
            if before.get(name, value) != value:
                self.doubted |= {str(contact.get("name")) for contact in fresh}
                raise ValueError(
                    f"{name}: line {self.lines[0]} gives {self.customer_id} {before[name]!r}; "
                    "further rows of a customer add contacts and leave the rest empty"
                )
        self.lines.append(reading.line)
        self.changes = apply_change(
            self.changes, {**reading.changes, "contacts": [*contacts, *fresh]}
        )
        self.payload = None

    def clear_empty(self) -> None:
        """What no row of the customer gives is taken away."""
        given = _flat(self.changes).keys()
        cleared: dict[str, object] = {}
        attributes: dict[str, object] = {}
        for name in sorted(self.empty - given - {"customer_id"}):
            if name.startswith(FREE):
                attributes[name.removeprefix(FREE)] = None
            elif not contact_of(name):
                cleared[name] = None
            elif "contacts" not in self.changes:
                cleared["contacts"] = None
        if cleared or attributes:
            attributes |= attributes_of(self.changes)
            self.changes = {
                **cleared,
                **self.changes,
                **({"attributes": attributes} if attributes else {}),
            }
            self.payload = None


def _flat(changes: Mapping[str, object]) -> dict[str, object]:
    free = {f"{FREE}{name}": value for name, value in attributes_of(changes).items()}
    return {
        name: value for name, value in changes.items() if name not in {"attributes", "contacts"}
    } | free


def groups(
    reader: RowReader, names: dict[str, list[str]] | None, found: Gathered
) -> Iterator[RowGroup]:
    """The rows by customer, each when its last row is reached. `names`: keys by name, where there
    are no ids.
    """
    repeated = _look_through(reader, names, found)
    pending: dict[str, list[Row]] = {}
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
            yield RowGroup(key=key, rows=(row,))
            continue
        waiting = pending.setdefault(key, [])
        waiting.append(row)
        if len(waiting) == repeated[key]:
            yield RowGroup(key=key, rows=pending.pop(key))


def _look_through(
    reader: RowReader, names: dict[str, list[str]] | None, found: Gathered
) -> dict[str, int]:
    """Show every row to the reader; returns the customers that have several rows, with how many."""
    seen: set[str] = set()
    repeated: dict[str, int] = {}
    for row in reader.table.rows():
        found.rows += 1
        if row.problem is None and reader.is_total(row):
            continue
        reader.look(row)
        try:
            key = _key(reader, names, row)
        except ValueError:
            continue
        if names is not None:
            names.setdefault(
                key.casefold(), [key]
            )  # the first spelling of the file is the customer's key
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
        raise ValueError(
            f"name: {key!r} is the name of {' and '.join(sorted(known)[:5])}; add a column "
            "customer_id"
        )
    return known[0] if known else key


def read_group(reader: RowReader, group: RowGroup, bad: list[tuple[int, str]]) -> Given | None:
    """What the rows of a customer say; None where nothing of it can be taken. Bad rows are added to
    `bad`.
    """
    given = Given(customer_id=group.key)
    spoilt: int | None = None
    for row in group.rows:
        try:
            reading = reader.read(row, group.key)
        except ValueError as error:
            bad.append((row.line, str(error)))
            if spoilt is None and (not given.lines or reader.gives_contact(row)):
                spoilt = row.line
            continue
        try:
            given.add(reading)
        except ValueError as error:
            bad.append((row.line, str(error)))
    if spoilt is not None and given.lines:
        # contacts are replaced whole: those we have, and the bad row names, would go
        reason = (
            f"customer_id: line {spoilt} of the same customer is bad, and its rows are taken "
            "together"
        )
        bad += [(line, reason) for line in given.lines]
        return None
    if given.empty:
        given.clear_empty()
    return given if given.lines else None
