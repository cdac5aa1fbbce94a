"""Tables of customers with numbers to group them by: which columns, is asked; what else they hold,
does not matter.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from alerting.adapters.imports.columns import ColumnLayout, Wanted, bare, find_layout
from alerting.adapters.imports.delimited import Cells, lines_of
from alerting.discover.subjects import CustomerFacts, Fact, FactTable
from alerting.domain.conditions import Type
from alerting.domain.customers.vocabulary import CUSTOMER_FIELDS
from alerting.domain.errors import ActionRefused
from alerting.domain.imports.written_numbers import (
    Mark,
    decimal_mark,
    looks_like_number,
    read_number,
)


@dataclass(frozen=True, kw_only=True)
class AttributeTable:
    """What a file says. `bad` holds (line, reason); `renamed` are headings that cannot be an
    attribute's name.
    """

    name: str
    subjects: FactTable
    renamed: Sequence[tuple[str, str]]
    bad: Sequence[tuple[int, str]]


@dataclass(frozen=True, kw_only=True)
class _Column:
    """An attribute: its name in conditions, and how its column writes decimals."""

    name: str
    mark: Mark | None


def read_attributes(path: str, customer: str, attributes: Sequence[str]) -> AttributeTable:
    """The customers of a file. An empty cell is missing. Raises ActionRefused for a file without
    these columns.
    """
    name = "".join(ch if ch.isprintable() else "_" for ch in Path(path).name)
    numbered = [one for one in attributes if one.isdecimal()]
    if numbered:
        raise ActionRefused(
            f"attributes are given by name, for conditions name them; {numbered[0]} is a number"
        )
    lines = lines_of(Path(path).read_bytes(), name)
    wanted = Wanted(columns=[customer, *attributes], fits=_is_customer, begins=lambda cells: True)
    layout = find_layout(lines, name, wanted)
    rows = list(layout.rows(lines))
    columns = [
        _column(one, at, rows, layout) for one, at in zip(attributes, layout.at[1:], strict=True)
    ]
    names = [column.name for column in columns]
    if len(set(names)) < len(names):
        raise ActionRefused(f"two attributes would be called the same: {', '.join(sorted(names))}")
    found: dict[str, CustomerFacts] = {}
    bad = []
    for row in rows:
        try:
            subject = _subject(row, layout, columns, found)
        except ValueError as error:
            bad.append((row.line, str(error)))
            continue
        found.setdefault(subject.customer, subject)
    every = list(found.values())
    return AttributeTable(
        name=name,
        subjects=FactTable(
            every=every,
            kinds=_kinds(names, every),
            undeclared=[n for n in names if n not in CUSTOMER_FIELDS],
        ),
        renamed=[
            (one, column.name)
            for one, column in zip(attributes, columns, strict=True)
            if bare(one) != column.name
        ],
        bad=bad,
    )


def _is_customer(cells: Sequence[str]) -> bool:
    return bool(cells[0]) and any(map(looks_like_number, cells[1:]))


def _column(heading: str, at: int, rows: Sequence[Cells], layout: ColumnLayout) -> _Column:
    known: Mark | None = "," if layout.delimiter == ";" else None
    return _Column(
        name=_name(heading),
        mark=decimal_mark((row.cells[at] for row in rows if len(row.cells) > at), known) or ".",
    )


def _name(heading: str) -> str:
    """As rules/attributes.yaml takes it: `Revenue (EUR)` is `revenue_eur`. Raises ActionRefused for
    a field of no number.
    """
    name = re.sub("[^a-z0-9_-]+", "_", bare(heading).casefold()).strip("_-")
    if CUSTOMER_FIELDS.get(name, Type.NUMBER) not in {Type.NUMBER, Type.BIGINT}:
        raise ActionRefused(
            f"{name} is a {CUSTOMER_FIELDS[name].words} of every customer; group by numbers"
        )
    return (name if re.match("[a-z]", name) else f"attribute_{name}")[:63]


def _subject(
    row: Cells, layout: ColumnLayout, columns: Sequence[_Column], found: dict[str, CustomerFacts]
) -> CustomerFacts:
    customer, *cells = layout.wanted(row)
    if not customer:
        raise ValueError("the customer is empty")
    facts = {column.name: _fact(column, cell) for column, cell in zip(columns, cells, strict=True)}
    given = any(value is not None for value in facts.values())
    if customer in found and given:
        raise ValueError(f"{customer} stands in an earlier line already")
    return CustomerFacts(customer=customer, facts=facts)


def _fact(column: _Column, text: str) -> Fact | None:
    if not text:
        return None
    try:
        number = read_number(text, column.mark)
    except ValueError as error:
        raise ValueError(f"{column.name}: {error}; leave it empty where it is not known") from error
    if CUSTOMER_FIELDS.get(column.name) is Type.BIGINT and not isinstance(number, int):
        raise ValueError(f"{column.name}: {text!r} is not a whole number")
    return number if isinstance(number, int) else Decimal(str(number))


def _kinds(names: Sequence[str], every: Sequence[CustomerFacts]) -> dict[str, Type]:
    """Known fields have theirs; of one's own a column of whole numbers is one."""
    whole = {
        name: all(isinstance(one.facts[name], int) for one in every if one.facts[name] is not None)
        for name in names
    }
    return {
        name: CUSTOMER_FIELDS.get(name) or (Type.BIGINT if whole[name] else Type.NUMBER)
        for name in names
    }
