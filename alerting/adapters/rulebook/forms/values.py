"""What stands in more than one form: durations, shares, identifiers."""

import re
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from alerting.domain.times.durations import parse_duration


class Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _duration(value: object) -> timedelta:
    """A bare number would be read as seconds."""
    found = parse_duration(str(value))
    if found > LONGEST:
        raise ValueError(f"{str(value)!r} is longer than ten years")
    return found


def _not_zero(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("must be longer than nothing")
    return value


def written_out(value: object) -> object:
    """A bare number would be read as seconds since 1970."""
    if not isinstance(value, datetime) and not re.match(r"\d{4}-\d\d-\d\dT", str(value)):
        raise ValueError('write a time with its zone, such as "2026-01-01T00:00:00Z"')
    return value


def share(value: object) -> Fraction:
    """`80%` as 4/5."""
    text = str(value).strip()
    if not text.endswith("%") or not text[:-1].isdigit() or not 0 < int(text[:-1]) <= 100:
        raise ValueError(f"{text!r} is not a share of the target; write 80%")
    return Fraction(int(text[:-1]), 100)


def listed(value: object) -> list[object]:
    """One thing may stand without the list around it."""
    return value if isinstance(value, list) else [value]


LONGEST = timedelta(days=3660)
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Length = Annotated[Duration, AfterValidator(_not_zero)]
Worded = Annotated[str, Field(min_length=1, max_length=120)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
