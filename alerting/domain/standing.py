"""Where a customer stands at a moment without any event: segment, tags and signals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.domain.customers import Customer
from alerting.domain.history import history_at
from alerting.domain.rulebook import Rulebook
from alerting.domain.segments import Membership, segment_of, tags_of
from alerting.domain.signals import Order, Point, values_at


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a rulebook makes of a customer at one moment."""

    membership: Membership
    tags: tuple[str, ...]
    signals: Mapping[str, Any]


def standing_at(customer: Customer, moment: datetime, points: Iterable[Point], rulebook: Rulebook) -> Standing:
    """With everything that has happened by then; `judge` finds the same for an event at that moment."""
    order: Order = (moment, "\U0010ffff", "")  # after all events of the same instant
    held = [point for point in points if point.order < order]
    signals = values_at(rulebook.signals, order, held)
    facts: dict[str, Any] = {"event.time": moment}
    facts |= {f"customer.{name}": value for name, value in customer.fields(rulebook.attributes).items()}
    history = history_at(order, held, facts["customer.renewal_date"])
    facts |= {f"customer.{name}": value for name, value in history.items()}
    facts |= {f"signal.{name}": value for name, value in signals.items()}
    membership = segment_of(customer, facts, rulebook.segments)
    return Standing(membership=membership, tags=tuple(tags_of(customer, facts, rulebook.tags)), signals=signals)
