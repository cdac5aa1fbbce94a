"""Rows about who is told what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class NotificationRow:
    """The intent to tell one person one thing."""

    id: int
    cause_kind: str
    cause_id: int
    recipient: str
    channel: str
    case_id: int | None
    customer_key: str | None
    template: str
    data: Mapping[str, object]
    message_id: str
    status: str
    reason: str | None
    created_at: datetime
    not_before: datetime
    lease_until: datetime | None
    attempts: int
    sent_at: datetime | None
    digest_id: int | None


@dataclass(frozen=True, kw_only=True)
class NotificationOfCase(NotificationRow):
    """A notification with its case's segment."""

    segment: str


@dataclass(frozen=True, kw_only=True)
class DueNotification:
    """A notification that may be claimed, and whose lock that needs."""

    id: int
    customer_key: str | None


@dataclass(frozen=True, kw_only=True)
class DeliveryRow:
    """One attempt to send a notification."""

    id: int
    notification_id: int
    n: int
    address: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    code: int | None
    detail: str | None
    render_error: str | None


@dataclass(frozen=True, kw_only=True)
class DeliveryOfCase(DeliveryRow):
    """An attempt, and whom it was to tell what."""

    recipient: str
    template: str


@dataclass(frozen=True, kw_only=True)
class RenderFailure:
    """A template that failed, so that a plain mail was sent."""

    render_error: str
    template: str


@dataclass(frozen=True, kw_only=True)
class OpenPromiseRow:
    """A running clock, with what its case says."""

    case_id: int
    kind: str
    party: str
    due_at: datetime
    paused_at: datetime | None
    customer_key: str
    segment: str
