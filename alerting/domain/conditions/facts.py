"""JSON values as facts of a declared type: what a condition can calculate with."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from alerting.domain.conditions.arithmetic import BIGINT_MAX, BIGINT_MIN
from alerting.domain.conditions.types import Fact, Type
from alerting.domain.errors import Invalid

_DATE = re.compile(r"\d{4}-\d\d-\d\d").fullmatch


class WrongType(Invalid):
    """A value that is not of its declared type."""


def read_fact(value: object, kind: Type) -> Fact:
    """A JSON value as a fact: fractions are Decimal, times UTC datetimes. Raises WrongType."""
    if value is None:
        return None
    plain = as_number(value)
    found = _READERS[kind](plain)
    if found is None:
        shown = str(value) if isinstance(value, Decimal) else repr(value)
        raise WrongType(
            f"{shown if len(shown) <= 40 else shown[:37] + '...'} is not a {kind.words}"
        )
    return found


def as_number(value: object) -> object:
    """Numbers as PostgreSQL keeps them: an integer beyond `bigint` and every fraction is a Decimal;
    the rest as it is.
    """
    if isinstance(value, float):
        return Decimal(str(value))
    if type(value) is int and not BIGINT_MIN <= value <= BIGINT_MAX:
        return Decimal(value)
    return value


def read_facts(values: Mapping[str, object], kinds: Mapping[str, Type]) -> dict[str, Fact]:
    """The declared ones among `values`; one of a wrong type counts as missing, for nobody can tell
    what it means.
    """
    return {name: fact_or_none(values.get(name), kind) for name, kind in kinds.items()}


def fact_or_none(value: object, kind: Type) -> Fact:
    """The fact; None where there is none of this type."""
    return None if value is None else _READERS[kind](as_number(value))


def _text(value: object) -> str | None:
    return value.replace("\x00", "") if isinstance(value, str) else None


def _number(value: object) -> int | Decimal | None:
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if type(value) is int else None


def _date(value: object) -> date | None:
    if not isinstance(value, str) or not _DATE(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        return None
    try:
        found = datetime.fromisoformat(re.sub(r"^(.{16}):60", r"\1:59", value))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _texts(value: object) -> list[str | None] | None:
    if not isinstance(value, (list, tuple)) or any(
        not isinstance(item, (str, type(None))) for item in value
    ):
        return None
    return [None if item is None else item.replace("\x00", "") for item in value]


def _any(value: object) -> Fact:
    if isinstance(value, (list, tuple)):
        return _texts(value)
    if isinstance(value, str):
        return _text(value)
    return value if isinstance(value, bool) else _number(value)


_READERS: Mapping[Type, Callable[[object], Fact]] = {
    Type.TEXT: _text,
    Type.NUMBER: _number,
    Type.NUMERIC: _number,
    Type.BIGINT: lambda value: value if type(value) is int else None,
    Type.BOOLEAN: lambda value: value if isinstance(value, bool) else None,
    Type.DATE: _date,
    Type.TIME: _time,
    Type.TEXTS: _texts,
    Type.ANY: _any,
    Type.NULL: _any,
}
