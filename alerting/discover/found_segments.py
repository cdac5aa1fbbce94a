"""From customers to segments that can be written into rules/segments.yaml: groups, their
conditions, their cards.

What a card says of a group is what its condition says: the product's own compiler puts every
customer into a group.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from alerting.discover.group_conditions import Conditions, nearest_centre, shallow_tree
from alerting.discover.groups import Grouping, Labels, Numbers, find_groups
from alerting.discover.subjects import CustomerFacts, FactTable
from alerting.domain.conditions import Scope
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.parser import MAX_LENGTH
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.segments import UNVERIFIED, Segment, segment_of
from alerting.domain.customers.vocabulary import Vocabulary
from alerting.domain.errors import ActionRefused, ConditionRefused, NoEstimate

_DIGITS = (2, 3, 4, 6, 9, 12, 17)
"""Significant digits that are tried in a condition: the fewest that put every customer where
k-means does.
"""

_DEEPEST, _ENOUGH = 6, 0.98
"""A tree grows until so many customers are where k-means puts them, or until nobody could read
it.
"""

_DEGREES = ((90.0, "very high"), (70.0, "high"), (30.0, ""), (10.0, "low"), (0.0, "very low"))
"""What is said of a median by the share of all customers, in percent, that lie below it."""


@dataclass(frozen=True, kw_only=True)
class ValueSpread:
    """An attribute within a group; `above` is the share of all customers below the median, ties by
    half.
    """

    quartile_1: float
    median: float
    quartile_3: float
    above: float


@dataclass(frozen=True, kw_only=True)
class FoundGroup:
    """A profile card, and what segments.yaml needs. `when` is None for the last: everybody else."""

    id: str
    title: str
    rank: int
    size: int
    share: float
    attributes: Mapping[str, ValueSpread]
    differs: str
    when: str | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The groups, the highest first. `agreement` is the share of customers whom the conditions put
    where k-means does.

    `skewed` are attributes whose few large values outweigh all else, unless their logarithm is
    taken.
    """

    groups: Sequence[FoundGroup]
    members: Mapping[str, str]
    silhouettes: Mapping[int, float]
    sampled: int
    agreement: float
    skewed: Sequence[str]
    unverified_when: str


def find_segments(
    subjects: FactTable,
    logged: Sequence[str] = (),
    groups: int | None = None,
    *,
    simple: bool = False,
) -> Found:
    """Group those of whom all is known. `simple` asks for a shallow tree, which logarithms of one
    of several attributes need anyway. Raises NoEstimate where there is nothing to group, and
    ActionRefused for conditions that grow too long.
    """
    known, names = subjects.complete, list(subjects.kinds)
    if not known:
        raise NoEstimate("there is no customer of whom all of the attributes are known")
    scope = Vocabulary(attributes=subjects.kinds).for_segments()
    values = np.array([[float(one.facts[name] or 0) for name in names] for one in known])
    grouping = find_groups(values, names, logged, groups)
    written = [sql_name(name, scope) for name in names]
    tree = simple or (bool(logged) and len(names) > 1)
    tried = _trees(written, values, grouping) if tree else _exact(written, grouping)
    conditions, placed, agreement = _best(
        tried, grouping.labels, known, scope, _ENOUGH if tree else 1.0
    )
    kept = [group for group in range(grouping.count) if (placed == group).any()]
    shown = _Cards(values=values, names=names, count=len(kept))
    cards = [
        shown.card(place, values[placed == group], conditions[group])
        for place, group in enumerate(kept)
    ]
    ids = {group: card.id for group, card in zip(kept, cards, strict=True)}
    return Found(
        groups=cards,
        members={
            one.customer: ids.get(int(group), UNVERIFIED)
            for one, group in zip(known, placed, strict=True)
        },
        silhouettes=grouping.silhouettes,
        sampled=grouping.sampled,
        agreement=agreement,
        skewed=[
            name
            for at, name in enumerate(names)
            if name not in logged and _is_skewed(values[:, at])
        ],
        unverified_when=" OR ".join(f"{name} IS NULL" for name in written),
    )


