"""Notifications: the intent to tell one person one thing because of one cause."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from alerting.domain.cases.cases import SEVERITIES
from alerting.domain.cases.clocks import Clock
from alerting.domain.templates import ESCALATING, Template

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


EMAIL = "email"
"""The channel that everybody has."""


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
    channel: str = EMAIL


_BOUND: Mapping[str, str] = {Template.INFORMED: "", Template.HANDLED: "", Template.FIX: "fixer"}
"""Whose clocks a mail is about, by what it asks; the caller's else."""


def can_wait(
    template: str, duty: str, severity: str, clocks: Iterable[Clock], until: datetime, now: datetime
) -> bool:
    """Whether a mail may wait for its reader's next digest at `until`.

    Not what is critical, nor what escalates; nor what would leave its reader less than half of the
    time that is left.
    """
    if severity == SEVERITIES[-1] or template in {*ESCALATING, Template.UNDELIVERED}:
        return False
    bound = _BOUND.get(duty, "caller")
    due = min(
        (clock.due_at for clock in clocks if clock.running and clock.by == bound), default=None
    )
    return due is None or until <= now + (due - now) / 2
