"""Noise control: why an alert tells nobody. It is recorded all the same, with its reason, counted
and listed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alerting.domain.mail.stages import Stage
from alerting.domain.rulebook.rulebook import Rule

Scope = Literal["rule", "customer", "segment"]


@dataclass(frozen=True, kw_only=True)
class Mute:
    """Somebody wants no alerts for a while: of one rule, about one customer, or about one
    segment.
    """

    scope: Scope
    name: str
    until: datetime

    def covers(self, rule: str, customer: str, segment: str, now: datetime) -> bool:
        named = {"rule": rule, "customer": customer, "segment": segment}[self.scope]
        return now < self.until and named == self.name


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """An alert that could tell people. What costs a query is asked for only where a stage wants
    it.
    """

    rule: Rule
    customer: str
    segment: str
    now: datetime
    excluded: str | None
    """What the event's age says, or that its customer was forgotten."""
    is_answered: Callable[[], bool]
    """Whether the customer was called after the event, and nothing is open."""
    mutes: Sequence[Mute]
    is_cooling: Callable[[], bool]
    """Whether the rule told about this customer within its cool-down."""
    outranked: bool
    """Whether a stronger rule told people about this very event."""

    def is_muted(self) -> bool:
        about = (self.rule.id, self.customer, self.segment, self.now)
        return any(mute.covers(*about) for mute in self.mutes)


def _stage(name: str, words: str, applies: Callable[[Alarm], bool]) -> Stage[Alarm]:
    return Stage(name=name, words=words, applies=lambda alarm: name if applies(alarm) else None)


def _excluded(name: str, words: str) -> Stage[Alarm]:
    return _stage(name, words, lambda alarm: alarm.excluded == name)


STAGES: tuple[Stage[Alarm], ...] = (
    _excluded("before_go_live", "from before go_live"),
    _excluded("too_old", "older than notify_max_age when it arrived"),
    _excluded("forgotten", "its customer was forgotten"),
    _stage("answered", "a call had answered it before it arrived", lambda a: a.is_answered()),
    _stage("shadow", "the rule runs in shadow mode", lambda a: a.rule.mode == "shadow"),
    _stage("silenced", "somebody has muted it", Alarm.is_muted),
    _stage(
        "cooldown", "the rule's cool-down for this customer was not over", lambda a: a.is_cooling()
    ),
    _stage("outranked", "a stronger rule alerted about the same event", lambda a: a.outranked),
)
"""From the reason that says most about the event to the one that says least. The names are stored
with alerts.
"""

REASONS: Mapping[str, str] = {stage.name: stage.words for stage in STAGES}
"""Why an alert was suppressed, in words."""
