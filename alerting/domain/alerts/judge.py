"""The one judge: live, late, explained and back-tested events alike go through `judge`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from alerting.domain.cases.cases import SEVERITIES
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.history import history_points
from alerting.domain.customers.segments import Membership
from alerting.domain.customers.signals import Point
from alerting.domain.customers.standing import Subject, standing_at
from alerting.domain.intake.events import Event
from alerting.domain.rulebook.rulebook import Rule, Rulebook


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What one named condition came to, with the values it read."""

    name: str
    sql: str
    value: bool | None
    reads: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class RuleOutcome:
    """One rule tried against one event. It fires when every condition is true; unknown never
    fires.
    """

    rule: Rule
    truths: tuple[Truth, ...]

    @property
    def fired(self) -> bool:
        return all(truth.value is True for truth in self.truths)

    def refuted(self) -> "RuleOutcome":
        """The same where the event itself turned out not to have been: nothing about it is true."""
        return RuleOutcome(
            rule=self.rule, truths=tuple(replace(truth, value=False) for truth in self.truths)
        )

    @property
    def unknown(self) -> tuple[str, ...]:
        """Conditions that could not be decided while none was false: data is missing, and somebody
        should know.
        """
        if any(truth.value is False for truth in self.truths):
            return ()
        return tuple(truth.name for truth in self.truths if truth.value is None)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """All that was found out about one event: who the customer was, its signals, all that
    conditions could read, and the rules none of whose conditions was false (with `every_rule` all
    of them).
    """

    event: Event
    customer: Customer
    membership: Membership
    tags: tuple[str, ...]
    signals: Mapping[str, object]
    facts: Mapping[str, object]
    outcomes: tuple[RuleOutcome, ...]

    @property
    def alerts(self) -> tuple[RuleOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.fired)

    @property
    def by_severity(self) -> list[RuleOutcome]:
        """The alerts, the gravest first."""
        return sorted(self.alerts, key=lambda outcome: -SEVERITIES.index(outcome.rule.severity))


def judge(
    event: Event, subject: Subject, rulebook: Rulebook, *, every_rule: bool = False
) -> Judgement:
    """Judge one event with the facts as of its time. The subject's points are the customer's, the
    event's own included.
    """
    standing = standing_at(subject, event.order, rulebook, event.facts)
    rules = (
        rulebook.rules_on(event.type)
        if every_rule
        else rulebook.possible_rules(event.type, standing.facts)
    )
    return Judgement(
        event=event,
        customer=subject.customer,
        membership=standing.membership,
        tags=standing.tags,
        signals=standing.signals,
        facts=standing.facts,
        outcomes=tuple(_outcome(rule, standing.facts) for rule in rules),
    )


def points_from(events: Iterable[Event], rulebook: Rulebook) -> list[Point]:
    """What these events add to signals and history, from the events themselves: whatever the store
    kept, it is exact.
    """
    found: list[Point] = []
    for event in events:
        found += history_points(event)
        for signal in rulebook.signals.values():
            found += signal.points_of(event)
    return found


def _outcome(rule: Rule, facts: Mapping[str, object]) -> RuleOutcome:
    truths = []
    for named in rule.when:
        condition = named.condition
        reads = {key.removeprefix("event."): facts.get(key) for key in condition.reads}
        truths.append(
            Truth(name=named.name, sql=condition.sql, value=condition(facts), reads=reads)
        )
    return RuleOutcome(rule=rule, truths=tuple(truths))


def exclusion(event: Event, rulebook: Rulebook, now: datetime) -> str | None:
    """Why an event rings nobody, whatever it says: nothing old rings (transaction 6)."""
    if event.time < rulebook.go_live:
        return "before_go_live"
    if event.time < now - rulebook.notify_max_age:
        return "too_old"
    return None
