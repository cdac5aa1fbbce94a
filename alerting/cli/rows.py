"""Rows of the database as commands read them."""

from datetime import datetime
from typing import Protocol


class CaseRow(Protocol):
    """A case in a list."""

    status: str
    waiting_since: datetime | None


class LetterRow(Protocol):
    """An event that could not be read or judged."""

    id: int
    place: str
    reason: str
    field: str | None
    detail: str
    raw: bytes
    recorded_at: datetime
    replayed_at: datetime | None
    discarded_at: datetime | None


class RulebookRow(Protocol):
    """A rulebook that was activated, or is proposed."""

    rulebook: str
    reason: str
