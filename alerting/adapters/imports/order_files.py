"""Lists of orders as files: CSV, or columns set off by white space; with a heading, or without."""

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from alerting.adapters.imports.columns import ColumnLayout, Wanted, find_layout, first_line
from alerting.adapters.imports.delimited import Cells, lines_of
from alerting.discover.purchases import Purchase
from alerting.domain.imports.written_numbers import (
    Mark,
    decimal_mark,
    looks_like_number,
    read_number,
)


@dataclass(frozen=True, kw_only=True)
class OrderColumns:
    """Which column holds what: a heading's name, or a position as digits, counted from 1."""

    customer: str
    date: str
    amount: str


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What a file of orders says. `bad` holds (line, reason); `returns` are the rows with a
    negative amount.

    `guessed_heading` is the line taken as a heading although no column was given by its name.
    """

    name: str
    guessed_heading: int | None
    purchases: Sequence[Purchase]
    returns: Sequence[Purchase]
    bad: Sequence[tuple[int, str]]


def read_orders(path: str, columns: OrderColumns, until: date = date.max) -> Orders:
    """The purchases of a file and its bad rows, among them those of days after `until`. Raises
    ActionRefused for a file without the columns.
    """
    name = "".join(ch if ch.isprintable() else "_" for ch in Path(path).name)
    lines = lines_of(Path(path).read_bytes(), name)
    wanted = Wanted(
        columns=astuple(columns),
        fits=_is_order,
        begins=lambda c: _is_day(c[1]) or looks_like_number(c[2]),
    )
    layout = find_layout(lines, name, wanted)
    rows = list(layout.rows(lines))
    amounts = (row.cells[layout.at[2]] for row in rows if len(row.cells) > layout.at[2])
    mark = decimal_mark(amounts, "," if layout.delimiter == ";" else None) or "."
    purchases: list[Purchase] = []
    returns: list[Purchase] = []
    bad = []
    for row in rows:
        try:
            purchase = _purchase(row, layout, columns, mark)
            if purchase.day > until:
                raise ValueError(f"{columns.date}: {purchase.day} lies in the future")
        except ValueError as error:
            bad.append((row.line, str(error)))
            continue
        (returns if purchase.amount < 0 else purchases).append(purchase)
    guessed = (
        first_line(lines, name) + 1 if wanted.by_position and layout.heading is not None else None
    )
    return Orders(name=name, guessed_heading=guessed, purchases=purchases, returns=returns, bad=bad)


def read_day(text: str) -> date:
    """The day of `19970131`, `1997-01-31`, `31.1.1997` or an ISO timestamp, as it is written: no
    time zone is applied.

    Raises ValueError that says how to write it.
    """
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}", text):
            return date.fromisoformat(text)
        if dotted := re.fullmatch(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", text):
            day, month, year = map(int, dotted.groups())
            return date(year, month, day)
        if re.match("[0-9]{4}-?[0-9]{2}-?[0-9]{2}[Tt ]+[0-9]", text):
            return datetime.fromisoformat(re.sub(" *UTC$", "Z", text.upper())).date()
    except ValueError:
        pass
    shown = text if len(text) <= 40 else text[:40] + "..."
    raise ValueError(f"{shown!r} is not a date; write 1997-01-31, 31.01.1997 or 19970131")


def _purchase(row: Cells, layout: ColumnLayout, columns: OrderColumns, mark: Mark) -> Purchase:
    customer, day, amount = layout.wanted(row)
    if not customer:
        raise ValueError(f"{columns.customer}: is empty")
    try:
        bought = read_day(day)
    except ValueError as error:
        raise ValueError(f"{columns.date}: {error}") from error
    try:
        spent = Decimal(str(read_number(amount, mark)))
    except ValueError as error:
        raise ValueError(f"{columns.amount}: {error}") from error
    return Purchase(customer=customer, day=bought, amount=spent)


def _is_order(cells: Sequence[str]) -> bool:
    customer, day, amount = cells
    return bool(customer) and _is_day(day) and bool(re.search("[0-9]", amount))


def _is_day(text: str) -> bool:
    try:
        read_day(text)
    except ValueError:
        return False
    return True
