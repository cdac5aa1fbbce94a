"""Signals: a number known of one customer at one moment, from append-only points over a sliding window.

A window is `(t - within, t]` by event time; ties at one instant are ordered by (source, id). A reset forgets what came
before it. Because points carry their own time, the same events in any order give the same value.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerting.domain.conditions import Condition
from alerting.domain.events import Event

Order = tuple[datetime, str, str]


class PointKind(StrEnum):
    """What an event left behind."""

    COUNT = "count"
    RESET = "reset"


@dataclass(frozen=True, kw_only=True)
class Signal:
    """`count` of one event type `where` a condition holds, `within` a window, forgotten by `reset_when`."""

    name: str
    of: str
    where: Condition | None
    within: timedelta
    reset_when: Condition | None

    @property
    def definition(self) -> str:
        """Names what the points mean; an edited signal starts with points of its own."""
        parts = [self.name, self.of, self.where and self.where.sql, self.reset_when and self.reset_when.sql]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def points_of(self, event: Event) -> list["Point"]:
        """What this event leaves: nothing, a count, a reset, or both (the reset then forgets the count too)."""
        if event.type != self.of:
            return []
        facts = {f"event.{name}": value for name, value in event.fields().items()}
        kinds = []
        if self.where is None or self.where(facts):
            kinds.append(PointKind.COUNT)
        if self.reset_when is not None and self.reset_when(facts):
            kinds.append(PointKind.RESET)
        return [
            Point(definition=self.definition, customer_key=event.customer_key, kind=kind, order=event.order)
            for kind in kinds
        ]

    def value_at(self, moment: Order, points: Iterable["Point"]) -> int:
        """How many counts lie in the window that ends with `moment`, after the last reset."""
        begin = moment[0] - self.within
        seen = [p for p in points if p.definition == self.definition and begin < p.order[0] and p.order <= moment]
        last_reset = max((p.order for p in seen if p.kind is PointKind.RESET), default=None)
        counts = (p for p in seen if p.kind is PointKind.COUNT)
        return sum(1 for p in counts if last_reset is None or p.order > last_reset)


@dataclass(frozen=True, kw_only=True)
class Point:
    """One event's mark for one signal definition; `order` is the event's (time, source, id)."""

    definition: str
    customer_key: str
    kind: PointKind
    order: Order


def values_at(signals: Mapping[str, Signal], moment: Order, points: Iterable[Point]) -> dict[str, int]:
    """Every signal's value for one customer at one moment."""
    held = list(points)
    return {name: signal.value_at(moment, held) for name, signal in signals.items()}
