"""Rows about people."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class PartyFactRow:
    """What is said of a person, office or team from `valid_from` on."""

    id: int
    party: str
    valid_from: datetime
    recorded_at: datetime
    source: str
    event_id: str
    changes: Mapping[str, object]
    state: Mapping[str, object]
