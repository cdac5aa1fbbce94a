"""What somebody has written down about a file: which column is which field, and how it is to be
read.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from dataclasses import field as dataclass_field
from decimal import Decimal
from typing import Literal

from alerting.domain.imports.customer_fields import plain
from alerting.domain.imports.written_dates import DayOrder
from alerting.domain.imports.written_numbers import Mark

Others = Literal["match", "ignore", "attributes"]


@dataclass(frozen=True, kw_only=True)
class ColumnRule:
    """One column: its field, None where it is to be ignored. `place` is where that stands, for
    messages.
    """

    field: str | None
    place: str
    decimal: Mark | None = None
    days: DayOrder | None = None
    currency: str | None = None
    rate: Decimal = Decimal(1)
    values: Mapping[str, str] = dataclass_field(default_factory=dict)
    """What texts of its cells mean, by the text in small letters."""


@dataclass(frozen=True, kw_only=True)
class ImportMapping:
    """A mapping file, or nothing at all. `others`: what becomes of columns it does not name."""

    columns: Mapping[str, ColumnRule] = field(default_factory=dict)
    fixed: Mapping[str, object] = field(default_factory=dict)
    others: Others = "match"
    sheet: str | None = None
    heading_row: int | None = None

    @property
    def fixed_attributes(self) -> Collection[str]:
        """The names of the free attributes that every row has."""
        found = self.fixed.get("attributes")
        return list(found) if isinstance(found, Mapping) else []

    def rule_for(self, heading: str) -> tuple[str, ColumnRule] | None:
        """As written, else whatever its capitals and signs; with the name the mapping has for
        it.
        """
        if heading in self.columns:
            return heading, self.columns[heading]
        return next(
            ((name, rule) for name, rule in self.columns.items() if plain(name) == plain(heading)),
            None,
        )


NO_MAPPING = ImportMapping()
