"""Segments: what a customer is worth to us; exactly one at any moment."""

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.domain.conditions import Condition
from alerting.domain.customers.customers import Customer

UNVERIFIED = "unverified"


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One segment: a list of members, a condition, or everybody else."""

    id: str
    rank: int | None
    title: str
    members: frozenset[str] | None = None
    listed_in: str | None = None
    """The file under rules/ its members stand in."""
    when: Condition | None = None
    otherwise: bool = False


@dataclass(frozen=True, kw_only=True)
class Membership:
    """The segment found and, in words, why."""

    segment: str
    why: str


def segment_of(
    customer: Customer, facts: Mapping[str, object], segments: tuple[Segment, ...]
) -> Membership:
    """First match wins. Who is unknown is `unverified`; so is who reaches `otherwise` past an
    unknown condition.

    Missing data must never make a customer look worse than it is: docs/explanation/segments.md.
    """
    unknown: str | None = None
    for segment in segments:
        if segment.members is not None and customer.key in segment.members:
            return Membership(segment=segment.id, why="is on its list")
        if not customer.known:
            continue
        if segment.when is not None:
            truth = segment.when.decide(facts)
            if truth:
                return Membership(segment=segment.id, why=segment.when.sql)
            unknown = unknown or (segment.id if truth is None else None)
        if segment.otherwise:
            if unknown is not None:
                return Membership(
                    segment=UNVERIFIED, why=f"cannot tell whether {unknown}: data is missing"
                )
            return Membership(segment=segment.id, why="none of the others")
    why = "no segment fits" if customer.known else "we know nothing of this customer yet"
    return Membership(segment=UNVERIFIED, why=why)


def inherited(
    own: Membership, group: Membership, parent: Customer, segments: tuple[Segment, ...]
) -> Membership:
    """The group's segment where it ranks higher; one without a rank, such as `unverified`, ranks
    below all others.
    """
    ranks = {segment.id: segment.rank for segment in segments}

    def rank(name: str) -> float:
        found = ranks.get(name)
        return float("-inf") if found is None else found

    if rank(group.segment) <= rank(own.segment):
        return own
    return Membership(segment=group.segment, why=f"its group {parent.name} is: {group.why}")


def tags_of(
    customer: Customer, facts: Mapping[str, object], tags: Mapping[str, Condition]
) -> list[str]:
    """How the customer is doing: every tag whose condition is true. Of an unknown customer none
    is.
    """
    return [name for name, condition in tags.items() if customer.known and condition.decide(facts)]
