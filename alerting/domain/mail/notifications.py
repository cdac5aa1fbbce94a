"""Notifications: the intent to tell one person one thing because of one cause."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from alerting.domain.cases.cases import SEVERITIES, Case, Status
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.sla import ClockKind
from alerting.domain.fields import Fields

CauseKind = Literal[
    "alert",
    "timer",
    "delivery",
    "response",
    "notification",
    "event",
    "check",
    "proposal",
    "checkpoint",
    "correction",
    "weekly",
]

LEASE = timedelta(seconds=120)
"""How long a claimed notification belongs to one sender; another may take it over afterwards."""

SEND_DEADLINE = timedelta(seconds=60)
"""The whole of one sending attempt; shorter than the lease, so that two senders never overlap."""


@dataclass(frozen=True, kw_only=True)
class NewNotification:
    """What a decision wants said. (cause kind, cause id, recipient, channel) is unique.

    `cause_id` None stands for the response that is being recorded; the writer knows its number.
    """

    cause_kind: CauseKind
    cause_id: int | None
    recipient: str
    template: str
    data: Mapping[str, object] = field(default_factory=dict)


_WHILE_OPEN = {"waiting", "resumed", "stale"}


def reason_gone(
    template: str, data: Mapping[str, object], recipient: str, case: Case, clocks: list[Clock]
) -> str | None:
    """Why a notification need not be sent any more, in words; None while its reason stands.

    Asked under the customer's lock, just before the claim: a reminder must not reach somebody who
    has just acted.
    """
    if template in {"reminder", "stand_in", "overdue"}:
        kind, plan, cycle = data["clock"], data["plan"], data["cycle"]
        current = [c for c in clocks if c.kind == kind and c.cycle == cycle]
        clock = max(current, key=lambda c: c.plan, default=None)
        if clock is None or clock.plan != plan or case.cycle != cycle:
            return f"the {kind} clock was planned anew"
        if clock.paused_at is not None:
            return "the case waits"
        if Fields({"n": 1, **data}).number("n") > 1 and case.status is not Status.OPEN:
            return "somebody has taken the case"
        return None if clock.running else f"the {kind} clock has stopped"
    if data.get("duty", template) == "call":
        if case.caller != recipient:
            return "the case has another caller now"
        contact = [c for c in clocks if c.kind is ClockKind.CONTACT and c.cycle == case.cycle]
        return (
            "the customer has been reached"
            if contact and not any(c.running for c in contact)
            else None
        )
    if template in _WHILE_OPEN and case.status is Status.RESOLVED:
        return "the case is over"
    if template == "stale" and case.status is not Status.OPEN:
        return "the case has been taken"
    if template == "waiting" and case.waiting_since is None:
        return "the wait is over"
    if template == "resumed" and case.waiting_since is not None:
        return "the case waits again"
    if (
        template == "handled"
        and case.contacted_at is None
        and (case.cause_removed_at is None or recipient != case.caller)
    ):
        return "the case is open again"
    if template == "fix":
        if case.fixer != recipient:
            return "the case has another fixer now"
        return (
            "the cause has been removed"
            if case.cause_removed_at or case.status is Status.RESOLVED
            else None
        )
    return None


def can_wait(
    template: str, duty: str, severity: str, clocks: Iterable[Clock], until: datetime, now: datetime
) -> bool:
    """Whether a mail may wait for its reader's next digest at `until`.

    Not what is critical, nor what escalates; nor what would leave its reader less than half of the
    time that is left.
    """
    if severity == SEVERITIES[-1] or template in {"reminder", "stand_in", "overdue", "undelivered"}:
        return False
    bound = {"informed": "", "handled": "", "fix": "fixer"}.get(duty, "caller")
    due = min(
        (clock.due_at for clock in clocks if clock.running and clock.by == bound), default=None
    )
    return due is None or until <= now + (due - now) / 2


def retry_after(attempts: int, jitter: float) -> timedelta:
    """Wait before the next attempt: 2 s doubling to 5 min, spread by `jitter` in [0, 1) so that
    retries do not march.
    """
    base = min(2.0 * 2 ** min(attempts - 1, 8), 300.0)
    return timedelta(seconds=base * (0.5 + jitter / 2))


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail ready to be sent to one address. Headers hold no line breaks; bodies are plain text
    and HTML.
    """

    message_id: str
    sender: str
    recipient: str
    recipient_name: str
    subject: str
    text: str
    html: str | None
    reply_to: str | None
    in_reply_to: str | None
    sent_at: datetime


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one attempt ended: `sent` only after 250 to the final dot, `refused` is final, `deferred`
    is tried again.

    `unknown`: the connection was lost where the server may have taken the mail. It is tried again
    and may come twice.
    """

    kind: Literal["sent", "refused", "deferred", "unknown"]
    detail: str
    code: int | None = None
    address_refused: bool = False
    """The server knows no such address, whatever the mail says."""