def sql_name(name: str, scope: Scope) -> str:
    """The attribute as a condition names it: in quotes where it would not be a name without."""
    for written in (name, f'"{name}"'):
        try:
            compile_condition(f"{written} >= 0", scope)
        except ConditionRefused:
            continue
        return written
    raise ActionRefused(f"a condition cannot name the attribute {name!r} as a number; rename it")


def _exact(names: Sequence[str], grouping: Grouping) -> Iterator[Conditions]:
    return (nearest_centre(names, grouping, digits) for digits in _DIGITS)


def _trees(names: Sequence[str], values: Numbers, grouping: Grouping) -> Iterator[Conditions]:
    return (shallow_tree(names, values, grouping.labels, depth) for depth in range(1, _DEEPEST + 1))


def _best(
    tried: Iterator[Conditions],
    labels: Labels,
    known: Sequence[CustomerFacts],
    scope: Scope,
    enough: float,
) -> tuple[Conditions, Labels, float]:
    """The first conditions that put enough customers where they belong, else those that do best."""
    best: tuple[Conditions, Labels, float] | None = None
    for conditions in tried:
        if any(len(when or "") > MAX_LENGTH for when in conditions):
            break
        placed = place(conditions, known, scope)
        agreement = float((placed == labels).mean())
        if best is None or agreement > best[2]:
            best = (conditions, placed, agreement)
        if agreement >= enough:
            break
    if best is None:
        raise ActionRefused(
            f"a condition would have more than {MAX_LENGTH} characters; take fewer attributes or "
            "groups"
        )
    return best


def place(conditions: Conditions, known: Sequence[CustomerFacts], scope: Scope) -> Labels:
    """The group of each customer as the product would have it; -1 for one whom it calls
    unverified.
    """
    segments = tuple(
        Segment(
            id=str(group),
            rank=None,
            title="",
            otherwise=when is None,
            when=compile_condition(when, scope) if when else None,
        )
        for group, when in enumerate(conditions)
    )
    found = []
    for one in known:
        facts = {f"customer.{name}": value for name, value in one.facts.items()}
        segment = segment_of(
            Customer(key=one.customer, known=True, state={}), facts, segments
        ).segment
        found.append(-1 if segment == UNVERIFIED else int(segment))
    return np.array(found, dtype=np.intp)


@dataclass(frozen=True, kw_only=True)
class _Cards:
    """The profile cards of `count` groups, each against all customers: `values` has a row for each
    of them and a column for each name.
    """

    values: Numbers
    names: Sequence[str]
    count: int

    def card(self, place: int, inside: Numbers, when: str | None) -> FoundGroup:
        """That of the group with the rows `inside`, which is the `place`th from 0."""
        spreads = {
            name: _spread(inside[:, at], self.values[:, at]) for at, name in enumerate(self.names)
        }
        words = _words(spreads)
        return FoundGroup(
            id=f"group_{place + 1}",
            title=", ".join(words[:2]) or "the middle",
            rank=self.count - place,
            size=len(inside),
            share=len(inside) / len(self.values),
            attributes=spreads,
            differs=", ".join(words) or "nothing stands out",
            when=None if place == self.count - 1 else when,
        )


def _is_skewed(column: Numbers) -> bool:
    """Nothing negative, and a third moment of more than 2: an exponential distribution has just
    that.
    """
    return bool(column.min() >= 0 and (((column - column.mean()) / column.std()) ** 3).mean() > 2)


def _spread(inside: Numbers, every: Numbers) -> ValueSpread:
    low, middle, high = (float(one) for one in np.percentile(inside, [25, 50, 75]))
    return ValueSpread(
        quartile_1=low,
        median=middle,
        quartile_3=high,
        above=float((np.mean(every < middle) + np.mean(every <= middle)) / 2),
    )


def _words(spreads: Mapping[str, ValueSpread]) -> list[str]:
    """What stands out, most of all first."""
    order = sorted(spreads, key=lambda name: -abs(spreads[name].above - 0.5))
    said = [
        (next(word for least, word in _DEGREES if spreads[name].above * 100 >= least), name)
        for name in order
    ]
    return [f"{word} {name}" for word, name in said if word]
