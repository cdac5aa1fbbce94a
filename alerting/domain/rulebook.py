"""The rulebook: everything the business decides, checked whole, immutable, named by its content hash."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from alerting.domain.conditions import Condition, Scope, Type
from alerting.domain.customers import FIELDS as CUSTOMER_FIELDS
from alerting.domain.people import Routing
from alerting.domain.segments import Segment
from alerting.domain.signals import Signal
from alerting.domain.sla import Policy

_COMMON = {"type": Type.TEXT, "source": Type.TEXT, "id": Type.TEXT, "time": Type.TIME, "customer_id": Type.TEXT}

EVENT_FIELDS: Mapping[str, Mapping[str, Type]] = {
    "survey.answered": {
        **_COMMON,
        "survey_id": Type.TEXT,
        "metric": Type.TEXT,
        "scale": Type.BIGINT,
        "score": Type.NUMERIC,
        "sentiment": Type.TEXT,
        "comment": Type.TEXT,
        "language": Type.TEXT,
        "contact_me": Type.BOOLEAN,
        "respondent.name": Type.TEXT,
        "respondent.email": Type.TEXT,
        "respondent.phone": Type.TEXT,
    },
    "interaction.recorded": {
        **_COMMON,
        "channel": Type.TEXT,
        "direction": Type.TEXT,
        "outcome": Type.TEXT,
        "office": Type.TEXT,
        "agent": Type.TEXT,
        "contact": Type.TEXT,
        "topic": Type.TEXT,
        "duration_seconds": Type.NUMERIC,
        "text": Type.TEXT,
    },
}
"""What a condition may read of an event, by type. Types that are not here cannot be the `on` of a rule."""


def event_scope(event_type: str) -> Scope:
    """Names in a signal's conditions: the fields of its event."""
    return Scope(names={name: (f"event.{name}", kind) for name, kind in EVENT_FIELDS[event_type].items()})


def segment_scope(signals: Iterable[str] | None) -> Scope:
    """Names in a segment's condition: a customer field, then a signal. `signals` None: nobody can tell which there are."""
    names = {name: (f"signal.{name}", Type.BIGINT) for name in signals or ()}
    customer = {name: (f"customer.{name}", kind) for name, kind in CUSTOMER_FIELDS.items()}
    signalled = {f"signals.{name}": found for name, found in names.items()}
    return Scope(names={**names, **signalled, **customer, **_qualified()}, complete=signals is not None)


def rule_scope(event_type: str, signals: Iterable[str] | None) -> Scope:
    """Names in a rule's conditions: an event field, then a signal; elsewhere `customer.x`."""
    names = {name: (f"signal.{name}", Type.BIGINT) for name in signals or ()}
    event = event_scope(event_type).names
    qualified_event = {f"event.{name}": found for name, found in event.items()}
    return Scope(
        names={
            **names,
            **{f"signals.{name}": found for name, found in names.items()},
            **event,
            **qualified_event,
            **_qualified(),
            "customer.segment": ("customer.segment", Type.TEXT),
        },
        complete=signals is not None,
    )


def _qualified() -> dict[str, tuple[str, Type]]:
    return {f"customer.{name}": (f"customer.{name}", kind) for name, kind in CUSTOMER_FIELDS.items()}


@dataclass(frozen=True, kw_only=True)
class NamedCondition:
    """A condition with the plain words that stand for it in mails."""

    name: str
    condition: Condition


@dataclass(frozen=True, kw_only=True)
class Rule:
    """On which event, when, how severe, who calls, who fixes, who is informed, on which policy."""

    id: str
    title: str
    on: str
    when: tuple[NamedCondition, ...]
    severity: str
    caller: str
    fixer: str | None
    inform: tuple[str, ...]
    policy: str
    template: str


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A hosted form: one question with a score and a comment."""

    id: str
    title: str
    question: str
    metric: str
    scale: int | None
    low_label: str
    high_label: str
    comment_label: str
    contact_label: str
    thanks: str
    language: str

    @property
    def scores(self) -> range:
        return {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8)}.get(self.metric) or range(
            1, (self.scale or 5) + 1
        )


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """One version of rules and mail templates. `files` maps relative paths to their text."""

    files: Mapping[str, str]
    go_live: datetime
    notify_max_age: timedelta
    currency: str
    segments: tuple[Segment, ...]
    signals: Mapping[str, Signal]
    policies: Mapping[str, Policy]
    routing: Routing
    surveys: Mapping[str, Survey]
    rules: tuple[Rule, ...]

    @cached_property
    def hash(self) -> str:
        return content_hash(self.files)

    @property
    def templates(self) -> dict[str, str]:
        """Mail templates by name below `templates/mail/`."""
        prefix = "templates/mail/"
        return {path.removeprefix(prefix): text for path, text in self.files.items() if path.startswith(prefix)}

    def rules_on(self, event_type: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.on == event_type)

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def segment_title(self, segment_id: str) -> str:
        return next((s.title for s in self.segments if s.id == segment_id), segment_id.replace("_", " "))


def content_hash(files: Mapping[str, str]) -> str:
    """SHA-256 over paths and texts in the order of the paths: the rulebook's name."""
    canonical = json.dumps(sorted(files.items()), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
