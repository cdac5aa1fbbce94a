"""Moments as people ask for them: a time with its zone, or a day."""

import re
from datetime import UTC, datetime, time


def read_moment(text: str) -> datetime:
    """`2026-03-06T14:30+01:00`, or `2026-03-06`, which is the end of that day in UTC. Raises
    ValueError with the remedy.
    """
    text = (
        re.sub(r"(?<=[0-9]) (?=[0-9]{2}:?[0-9]{2}$)", "+", text.strip())
        if "T" in text
        else text.strip()
    )
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a time; write 2026-03-06T14:30+01:00") from error
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return datetime.combine(found.date(), time.max, UTC)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; write {text}+01:00 or {text}Z")
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} lies outside the calendar") from error
