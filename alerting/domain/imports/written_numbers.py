"""Numbers as people and spreadsheets write them: `1,240,000.50` here is `1.240.000,50` there, and
`250.000` is either.

A number with one reading is taken, and tells how its column writes decimals. One with two readings
is taken only where that is known. A wrong guess would turn a customer worth 250,000 into one worth
250, and nobody would see it.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal

Mark = Literal[".", ","]
"""What stands before the decimals."""

MAX_LENGTH = 40
"""Characters of a number; longer ones are no number anybody counts with."""

_GROUP = {".": ",", ",": "."}
_ANY_GROUP = "[ \u00a0\u202f'’]"
"""Thousands may also be set off by a space or an apostrophe, wherever one is."""


def _form(mark: str) -> re.Pattern[str]:
    first, three = "[1-9][0-9]{0,2}", "[0-9]{3}"
    grouped = f"{first}(?:\\{_GROUP[mark]}{three})+|{first}(?:{_ANY_GROUP}{three})+"
    return re.compile(f"([+-]?(?:{grouped}|[0-9]+))(?:\\{mark}([0-9]+))?")


_FORMS: Mapping[Mark, re.Pattern[str]] = {".": _form("."), ",": _form(",")}
_LONE_COMMA = re.compile("[+-]?[0-9]+,[0-9]+")
_CODE = re.compile(r"\+.*|-?0[0-9].*", re.DOTALL)


def read_number(text: str, mark: Mark | None = None) -> int | float:
    """The number a text means, where `mark` says how its column writes decimals. Raises ValueError
    with the remedy.
    """
    found = _readings(text)
    if not found:
        raise ValueError(f"{_shown(text)} is not a number; write one such as 250000 or 250000.50")
    values = sorted(set(found.values()))
    if mark in found:
        return _number(found[mark])
    if len(values) > 1:
        low, high = (_number(value) for value in values)
        raise ValueError(f"{text!r} can mean {low} or {high}; write {low} or {high}")
    if _LONE_COMMA.fullmatch(text):
        raise ValueError(
            f"{text!r} can have a decimal comma or lack a digit; write {_number(values[0])} if "
            "that is meant"
        )
    return _number(values[0])


def decimal_mark(texts: Iterable[str], known: Mark | None = None) -> Mark | None:
    """How a column writes decimals, by its numbers and what is `known` of its file; None where they
    do not agree.

    A lone comma (`1,5`) proves nothing: it may as well be a slip.
    """
    marks: set[Mark] = {known} if known else set()
    marks |= {mark for text in texts if (mark := telling_mark(text))}
    return marks.pop() if len(marks) == 1 else None


def telling_mark(text: str) -> Mark | None:
    """What one number proves about its column; None where it proves nothing."""
    found = _readings(text)
    return next(iter(found)) if len(found) == 1 and not _LONE_COMMA.fullmatch(text) else None


def looks_like_number(text: str) -> bool:
    """Whether a text nobody declared to be a number is one: `0049` and `+49 30` are codes, which
    would lose digits.
    """
    return bool(_readings(text)) and not _CODE.fullmatch(text)


def _readings(text: str) -> dict[Mark, Decimal]:
    """What a text means with a decimal point, and with a decimal comma, as far as it means
    anything.
    """
    if len(text) > MAX_LENGTH:
        return {}
    found: dict[Mark, Decimal] = {}
    for mark, form in _FORMS.items():
        if match := form.fullmatch(text):
            whole, fraction = match.groups()
            found[mark] = Decimal(f"{re.sub('[^0-9+-]', '', whole)}.{fraction or 0}")
    return found


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _shown(text: str) -> str:
    return repr(text) if len(text) <= MAX_LENGTH else repr(text[:MAX_LENGTH]) + "..."
