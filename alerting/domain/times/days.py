"""Days of the calendar as people and programs write them."""

import re
from datetime import date
from typing import Annotated

from pydantic import BeforeValidator


def _iso_date(value: object) -> object:
    """`date.fromisoformat` alone also takes 20260531 and 2026-W22-7, which nobody means."""
    if not isinstance(value, str):
        return value
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError("another form")
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(
            "must be a day of the calendar written year-month-day, such as 2026-05-31"
        ) from error


IsoDate = Annotated[date, BeforeValidator(_iso_date)]
