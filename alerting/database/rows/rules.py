"""Rows about rulebooks, and what rules have made of events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict


class Reason(TypedDict):
    """A named condition that was true, and the values it read."""

    name: str
    sql: str
    reads: dict[str, object]


class Concerned(TypedDict):
    """Somebody an alert concerns: `duty` is caller, fixer or informed; `why` has a sentence for
    each step of the routing.
    """

    duty: str
    role: str
    party: str
    why: list[str]
    through: str | None


@dataclass(frozen=True, kw_only=True)
class AlertRow:
    """One version of an alert."""

    id: int
    event_seq: int
    rule: str
    revision: int
    state: str
    customer_key: str
    segment: str
    territory: str
    severity: str
    rulebook: str
    because: list[Reason]
    people: list[Concerned]
    signals: Mapping[str, object]
    suppressed: str | None
    case_id: int | None
    raised_at: datetime
    superseded_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ComplaintRow:
    """What a case is about: an alert, or an answer to a check survey (its `id` is 0), with the
    event.
    """

    id: int
    event_seq: int
    rule: str
    severity: str
    rulebook: str
    raised_at: datetime
    payload: Mapping[str, object]
    time: datetime
    received_at: datetime
    type: str
    source: str
    event_id: str


@dataclass(frozen=True, kw_only=True)
class AlertOfEvent(ComplaintRow, AlertRow):
    """An alert with the event it is about."""


@dataclass(frozen=True, kw_only=True)
class SuppressedRow(AlertRow):
    """An alert that told nobody, with its event's identity and time."""

    time: datetime
    source: str
    event_id: str


@dataclass(frozen=True, kw_only=True)
class MuteRow:
    """Who wants nobody notified, about what, until when, and why."""

    id: int
    scope: str
    name: str
    until: datetime
    author: str
    reason: str
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class WatchRow:
    """Since when a customer has been silent, for one rule on silence."""

    watch: str
    customer_key: str
    last_at: datetime
    due_at: datetime
    noticed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class UnknownRow:
    """A condition that could not be decided."""

    rule: str
    condition: str
    time: datetime
    customer_key: str


@dataclass(frozen=True, kw_only=True)
class ActivationRow:
    """When a rulebook came into force, by whom and why."""

    id: int
    rulebook: str
    activated_at: datetime
    author: str
    approver: str | None
    reason: str
    moved_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ProposalRow:
    """A rulebook that waits, or waited, for a second person."""

    id: int
    rulebook: str
    proposed_at: datetime
    author: str
    reason: str
    asked: str | None
    closed_at: datetime | None
    declined_by: str | None
    objection: str | None
