"""Single cells as values, whatever their column: texts, days, true and false, and nothing."""

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal

from alerting.domain.conditions import Type
from alerting.domain.conditions.facts import read_fact

ERRORS = frozenset(
    {"#N/A","#NV","#REF!","#BEZUG!","#VALUE!","#WERT!","#DIV/0!","#NAME?","#NUM!","#ZAHL!","#NULL!","#SPILL!","#ÜBERLAUF!","#CALC!","#KALK!","#GETTING_DATA","#FIELD!","#FELD!",},
)  # fmt: skip
"""What a spreadsheet shows where a formula failed: the value is not known."""

PLACEHOLDERS = frozenset({"-", "–", "—", "n/a", "n.a.", "na.", "k.a.", "k. a.", "tbd", "?"})
"""What people write where they know nothing."""

_TRUE = {"true", "yes", "ja", "wahr"}
_FALSE = {"false", "no", "nein", "falsch"}
MAYBE_NOTHING = frozenset(
    {" ", "\t", *(word[0] for word in (*ERRORS, *PLACEHOLDERS, *map(str.upper, PLACEHOLDERS)))}
)
"""How texts begin that may say nothing; all others are what they are."""
_BREAK = re.compile(r"\s*[\r\n]+\s*")
"""A line broken within a cell of a sheet; in an attribute it stays."""


def is_missing(text: str) -> bool:
    """Whether a text stands where a value is not known."""
    return (len(text) <= 4 and text.casefold() in PLACEHOLDERS) or (
        text[0] == "#" and text in ERRORS
    )


def as_text(cell: object) -> str:
    """A cell as text: a number without the `.0` that spreadsheets think of, a day as 2026-05-31."""
    if isinstance(cell, str):
        text = cell.strip()
        return _BREAK.sub(" ", text) if "\n" in text or "\r" in text else text
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, Decimal):
        return format(cell.normalize(), "f")
    if isinstance(cell, datetime):
        return (
            cell.date().isoformat()
            if cell.time() == time() and cell.tzinfo is None
            else cell.isoformat()
        )
    return cell.isoformat() if isinstance(cell, (date, time)) else str(cell)


def plain_number(value: int | float | Decimal, factor: Decimal) -> int | float:
    """A number in the units that are kept, whole where it is. Raises ValueError for NaN and
    infinity.
    """
    if type(value) is int and factor == 1:
        return value
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise ValueError(f"{value} is not a number")
    if factor != 1:
        exact *= factor
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def boolean(cell: object) -> bool:
    """Raises ValueError for what is neither."""
    if isinstance(cell, bool):
        return cell
    text = as_text(cell).casefold()
    if text not in _TRUE | _FALSE:
        raise ValueError(f"{shown(cell)} is not true or false")
    return text in _TRUE


def texts(cell: object) -> list[str]:
    """Raises ValueError for anything but a list."""
    if isinstance(cell, (list, tuple)):
        return [as_text(one) for one in cell]
    raise ValueError("is a list of texts, which a table cannot hold; send it as customer.updated")


def moment(cell: object) -> str:
    """A time with its zone, UTC where a sheet knows none. Raises ValueError."""
    if isinstance(cell, datetime):
        return (cell if cell.tzinfo else cell.replace(tzinfo=UTC)).isoformat()
    text = as_text(cell)
    read_fact(text, Type.TIME)
    return text


def clock(cell: object) -> str:
    """A time of day such as 09:30, where the cell holds one."""
    if isinstance(cell, datetime):
        cell = cell.time()
    return cell.strftime("%H:%M") if isinstance(cell, time) else as_text(cell)


def shown(cell: object) -> str:
    """A cell as messages quote it, at most 40 characters of it."""
    text = cell if isinstance(cell, str) else as_text(cell)
    return repr(text) if len(text) <= 40 else repr(text[:40]) + "..."
