"""The one judge: live, late, explained and back-tested events alike go through `judge`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.domain.customers import Customer
from alerting.domain.events import Event
from alerting.domain.history import history_at
from alerting.domain.rulebook import Rule, Rulebook
from alerting.domain.segments import Membership, segment_of, tags_of
from alerting.domain.signals import Point, values_at


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What one named condition came to, with the values it read."""

    name: str
    sql: str
    value: bool | None
    reads: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RuleOutcome:
    """One rule tried against one event. It fires when every condition is true; unknown never fires."""

    rule: Rule
    truths: tuple[Truth, ...]

    @property
    def fired(self) -> bool:
        return all(truth.value is True for truth in self.truths)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Conditions that could not be decided while none was false: data is missing, and somebody should know."""
        if any(truth.value is False for truth in self.truths):
            return ()
        return tuple(truth.name for truth in self.truths if truth.value is None)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """All that was found out about one event: who the customer was, its signals, all that conditions could read, and
    the rules none of whose conditions was false (with `every_rule` all of them)."""

    event: Event
    customer: Customer
    membership: Membership
    tags: tuple[str, ...]
    signals: Mapping[str, Any]
    facts: Mapping[str, Any]
    outcomes: tuple[RuleOutcome, ...]

    @property
    def alerts(self) -> tuple[RuleOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.fired)


def judge(
    event: Event, customer: Customer, points: Iterable[Point], rulebook: Rulebook, *, every_rule: bool = False
) -> Judgement:
    """Judge one event with the facts as of its time. `points` are the customer's, the event's own included."""
    held = list(points)
    signals = values_at(rulebook.signals, event.order, held)
    facts = {f"event.{name}": value for name, value in event.fields().items()}
    facts |= {f"customer.{name}": value for name, value in customer.fields(rulebook.attributes).items()}
    history = history_at(event.order, held, facts["customer.renewal_date"])
    facts |= {f"customer.{name}": value for name, value in history.items()}
    facts |= {f"signal.{name}": value for name, value in signals.items()}
    membership = segment_of(customer, facts, rulebook.segments)
    facts["customer.tags"] = _tags(event, customer, held, facts, rulebook)
    facts["customer.segment"] = membership.segment
    rules = rulebook.rules_on(event.type) if every_rule else rulebook.possible_rules(event.type, facts)
    return Judgement(
        event=event,
        customer=customer,
        membership=membership,
        tags=tuple(facts["customer.tags"]),
        signals=signals,
        facts=facts,
        outcomes=tuple(_outcome(rule, facts) for rule in rules),
    )


def _tags(
    event: Event, customer: Customer, points: list[Point], facts: Mapping[str, Any], rulebook: Rulebook
) -> list[str]:
    """Tags say how the customer was doing before the event: its own points are left out."""
    if not rulebook.tags:
        return []
    before = [point for point in points if point.order < event.order]
    signals = values_at(rulebook.signals, event.order, before)
    return tags_of(customer, {**facts, **{f"signal.{n}": v for n, v in signals.items()}}, rulebook.tags)


def _outcome(rule: Rule, facts: Mapping[str, Any]) -> RuleOutcome:
    truths = []
    for named in rule.when:
        condition = named.condition
        reads = {key.removeprefix("event."): facts.get(key) for key in condition.reads}
        truths.append(Truth(name=named.name, sql=condition.sql, value=condition(facts), reads=reads))
    return RuleOutcome(rule=rule, truths=tuple(truths))


def exclusion(event: Event, rulebook: Rulebook, now: datetime) -> str | None:
    """Why an event rings nobody, whatever it says: nothing old rings (transaction 6)."""
    if event.time < rulebook.go_live:
        return "before_go_live"
    if event.time < now - rulebook.notify_max_age:
        return "too_old"
    return None
