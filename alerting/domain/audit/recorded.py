"""Entries of the audit as they are read again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alerting.domain.fields import Fields


@dataclass(frozen=True, kw_only=True)
class RecordedEntry:
    """Who did what when, because of what. `commitments` stand in the entry for personal values;
    `personal_values` are those that still exist.
    """

    id: int
    actor: str
    action: str
    cause: str | None
    happened_at: datetime
    recorded_at: datetime
    facts: Fields
    commitments: Mapping[str, str]
    personal_values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Act:
    """What an entry says that a promise was kept or broken by."""

    action: str
    at: datetime
    facts: Fields
