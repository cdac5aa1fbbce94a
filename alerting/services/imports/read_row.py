"""The rows of a table read as changes of customers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from alerting.domain.imports.customer_fields import CONTACT, FREE, contact_of
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.services.imports.cell_values import ERRORS, MAYBE_NOTHING, as_text, is_missing
from alerting.services.imports.changes import attributes_of
from alerting.services.imports.customer_table import Cell, Row, Table
from alerting.services.imports.read_cell import ColumnReader, Known

TOTALS = frozenset(
    {
        "total",
        "totals",
        "grand total",
        "sum",
        "summe",
        "gesamt",
        "gesamtsumme",
        "zwischensumme",
        "subtotal",
    }
)
"""What stands in the last row of a sheet, which is no customer."""


_LONGEST_TOTAL = 20


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One good row: whose it is, what it says as `customer.updated` does, and which fields it
    leaves empty.
    """

    line: int
    customer_id: str
    payload: CustomerUpdated
    changes: dict[str, object]
    empty: Sequence[str] = ()


@dataclass(kw_only=True)
class Errors:
    """Cells of one column that show an error of the spreadsheet."""

    shown: str
    first_line: int
    count: int = 0


class RowReader:
    """Reads the rows of one table; show every row to `look` before the first is read."""

    def __init__(self, table: Table, known: Known, *, note_empty: bool = False) -> None:
        self.table = table
        self.errors: dict[str, Errors] = {}
        self._note_empty = note_empty
        self._columns = [
            ColumnReader(column, known, table.decimal_comma) for column in table.columns
        ]
        self._places = [
            (
                reader,
                name,
                name.removeprefix(FREE) if name.startswith(FREE) else None,
                contact_of(name),
            )
            for reader in self._columns
            for name in [reader.column.field]
        ]
        self._looked = [
            (at, column) for at, column in enumerate(self._columns) if column.needs_look
        ]
        self._ids = _places(table, "customer_id") or _places(table, "name")
        self._contacts = table.contact_places
        self._named = any(part == "name" or "_name" in part for _, part in self._parts())
        for reader in self._columns:
            try:
                reader.check_currency(reader.column.unit)
            except ValueError as error:
                raise ValueError(f"{reader.column.label}: {error}") from error

    def _parts(self) -> list[tuple[int, str]]:
        return [part for column in self.table.columns if (part := contact_of(column.field))]

    @property
    def by_name(self) -> bool:
        """Whether no column holds ids, and names stand for them."""
        return not _places(self.table, "customer_id")

    def key_of(self, row: Row) -> str:
        """The customer a row is about: its id, or else its name."""
        at = self._ids[0]
        cell = row.cells[at] if at < len(row.cells) else None
        if isinstance(cell, str):
            text = cell.strip()
            if text in ERRORS:
                return ""
            return text if text.isprintable() else " ".join(text.split())
        return "" if cell is None else as_text(cell)

    def gives_contact(self, row: Row) -> bool:
        """Whether a cell of a contact says anything."""
        return any(not is_empty(row.cells[at]) for at in self._contacts if at < len(row.cells))

    def is_total(self, row: Row) -> bool:
        """Whether a row sums up the others: beside the word there are numbers alone. A customer may
        be called Total.
        """
        first = next((cell for cell in row.cells if cell is not None and cell != ""), None)
        if (
            not isinstance(first, str)
            or len(first) > _LONGEST_TOTAL
            or first.strip().casefold().rstrip(": ") not in TOTALS
        ):
            return False
        texts = [cell for cell in row.cells if isinstance(cell, str) and cell is not first]
        return not any(re.search(r"[^\W\d_]{4}", cell) for cell in texts)

    def look(self, row: Row) -> None:
        """Learn from a row how its columns are written."""
        for at, column in self._looked:
            if at < len(row.cells):
                column.look(row.cells[at])

    def read(self, row: Row, key: str) -> Reading:
        """One row as `customer.updated` says it. Raises ValueError that names the column and what
        to do.
        """
        if row.problem:
            raise ValueError(row.problem)
        if not key:
            raise ValueError(f"{self.table.columns[self._ids[0]].label}: is empty")
        given: dict[str, object] = {**self.table.fixed, "customer_id": key}
        free: dict[str, object] = {}
        contacts: dict[int, dict[str, object]] = {}
        empty = []
        for cell, (reader, name, attribute, part) in zip(row.cells, self._places, strict=False):
            value = self._value(cell, reader, row)
            if value is None:
                if self._note_empty and is_empty(cell):
                    empty.append(name)
            elif attribute is not None:
                free[attribute] = value
            elif part is not None:
                contacts.setdefault(part[0], {})[part[1]] = value
            elif name != "customer_id":
                given[name] = value
        payload = self._validated(self._gathered(given, free, contacts))
        return Reading(
            line=row.line, customer_id=key, payload=payload, changes=payload.changes(), empty=empty
        )

    def _gathered(
        self,
        given: dict[str, object],
        free: dict[str, object],
        contacts: dict[int, dict[str, object]],
    ) -> dict[str, object]:
        """What the columns say, with free attributes and contacts in their places."""
        if free:
            given["attributes"] = {**attributes_of(given), **free}
        if contacts:
            given["contacts"] = [self._contact(contacts[n], given) for n in sorted(contacts)]
        return given

    def _value(self, cell: Cell, reader: ColumnReader, row: Row) -> object:
        """Most cells are plain texts, or were read before: those come first."""
        if cell is None or cell == "":
            return None
        if isinstance(cell, str):
            if reader.plain and cell[0] not in MAYBE_NOTHING and cell.isprintable():
                return cell.strip()
            if cell in reader.values:
                return reader.values[cell]
        return self._value_anew(cell, reader, row)

    def _value_anew(self, cell: Cell, reader: ColumnReader, row: Row) -> object:
        if isinstance(cell, str):
            if not cell.isprintable():
                _refuse_control(
                    reader.column.label, cell, row, loose=reader.column.field.startswith(FREE)
                )
            if cell[0] == "#" and cell in ERRORS:
                found = self.errors.setdefault(
                    reader.column.label, Errors(shown=cell, first_line=row.line)
                )
                found.count += 1
                return None
        return reader.read(cell)

    def _contact(
        self, parts: Mapping[str, object], given: Mapping[str, object]
    ) -> dict[str, object]:
        """First and last names become one; an address nobody is named for is that of the customer's
        office.
        """
        found = {name: value for name, value in parts.items() if not name.endswith("_name")}
        names = [str(parts[name]) for name in ("first_name", "last_name") if name in parts]
        if "name" not in found and names:
            found["name"] = " ".join(names)
        if "name" not in found and not self._named and ("email" in found or "phone" in found):
            found["name"] = given.get("name") or given["customer_id"]
        return found

    def _validated(self, given: Mapping[str, object]) -> CustomerUpdated:
        try:
            return CustomerUpdated.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            path = [
                str(part)
                for part in first["loc"]
                if not isinstance(part, int) and part not in {"int", "float"}
            ]
            missing = first["type"] == "missing"
            said = "is empty, and other cells of the contact are not" if missing else first["msg"]
            raise ValueError(
                f"{self._label(path)}: {said.removeprefix('Value error, ')}"
            ) from error

    def _label(self, path: Sequence[str]) -> str:
        """The column a finding is about."""
        field_name = ".".join(path)
        if path[0] == "contacts" and len(path) > 1:
            field_name = next(
                (name for name, part in CONTACT.items() if part == path[-1]), field_name
            )
        columns = (column for column in self.table.columns if column.field == field_name)
        return next((column.label for column in columns), field_name)


def is_empty(cell: Cell) -> bool:
    """Whether a cell says nothing. One with an error says that somebody knows: it clears
    nothing.
    """
    if isinstance(cell, str):
        text = cell.strip()
        return not text or (text not in ERRORS and is_missing(text))
    return cell is None


def _places(table: Table, name: str) -> list[int]:
    return [at for at, column in enumerate(table.columns) if column.field == name]


def _refuse_control(label: str, value: str, row: Row, *, loose: bool) -> None:
    """A line break in a name is a quote that was left open and closed by the quote of a later
    row.
    """
    if "\x00" in value:
        raise ValueError(f"{label}: holds a NUL character; save the file as CSV UTF-8")
    if not loose and ("\n" in value.strip() or "\r" in value.strip()) and row.last_line > row.line:
        raise ValueError(
            f"{label}: holds a line break: a quote opened in line {row.line} and closed in line "
            f"{row.last_line}; "
            "close it where the value ends, the lines between were not read"
        )
