"""Rows about customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class VersionRow:
    """A customer from `valid_from` on."""

    id: int
    customer_key: str
    valid_from: datetime
    recorded_at: datetime
    source: str
    event_id: str
    changes: Mapping[str, object]
    state: Mapping[str, object]
    parent: str | None


@dataclass(frozen=True, kw_only=True)
class MembershipRow:
    """A customer's `n`-th change of segment or tags."""

    id: int
    customer_key: str
    n: int
    valid_from: datetime
    superseded_at: datetime | None
    segment: str
    former: str | None
    why: str
    tags: list[str]
    tags_added: list[str]
    tags_removed: list[str]
    cause: str
    rulebook: str
    published_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class MemberRow(MembershipRow):
    """A member, and the unresolved case it has."""

    case_id: int | None


@dataclass(frozen=True, kw_only=True)
class PresentMembership:
    """Where a customer is now."""

    customer_key: str
    n: int
    segment: str
    tags: list[str]


@dataclass(frozen=True, kw_only=True)
class DueReviewRow:
    """When a customer's standing is to be looked at again."""

    customer_key: str
    due_at: datetime
    cause: str
    facts_since: datetime | None


@dataclass(frozen=True, kw_only=True)
class AnswerRow:
    """A scored survey answer."""

    customer_key: str
    time: datetime
    payload: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class PurchaseRow:
    """A purchase."""

    customer_key: str
    time: datetime


@dataclass(frozen=True, kw_only=True)
class MoveRow:
    """A change of segment."""

    customer_key: str
    former: str
    segment: str
    valid_from: datetime


@dataclass(frozen=True, kw_only=True)
class ScaleRow:
    """The cut points in force from `valid_from` on, by name; numbers are texts."""

    valid_from: datetime
    buyers: int
    cuts: Mapping[str, list[str]]
