"""The one judge: live, late, explained and back-tested events alike go through `judge`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.domain.customers import Customer
from alerting.domain.events import Event
from alerting.domain.rulebook import Rule, Rulebook
from alerting.domain.segments import Membership, segment_of
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
    """All that was found out about one event: who the customer was, its signals, each rule with its conditions."""

    event: Event
    customer: Customer
    membership: Membership
    signals: Mapping[str, int]
    outcomes: tuple[RuleOutcome, ...]

    @property
    def alerts(self) -> tuple[RuleOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.fired)


def judge(event: Event, customer: Customer, points: Iterable[Point], rulebook: Rulebook) -> Judgement:
    """Judge one event with the facts as of its time. `points` are the customer's, the event's own included."""
    signals = values_at(rulebook.signals, event.order, points)
    membership = segment_of(customer, signals, rulebook.segments)
    facts = {f"event.{name}": value for name, value in event.fields().items()}
    facts |= {f"customer.{name}": value for name, value in customer.fields().items()}
    facts |= {f"signal.{name}": value for name, value in signals.items()}
    facts["customer.segment"] = membership.segment
    return Judgement(
        event=event,
        customer=customer,
        membership=membership,
        signals=signals,
        outcomes=tuple(_try(rule, facts) for rule in rulebook.rules_on(event.type)),
    )


def _try(rule: Rule, facts: Mapping[str, Any]) -> RuleOutcome:
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
