"""Noise control: why an alert tells nobody. It is recorded all the same, with its reason, counted
and listed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerting.domain.rulebook.rulebook import Rule

REASONS = {
    "before_go_live": "from before go_live",
    "too_old": "older than notify_max_age when it arrived",
    "forgotten": "its customer was forgotten",
    "answered": "a call had answered it before it arrived",
    "shadow": "the rule runs in shadow mode",
    "silenced": "somebody has silenced it",
    "cooldown": "the rule's cool-down for this customer was not over",
    "outranked": "a stronger rule alerted about the same event",
}
"""Why an alert was suppressed, from the reason that says most about the event to the one that says
least.
"""

Scope = Literal["rule", "customer", "segment"]


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Somebody wants nothing to ring for a while: of one rule, about one customer, or about one
    segment.
    """

    scope: Scope
    name: str
    until: datetime

    def covers(self, rule: str, customer: str, segment: str, now: datetime) -> bool:
        return (
            now < self.until
            and {"rule": rule, "customer": customer, "segment": segment}[self.scope] == self.name
        )


def suppression(
    rule: Rule,
    customer: str,
    segment: str,
    now: datetime,
    *,
    excluded: str | None,
    answered: bool,
    silences: Iterable[Silence],
    cooling: bool,
    outranked: bool,
) -> str | None:
    """The reason an alert tells nobody; None where it rings.

    `excluded` is what the event's age says; `answered`, that the customer was called after the
    event and nothing is open.
    """
    if excluded is not None:
        return excluded
    if answered:
        return "answered"
    if rule.mode == "shadow":
        return "shadow"
    if any(silence.covers(rule.id, customer, segment, now) for silence in silences):
        return "silenced"
    if cooling:
        return "cooldown"
    return "outranked" if outranked else None
