"""Signals: what is known of one customer at one moment over a sliding window, computed from
append-only points.

A window is `(t - within, t]` by event time; ties at one instant are ordered by (source, id). A
reset forgets what came before it. Because points carry their own time and no totals are kept, the
same events in any order give the same value.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from alerting.domain.conditions import Condition, Type, arithmetic

if TYPE_CHECKING:  # its models take longer to import than all that only names a customer
    from alerting.domain.intake.events import Event

Order = tuple[datetime, str, str]


class PointKind(StrEnum):
    """What an event left behind: something to reckon with, or the end of what came before."""

    MARK = "mark"
    RESET = "reset"


class Aggregate(StrEnum):
    """How the marks of a window become one value. SQL's rules: of nothing, `count` and `distinct`
    are 0, the rest NULL.
    """

    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    DISTINCT = "distinct"
    LAST = "last"
    DAYS_SINCE = "days_since"

    @property
    def takes_field(self) -> bool:
        """Whether it computes with a field of the event, or only with the event itself."""
        return self not in {Aggregate.COUNT, Aggregate.DAYS_SINCE}

    @property
    def takes_numbers(self) -> bool:
        return self in {Aggregate.SUM, Aggregate.AVG}

    def type_of(self, field: Type) -> Type:
        """The type of the signal over a field of this type."""
        if self in {Aggregate.COUNT, Aggregate.DISTINCT, Aggregate.DAYS_SINCE}:
            return Type.BIGINT
        return Type.NUMBER if self.takes_numbers else field


@dataclass(frozen=True, kw_only=True)
class Signal:
    """An aggregate of events `of` one type `where` a condition holds, `within` a window, forgotten
    by `reset_when`.
    """

    name: str
    aggregate: Aggregate
    of: str
    field: str | None
    type: Type
    where: Condition | None
    within: timedelta
    reset_when: Condition | None
    points_of_other: "Signal | None" = None
    """Another one that marks the same events: it leaves the points for both."""

    @cached_property
    def definition(self) -> str:
        """Names what the points mean; an edited signal starts with points of its own."""
        if self.points_of_other is not None:
            return self.points_of_other.definition
        conditions = [self.where and self.where.sql, self.reset_when and self.reset_when.sql]
        parts = [self.name, self.of, self.field, self.within.total_seconds(), *conditions]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def points_of(self, event: "Event") -> list["Point"]:
        """What this event leaves: nothing, a mark, a reset, or both (the reset then forgets the
        mark, too).
        """
        if event.type != self.of or self.points_of_other is not None:
            return []
        facts = event.facts
        value = facts.get(f"event.{self.field}") if self.field else None
        found = []
        if (self.field is None or value is not None) and (self.where is None or self.where(facts)):
            found.append((PointKind.MARK, value))
        if self.reset_when is not None and self.reset_when(facts):
            found.append((PointKind.RESET, None))
        return [point_of(self.definition, event, kind, value) for kind, value in found]

    def marks_at(self, moment: Order, points: Iterable["Point"]) -> list["Point"]:
        """What counts at a moment: the marks in the window that ends with it, after the last reset,
        the oldest first.
        """
        begin = moment[0] - self.within
        seen = [
            p
            for p in points
            if p.definition == self.definition and begin < p.order[0] and p.order <= moment
        ]
        if not seen:
            return seen
        last_reset = max((p.order for p in seen if p.kind is PointKind.RESET), default=None)
        marks = [
            p
            for p in seen
            if p.kind is PointKind.MARK and (last_reset is None or p.order > last_reset)
        ]
        return sorted(marks, key=lambda p: p.order)


def _aggregated(aggregate: Aggregate, marks: Sequence["Point"], now: datetime) -> Any:
    values = [mark.value for mark in marks]
    if aggregate is Aggregate.COUNT:
        return len(marks)
    if aggregate is Aggregate.DISTINCT:
        return len(set(values))
    if not marks:
        return None
    if aggregate is Aggregate.DAYS_SINCE:
        return (now - marks[-1].order[0]) // timedelta(days=1)
    if aggregate is Aggregate.LAST:
        return values[-1]
    if aggregate is Aggregate.MIN:
        return min(values)
    if aggregate is Aggregate.MAX:
        return max(values)
    total = arithmetic.total(values)
    return total if aggregate is Aggregate.SUM else arithmetic.DIVIDE.numeric(total, len(values))


@dataclass(frozen=True, kw_only=True)
class Point:
    """What one event left for one definition; `order` is the event's (time, source, id), `value`
    the field it had.
    """

    definition: str
    customer_key: str
    kind: PointKind
    order: Order
    value: Any = None


def point_of(
    definition: str, event: "Event", kind: PointKind = PointKind.MARK, value: Any = None
) -> Point:
    return Point(
        definition=definition,
        customer_key=event.customer_key,
        kind=kind,
        order=event.order,
        value=value,
    )


def values_at(
    signals: Mapping[str, Signal], moment: Order, points: Iterable[Point]
) -> dict[str, object]:
    """Every signal's value for one customer at one moment."""
    held = list(points)
    found: dict[str, object] = {}
    marks: dict[tuple[str, timedelta], list[Point]] = {}
    for name, signal in signals.items():
        same = (signal.definition, signal.within)
        if same not in marks:
            marks[same] = signal.marks_at(moment, held)
        found[name] = _aggregated(signal.aggregate, marks[same], moment[0])
    return found
