"""The cells of one column read as values of its field, whether the file holds texts or real numbers
and days.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from alerting.domain.conditions import Type
from alerting.domain.conditions.facts import WrongType
from alerting.domain.imports.customer_fields import FREE, contact_of
from alerting.domain.imports.written_dates import DayOrder, read_day, telling_order
from alerting.domain.imports.written_money import Unit, split_amount
from alerting.domain.imports.written_numbers import (
    Mark,
    looks_like_number,
    read_number,
    telling_mark,
)
from alerting.domain.people.places import country_named, language_named
from alerting.services.imports.cell_values import (
    ERRORS,
    as_text,
    boolean,
    clock,
    is_missing,
    moment,
    plain_number,
    shown,
    texts,
)
from alerting.services.imports.customer_table import Cell, Column

_CENTS = re.compile("[0-9]+,[0-9]{2}")


_NUMERIC = {Type.NUMBER, Type.NUMERIC, Type.BIGINT}
_TRANSLATED = {"country", "language", "owner"}
_KINDS = {"revenue_with_us": Type.NUMBER, "employees": Type.BIGINT, "renewal_date": Type.DATE}
_REMEMBERED = 20_000
"""Texts of a column whose value is kept."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the installation knows that a file may rely on: types of attributes, the currency,
    people by their names.
    """

    declared: Mapping[str, Type] = field(default_factory=dict)
    currency: str = "EUR"
    owners: Mapping[str, str] = field(default_factory=dict)


class ColumnReader:
    """Reads one column. How it writes numbers and days is known from all of it, so every cell is
    shown to `look` first.

    An attribute declared nowhere is a number or true/false where all of its column is, else text.
    """

    def __init__(self, column: Column, known: Known, decimal_comma: bool) -> None:
        self.column = column
        self._known = known
        self._free = column.field.removeprefix(FREE) if column.field.startswith(FREE) else None
        self.kind = self._kind()
        self.needs_look = self.kind is None or self.kind in {*_NUMERIC, Type.DATE}
        self._marks: set[Mark] = {","} if decimal_comma else set()
        if column.decimal:
            self._marks = {column.decimal}
        self._orders: set[DayOrder] = {column.days} if column.days else set()
        self._numbers = self._booleans = True
        self.values: dict[str, object] = {}
        """Texts that were read before: countries and owners come again and again."""
        self.plain = (
            self.kind is Type.TEXT
            and self._free is None
            and column.field not in _TRANSLATED
            and not column.values
        )
        self._reader: Callable[[object], object] | None = None

    def _kind(self) -> Type | None:
        if self._free is not None:
            return self._known.declared.get(self._free)
        return _KINDS.get(self.column.field, Type.TEXT)

    def look(self, cell: Cell) -> None:
        """Learn from a cell how its column is written."""
        if not isinstance(cell, str):
            if cell is not None:
                self._booleans &= isinstance(cell, bool)
                self._numbers &= isinstance(cell, (int, float, Decimal)) and not isinstance(
                    cell, bool
                )
            return
        text = self._meant(cell)
        if not text or is_missing(text):
            return
        if self.kind is Type.DATE:
            if not self.column.days and (order := telling_order(text)):
                self._orders.add(order)
            return
        if self.kind is None:
            self._booleans = self._booleans and text.casefold() in {"true", "false"}
            self._numbers = self._numbers and looks_like_number(text)
        if not self.column.decimal and not text.isdigit() and (mark := _told_by(text)):
            self._marks.add(mark)

    def read(self, cell: Cell) -> object:
        """A cell as JSON value; None for one that says nothing. Raises ValueError with the
        remedy.
        """
        if not isinstance(cell, str):
            return None if cell is None else self._read(cell)
        found = self._read_text(cell)
        if len(self.values) < _REMEMBERED:
            self.values[cell] = found
        return found

    def _meant(self, cell: str) -> str:
        text = cell.strip()
        return self.column.values.get(text.casefold(), text) if self.column.values else text

    def _read_text(self, cell: str) -> object:
        text = self._meant(cell)
        if (
            not text
            or text in ERRORS
            or (self.column.field not in {"customer_id", "name"} and is_missing(text))
        ):
            return None
        return self._read(text)

    def _read(self, cell: object) -> object:
        self._reader = self._reader or self._chosen()
        try:
            return self._reader(cell)
        except (ValueError, WrongType) as error:
            loose = self._free is not None and self._free not in self._known.declared
            hint = "; or declare it as text in rules/attributes.yaml" if loose else ""
            raise ValueError(f"{self.column.label}: {error}{hint}") from error

    def _chosen(self) -> Callable[[object], object]:
        """Once the column was looked through."""
        kind = self.kind or self._kind_found()
        if kind in _NUMERIC:
            return self._whole if kind is Type.BIGINT else self._number
        special: dict[str, Callable[[object], object]] = {
            "country": lambda cell: country_named(as_text(cell)),
            "language": lambda cell: language_named(as_text(cell)),
            "owner": self._owner,
            "call_from": clock,
            "call_to": clock,
            "contacts": lambda cell: cell,
        }
        readers: dict[Type, Callable[[object], object]] = {
            Type.BOOLEAN: boolean,
            Type.TEXTS: texts,
            Type.DATE: self._day,
            Type.TIME: moment,
        }
        if self._free is not None and kind is Type.TEXT:
            return lambda cell: cell.strip() if isinstance(cell, str) else as_text(cell)
        part = contact_of(self.column.field)
        return special.get(part[1] if part else self.column.field) or readers.get(kind, as_text)

    def _kind_found(self) -> Type:
        """What all of a column is that was declared nowhere."""
        if self._booleans:
            return Type.BOOLEAN
        return Type.NUMBER if self._numbers else Type.TEXT

    def _number(self, cell: object) -> int | float:
        """With its unit: the cell's own, else the heading's or the mapping's."""
        unit = self.column.unit
        value: int | float | Decimal
        if isinstance(cell, str) and len(cell) <= 15 and cell.isascii() and cell.isdigit():
            value = int(cell)
        elif isinstance(cell, str):
            text, own = split_amount(cell)
            mark = next(iter(self._marks)) if len(self._marks) == 1 else None
            value = read_number(text, mark)
            if own.factor == 1 and own.currency and unit.factor != 1:
                raise ValueError(
                    f"{shown(cell)} stands in a column of {unit.factor}; write the number alone"
                )
            unit = Unit(
                factor=own.factor if own.factor != 1 else unit.factor,
                currency=own.currency or unit.currency,
            )
        elif isinstance(cell, bool) or not isinstance(cell, (int, float, Decimal)):
            raise ValueError(f"{shown(cell)} is not a number; format the cell as one")
        else:
            value = cell
        self.check_currency(unit)
        return plain_number(value, unit.factor * self.column.rate)

    def check_currency(self, unit: Unit) -> None:
        """Raises ValueError for another currency than the one all revenue is kept in."""
        kept = self.column.currency or self._known.currency
        if unit.currency not in {None, kept} and self._free is None:
            raise ValueError(
                f"is in {unit.currency}, and kept is {kept}; convert it, or give `currency: "
                f"{unit.currency}` and "
                "`factor:` for the column in a mapping file"
            )

    def _whole(self, cell: object) -> int:
        number = self._number(cell)
        if not isinstance(number, int):
            raise ValueError(f"{shown(cell)} is not a whole number")
        return number

    def _day(self, cell: object) -> str:
        if isinstance(cell, datetime):
            return cell.date().isoformat()
        if isinstance(cell, date):
            return cell.isoformat()
        if not isinstance(cell, str):
            raise ValueError(f"{shown(cell)} is no day; format the column as dates")
        return read_day(
            cell, next(iter(self._orders)) if len(self._orders) == 1 else None
        ).isoformat()

    def _owner(self, cell: object) -> str:
        text = as_text(cell)
        return self._known.owners.get(text.casefold(), text)


def _told_by(text: str) -> Mark | None:
    """How a column writes decimals, by one of its cells. `250,50 €` has cents; a bare `250,50` may
    be a slip.
    """
    number, unit = split_amount(text)
    return "," if unit.currency and _CENTS.fullmatch(number) else telling_mark(number)
