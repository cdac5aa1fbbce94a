"""The rulebook: everything the business decides, checked whole, immutable, named by its content
hash.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import cached_property

from alerting.domain.cases.resolutions import Resolutions
from alerting.domain.cases.sla import Policy, on_calendars_of, under_contract
from alerting.domain.conditions import Condition, Type
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.health import HealthPart
from alerting.domain.customers.segments import Segment
from alerting.domain.customers.signals import Signal
from alerting.domain.customers.standing import StandingRules
from alerting.domain.customers.value import PURCHASES, VALUE_READS
from alerting.domain.customers.vocabulary import Vocabulary
from alerting.domain.people.people import Party
from alerting.domain.routing.routing import Routing
from alerting.domain.rulebook.rule_index import RuleIndex
from alerting.domain.times.calendars import Calendar


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
    of: str | None = None
    silent_for: timedelta | None = None
    """A rule `on: silence` fires when no event `of` this type came for so long."""
    mode: str = "live"
    """`shadow`: alerts are recorded and tell nobody."""
    cooldown: timedelta | None = None
    """How long the rule keeps quiet about a customer it has rung about."""


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
        return {"nps": range(11), "csat": range(1, 6), "ces": range(1, 8)}.get(
            self.metric
        ) or range(1, (self.scale or 5) + 1)


@dataclass(frozen=True, kw_only=True)
class Words:
    """What the business has named, in another language; what is not in it stays as it is."""

    conditions: Mapping[str, str] = field(default_factory=dict)
    rules: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Weekly:
    """When the list of open promises goes out, in each reader's own zone. Monday is 0."""

    weekday: int
    at: time


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """One version of rules and mail templates. `files` maps relative paths to their text."""

    files: Mapping[str, str]
    go_live: datetime
    notify_max_age: timedelta
    lateness: timedelta
    """How old an event may be to be judged again when facts of its time come in late."""
    second_person: bool
    currency: str
    segments: tuple[Segment, ...]
    tags: Mapping[str, Condition]
    signals: Mapping[str, Signal]
    attributes: Mapping[str, Type]
    lists: Mapping[str, tuple[str, ...]]
    policies: Mapping[str, Policy]
    routing: Routing
    surveys: Mapping[str, Survey]
    rules: tuple[Rule, ...]
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    wait_at_most: timedelta = timedelta(days=14)
    """How long a case may wait before somebody has to look at it again."""
    weekly_mail: Weekly | None = None
    resolutions: Resolutions = field(default_factory=Resolutions)
    audit_holder: str | None = None
    """Who keeps the audit's checkpoints, outside."""
    health: tuple[HealthPart, ...] = ()
    words: Mapping[str, Words] = field(default_factory=dict)
    """By locale."""

    def promised(
        self,
        policy: str,
        customer: Customer,
        caller: Party | None = None,
        fixer: Party | None = None,
    ) -> Policy:
        """What a policy promises to one customer, whose contract may say otherwise, on the
        calendars of who owes it.
        """
        agreed = under_contract(self.policies[policy], customer.contract, self.calendars)
        return on_calendars_of(agreed, {"caller": caller, "fixer": fixer}, self.calendars)

    @cached_property
    def hash(self) -> str:
        return content_hash(self.files)

    @property
    def templates(self) -> dict[str, str]:
        """Mail templates by name below `templates/mail/`."""
        prefix = "templates/mail/"
        return {
            path.removeprefix(prefix): text
            for path, text in self.files.items()
            if path.startswith(prefix)
        }

    def rules_on(self, event_type: str) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.on == event_type)

    @cached_property
    def heard(self) -> frozenset[str]:
        """The event types any rule is about."""
        return frozenset(rule.on for rule in self.rules)

    def possible_rules(self, event_type: str, facts: Mapping[str, object]) -> list[Rule]:
        """The rules on events of this type none of whose conditions is false for these facts, in
        their order.
        """
        index = self._indexes.get(event_type)
        return index.possible(facts) if index is not None else []

    def may_alert(self, event_type: str, facts: Mapping[str, object]) -> bool:
        """Whether the event's own facts leave any rule possible, whoever the customer is."""
        index = self._indexes.get(event_type)
        return index is not None and index.any_left(facts)

    @cached_property
    def _indexes(self) -> dict[str, RuleIndex[Rule]]:
        return {
            event_type: RuleIndex(
                [(rule, [n.condition for n in rule.when]) for rule in self.rules_on(event_type)]
            )
            for event_type in self.heard
        }

    @cached_property
    def standing_rules(self) -> StandingRules:
        """What says where customers stand, without the signals and the health that only rules
        read.
        """
        read = frozenset(name for reads in self.standing_reads for name in reads)
        healthy = read & {"customer.health", "customer.health_missing"}
        return StandingRules(
            signals={
                name: signal for name, signal in self.signals.items() if f"signal.{name}" in read
            },
            attributes=self.attributes,
            segments=self.segments,
            tags=self.tags,
            health=self.health if healthy else (),
        )

    @property
    def vocabulary(self) -> Vocabulary:
        """The names its conditions may use."""
        signals = {
            name: signal.type for name, signal in self.signals.items() if not name.startswith("@")
        }
        return Vocabulary(
            signals=signals,
            attributes=self.attributes,
            lists=self.lists,
            has_health=bool(self.health),
        )

    @cached_property
    def standing_reads(self) -> tuple[frozenset[str], ...]:
        """What each condition of a segment or a tag reads, by the keys of the facts."""
        whens = [segment.when for segment in self.segments if segment.when is not None]
        scores = [when for part in self.health for _, when in part.scores]
        health = frozenset(name for when in scores for name in when.reads)
        bought = frozenset(f"signal.{name}" for name in self.signals if name.startswith("@"))
        found = []
        for condition in (*whens, *self.tags.values()):
            reads = frozenset(condition.reads)
            reads |= (
                health if reads & {"customer.health", "customer.health_missing"} else frozenset()
            )
            found.append(reads | bought if reads & VALUE_READS else reads)
        return tuple(found)

    @property
    def values_customers(self) -> bool:
        """Whether anything reads what customers are worth by their purchases."""
        return PURCHASES in self.signals

    @property
    def standing_files(self) -> dict[str, str]:
        """The files that say in which segment a customer is and which tags it has."""
        elsewhere = ("rules/escalations/", "rules/tests/", "rules/words/")
        names = {f"rules/{name}.yaml" for name in ("settings", "routing", "sla", "surveys")}
        return {
            path: text
            for path, text in self.files.items()
            if path.startswith("rules/") and path not in names and not path.startswith(elsewhere)
        }

    @property
    def silence_rules(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.silent_for is not None)

    def rule(self, rule_id: str) -> Rule | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def rule_title(self, rule_id: str) -> str:
        rule = self.rule(rule_id)
        return rule.title if rule else rule_id

    def segment_title(self, segment_id: str) -> str:
        return next(
            (s.title for s in self.segments if s.id == segment_id), segment_id.replace("_", " ")
        )

    def words_for(self, locale: str) -> Words:
        """Of `de-AT`, else of `de`; empty where there are none."""
        language = locale.split("-")[0]
        return self.words.get(locale) or self.words.get(language) or Words()


def content_hash(files: Mapping[str, str]) -> str:
    """SHA-256 over paths and texts in the order of the paths: the rulebook's name."""
    canonical = json.dumps(sorted(files.items()), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
