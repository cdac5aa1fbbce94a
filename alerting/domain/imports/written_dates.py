"""Days as people and spreadsheets write them: `31.05.2026`, `05/31/2026`, `31. Mai 2026`.
`04/05/2026` is either of two.

A day with one reading is taken, and tells which comes first in its column. One with two readings is
taken only where that is known, as with numbers: a renewal that is a month off is noticed by nobody.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Literal

DayOrder = Literal["day first", "month first"]

_ISO = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][0-9:.]+(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_PARTS = re.compile(r"(\d{1,2})(\.|/|-)\s?(\d{1,2})\2\s?(\d{4})(?: 00:00(?::00)?)?", re.ASCII)
_DAY_NAMED = re.compile(r"(\d{1,2})(?:\.|st|nd|rd|th)?[ -]([^\W\d]+)\.?,?[ -](\d{4})")
_MONTH_NAMED = re.compile(r"([^\W\d]+)\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_SHORT_YEAR = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2}", re.ASCII)

_MONTH_NAMES = (
    "jan january januar jänner",
    "feb february februar",
    "mar march mär mrz märz maerz",
    "apr april",
    "may mai",
    "jun june juni",
    "jul july juli",
    "aug august",
    "sep sept september",
    "oct october okt oktober",
    "nov november",
    "dec december dez dezember",
)
_MONTHS = {name: month for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}


def read_day(text: str, order: DayOrder | None = None) -> date:
    """The day a text means, where `order` says how its column writes days. Raises ValueError with
    the remedy.
    """
    found = _readings(text)
    if order in found:
        return found[order]
    days = sorted(set(found.values()))
    if len(days) > 1:
        raise ValueError(f"{text!r} can mean {days[0]} or {days[1]}; write {days[0]} or {days[1]}")
    if days:
        return days[0]
    shown = text if len(text) <= 40 else text[:40] + "..."
    hint = (
        "write the year with four digits"
        if _SHORT_YEAR.fullmatch(text)
        else "write one such as 2026-05-31"
    )
    raise ValueError(f"{shown!r} is no day of the calendar; {hint}")


def telling_order(text: str) -> DayOrder | None:
    """What a text proves about its column: dots put the day first, and so does a first number above
    12.
    """
    found = _readings(text)
    return next(iter(found)) if len(found) == 1 else None


def day_order(texts: Iterable[str]) -> DayOrder | None:
    """Which comes first in a column; None where nothing tells, or its cells do not agree."""
    told = {order for text in texts if (order := telling_order(text))}
    return told.pop() if len(told) == 1 else None


def _readings(text: str) -> dict[DayOrder | None, date]:
    """What a text means by each order; by None where there is no question of one."""
    if match := _ISO.fullmatch(text):
        year, month, day = map(int, match.groups())
        return _only(None, year, month, day)
    if match := _PARTS.fullmatch(text):
        first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
        by_day = _only("day first", year, second, first)
        # nobody who writes dots puts the month first
        return by_day if mark == "." else by_day | _only("month first", year, first, second)
    if match := _DAY_NAMED.fullmatch(text):
        return _named(int(match[3]), match[2], int(match[1]))
    if match := _MONTH_NAMED.fullmatch(text):
        return _named(int(match[3]), match[1], int(match[2]))
    return {}


def _named(year: int, month: str, day: int) -> dict[DayOrder | None, date]:
    number = _MONTHS.get(month.casefold())
    return _only(None, year, number, day) if number else {}


def _only(order: DayOrder | None, year: int, month: int, day: int) -> dict[DayOrder | None, date]:
    try:
        return {order: date(year, month, day)}
    except ValueError:
        return {}
