"""Where a customer stands at one moment: its segment, with the group's where that ranks higher, and
its tags.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Protocol

from alerting.domain.conditions import Condition, Type
from alerting.domain.customers.customers import Customer, History
from alerting.domain.customers.health import UNKNOWN, Health, HealthPart, health_of
from alerting.domain.customers.history import history_at
from alerting.domain.customers.segments import Membership, Segment, inherited, segment_of, tags_of
from alerting.domain.customers.signals import Order, Point, Signal, values_at
from alerting.domain.customers.value import PURCHASES, Scale, Scales, value_facts

DEEPEST_GROUP = 8
"""Groups above a customer that count; a plant of a company of a group of a holding is three."""


class Rules(Protocol):
    """What of a rulebook says where a customer stands."""

    @property
    def signals(self) -> Mapping[str, Signal]: ...
    @property
    def attributes(self) -> Mapping[str, Type]: ...
    @property
    def segments(self) -> tuple[Segment, ...]: ...
    @property
    def tags(self) -> Mapping[str, Condition]: ...
    @property
    def health(self) -> Sequence[HealthPart]: ...


@dataclass(frozen=True, kw_only=True)
class StandingRules:
    """Only that of a rulebook."""

    signals: Mapping[str, Signal]
    attributes: Mapping[str, Type]
    segments: tuple[Segment, ...]
    tags: Mapping[str, Condition]
    health: Sequence[HealthPart]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A customer as known at one moment with the points of its past, and its group, if any, in the
    same form.
    """

    customer: Customer
    points: Sequence[Point] = ()
    group: "Subject | None" = None
    scale: Scale | None = None
    """The cut points of the time, for what the customer is worth."""

    def lineage(self) -> Iterator["Subject"]:
        """The customer, its group, the group's group and so on."""
        subject: Subject | None = self
        while subject is not None:
            yield subject
            subject = subject.group


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """Histories of customers and of every group that was ever above them, with the points of all of
    them.
    """

    histories: Mapping[str, History]
    points: Mapping[str, Sequence[Point]] = field(default_factory=dict)
    scales: Scales = field(default_factory=Scales)

    def at(self, key: str, moment: datetime, more: Sequence[Point] = ()) -> Subject:
        """A customer as of a moment; `more` points than were loaded. A group that leads back to
        itself ends there.
        """
        own = self.histories[key].as_of(moment)
        held = [*self.points.get(key, ()), *more] if self.points else more
        scale = self.scales.at(moment) if self.scales.every else None
        group = self._group(key, moment) if own.state.get("parent") is not None else None
        return Subject(customer=own, points=held, group=group, scale=scale)

    def _group(self, key: str, moment: datetime) -> Subject | None:
        chain = [key]
        while len(chain) <= DEEPEST_GROUP:
            parent = self.histories[chain[-1]].as_of(moment).state.get("parent")
            if parent is None or parent in chain or parent not in self.histories:
                break
            chain.append(str(parent))
        subject: Subject | None = None
        for name in reversed(chain[1:]):
            customer, held = self.histories[name].as_of(moment), self.points.get(name, ())
            subject = Subject(
                customer=customer, points=held, group=subject, scale=self.scales.at(moment)
            )
        return subject

    def lineages(self, key: str) -> list[str]:
        """The customer and every group that was ever above it, of those loaded."""
        found, waiting = [key], [key]
        while waiting:
            new = sorted(self.histories[waiting.pop()].parents & self.histories.keys() - set(found))
            found += new
            waiting += new
        return found


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Segment and tags, and the facts they were read from, by the keys conditions use."""

    membership: Membership
    tags: tuple[str, ...]
    signals: Mapping[str, object]
    facts: Mapping[str, object]
    health: Health


def standing_at(
    subject: Subject, moment: Order, rules: Rules, event: Mapping[str, object] | None = None
) -> Standing:
    """Where the customer stands at a moment, or as an event of that order finds it: `event` holds
    its facts.

    Signals include that event. History leaves it out, and so do tags: they say how the customer was
    doing before.
    """
    facts, signals, health, membership = _own(subject, moment, rules, event)
    above = subject.group
    while above is not None:
        membership = inherited(
            membership, _own(above, moment, rules, None)[3], above.customer, rules.segments
        )
        above = above.group
    tags = (
        tags_of(subject.customer, _with(facts, _before(subject, moment, rules)), rules.tags)
        if rules.tags
        else []
    )
    facts["customer.tags"] = tags
    facts["customer.segment"] = membership.segment
    return Standing(
        membership=membership,
        tags=tuple(tags),
        signals={name: value for name, value in signals.items() if not name.startswith("@")},
        facts=facts,
        health=health,
    )


def _own(
    subject: Subject, moment: Order, rules: Rules, event: Mapping[str, object] | None
) -> tuple[dict[str, object], dict[str, object], Health, Membership]:
    signals = values_at(rules.signals, moment, subject.points)
    facts: dict[str, object] = {
        **(event or {"event.time": moment[0]}),
        **subject.customer.facts(rules.attributes),
    }
    renewal = facts["customer.renewal_date"]
    facts |= history_at(moment, subject.points, renewal if isinstance(renewal, date) else None)
    for name, value in signals.items():
        facts[f"signal.{name}"] = value
    if PURCHASES in signals:
        facts |= value_facts(signals, subject.scale)
    health = (
        health_of(rules.health, _with(facts, _before(subject, moment, rules)))
        if rules.health
        else UNKNOWN
    )
    facts["customer.health"], facts["customer.health_missing"] = health.score, health.missing
    return facts, signals, health, segment_of(subject.customer, facts, rules.segments)


def _before(subject: Subject, moment: Order, rules: Rules) -> dict[str, object]:
    """The signals just before a moment where they are others than at it: tags and health say how
    the customer was doing.
    """
    if not rules.tags and not rules.health:
        return {}
    before = [point for point in subject.points if point.order < moment]
    if len(before) == len(subject.points):
        return {}
    return {
        f"signal.{name}": value for name, value in values_at(rules.signals, moment, before).items()
    }


def _with(facts: dict[str, object], others: Mapping[str, object]) -> dict[str, object]:
    return {**facts, **others} if others else facts


def at_rest(moment: datetime) -> Order:
    """The order of a moment at which nothing happens: after everything that happened then."""
    return (moment, "\U0010ffff", "")


_PAST = ("customer.last_", "customer.score_change", "customer.days_since_", "signal.")
_CALENDAR = ("customer.days_", "signal.", "event.time")


def reads_the_past(reads: Iterable[Iterable[str]]) -> bool:
    """Whether any of these conditions reads more than the customer's own fields: what happened may
    change it.
    """
    return any(name.startswith(_PAST) for names in reads for name in names)


def next_look(
    standing: Standing, reads: tuple[frozenset[str], ...], moment: datetime
) -> datetime | None:
    """When the calendar alone may change segment or tags next: the next midnight (UTC), None where
    it cannot.

    It cannot where no condition reads the calendar, or nothing it goes with is known of this
    customer: `days_to_renewal` without a date of renewal, a window with nothing in it.
    """
    alive = any(_lives(name, standing, names) for name, names in _calendar(reads))
    if not alive:
        return None
    return datetime.combine(moment.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


@lru_cache(maxsize=16)
def _calendar(reads: tuple[frozenset[str], ...]) -> list[tuple[str, frozenset[str]]]:
    """What of all that is read goes with the calendar, and what it is read together with."""
    every = [(name, names) for names in reads for name in sorted(names)]
    return [(name, names) for name, names in every if name.startswith(_CALENDAR)]


def _lives(name: str, standing: Standing, names: frozenset[str]) -> bool:
    if name == "event.time":
        return any(standing.facts.get(other) is not None for other in names if other != name)
    return bool(standing.facts.get(name)) or (
        name.startswith("customer.") and standing.facts.get(name) is not None
    )
