"""A table of customers as services see it, whatever file it came from: its columns, and rows that
can be read again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import field as dataclass_field
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

from alerting.domain.errors import ActionRefused
from alerting.domain.imports.customer_fields import contact_of
from alerting.domain.imports.written_dates import DayOrder
from alerting.domain.imports.written_money import ONE, Unit
from alerting.domain.imports.written_numbers import Mark


class NoColumns(ActionRefused):
    """The table does not say whose its rows are, or nothing about them."""


class ManySheets(ActionRefused):
    """Several sheets of a workbook hold customers."""


Cell = (
    str
    | bool
    | int
    | float
    | Decimal
    | date
    | datetime
    | time
    | Sequence[object]
    | Mapping[str, object]
    | None
)
"""What may stand in a cell: text from CSV, real values from sheets and Parquet."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column that says something: which field, and what its heading or the mapping tells of how
    it is written.
    """

    field: str
    heading: str
    decimal: Mark | None = None
    days: DayOrder | None = None
    unit: Unit = ONE
    currency: str | None = None
    """Of a mapping: that of the cells, where it is not the one we keep; `rate` then makes ours of
    it.
    """
    rate: Decimal = Decimal(1)
    values: Mapping[str, str] = dataclass_field(default_factory=dict)
    """Of a mapping: what texts of its cells mean, by the text in small letters."""

    @property
    def label(self) -> str:
        """How messages name it: as the file does, and what we take it for."""
        return self.field if self.heading == self.field else f"{self.heading} ({self.field})"


class Row(NamedTuple):
    """One row of the file: its lines, and its cells in the order of the table's columns. `problem`:
    it cannot be read.

    A tuple, for a million of them go from process to process.
    """

    line: int
    last_line: int
    cells: Sequence[Cell]
    problem: str | None = None


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of customers.

    Every call of `rows` reads them anew, so that none of them must be held. `decimal_comma`: its
    cells are separated by semicolons, as where decimals have a comma. `fixed` are fields that every
    customer of the file has. `notices` say how the file was taken.
    """

    name: str
    columns: Sequence[Column]
    rows: Callable[[], Iterator[Row]]
    decimal_comma: bool = False
    fixed: Mapping[str, object] = field(default_factory=dict)
    notices: Sequence[str] = ()
    size: int | None = None
    """How many rows there are, where the file says so."""

    def place_of(self, field_name: str) -> int | None:
        """Where a field stands among the cells."""
        return next(
            (at for at, column in enumerate(self.columns) if column.field == field_name), None
        )

    @property
    def contact_places(self) -> list[int]:
        return [at for at, column in enumerate(self.columns) if contact_of(column.field)]
