"""What a customer is worth by what it bought: recency, frequency and monetary value, each in fifths
of all buyers.

A fifth is found by cut points that are reckoned over all buyers once a night and kept with their
date: the same numbers always fall into the same fifth, and a past event is judged by the cut points
of its time.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from alerting.domain.conditions import Condition, Type
from alerting.domain.customers.signals import Aggregate, Signal

Amount = TypeVar("Amount", int, Decimal)

PURCHASE = "purchase.recorded"
PURCHASES, PURCHASED, DAYS_SINCE = "@purchases", "@purchased", "@days_since_purchase"
"""Signals of our own: nobody's signal may begin with `@`."""

VALUE_FIELDS: Mapping[str, Type] = {
    "purchases": Type.BIGINT,
    "purchased": Type.NUMBER,
    "days_since_purchase": Type.BIGINT,
    "rfm": Type.TEXT,
    "rfm_recency": Type.BIGINT,
    "rfm_frequency": Type.BIGINT,
    "rfm_monetary": Type.BIGINT,
    "rfm_group": Type.TEXT,
    "value_decile": Type.BIGINT,
}
"""What conditions may read: `customer.rfm` is such as `545` (5 is best), `value_decile` 1 for the
highest tenth.
"""

VALUE_READS = frozenset(f"customer.{name}" for name in VALUE_FIELDS)

GROUPS = (
    "champions",
    "loyal",
    "big_spenders",
    "new",
    "promising",
    "slipping",
    "hibernating",
    "lost",
)
"""`customer.rfm_group`: the first that fits, see `group_of`."""


@dataclass(frozen=True, kw_only=True)
class Bought:
    """One customer's purchases in the window: whole days since the last one, how many, and their
    sum.
    """

    days_since: int
    purchases: int
    purchased: Decimal


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Cut points over all buyers at one moment: four make fifths, nine make tenths. Empty where
    nobody had bought.
    """

    valid_from: datetime
    buyers: int
    recency: tuple[int, ...] = ()
    frequency: tuple[int, ...] = ()
    monetary: tuple[Decimal, ...] = ()
    tenths: tuple[Decimal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Scales:
    """The scales there were, oldest first."""

    every: Sequence[Scale] = field(default_factory=tuple)

    def at(self, moment: datetime) -> Scale | None:
        """The one in force; before the first one the first counts, for we know no other."""
        before = [scale for scale in self.every if scale.valid_from <= moment]
        return before[-1] if before else next(iter(self.every), None)


def scale_of(buyers: Iterable[Bought], now: datetime) -> Scale:
    """The cut points of these buyers. The k-th of n parts ends with the value of nearest rank,
    ceil(k * count / n).
    """
    found = list(buyers)
    money = sorted(buyer.purchased for buyer in found)
    return Scale(
        valid_from=now,
        buyers=len(found),
        recency=tuple(_cuts(sorted(buyer.days_since for buyer in found), 5)),
        frequency=tuple(_cuts(sorted(buyer.purchases for buyer in found), 5)),
        monetary=tuple(_cuts(money, 5)),
        tenths=tuple(_cuts(money, 10)),
    )


def _cuts(ordered: Sequence[Amount], parts: int) -> list[Amount]:
    if not ordered:
        return []
    return [ordered[-(-k * len(ordered) // parts) - 1] for k in range(1, parts)]


_UNKNOWN_VALUE: Mapping[str, object] = {f"customer.{name}": None for name in VALUE_FIELDS}


def value_facts(signals: Mapping[str, object], scale: Scale | None) -> dict[str, object]:
    """The customer's value fields by the keys conditions use; NULL without a purchase in the
    window, or without a scale.
    """
    bought, days = _whole(signals[PURCHASES]), _whole(signals[DAYS_SINCE])
    total = signals[PURCHASED]
    known = {
        "customer.purchases": bought,
        "customer.purchased": total,
        "customer.days_since_purchase": days,
    }
    if bought is None or days is None or scale is None or not scale.buyers:
        return {**_UNKNOWN_VALUE, **known}
    spent = total if isinstance(total, Decimal) else Decimal(_whole(total) or 0)
    recency = 5 - bisect_left(scale.recency, days)
    frequency = 1 + bisect_left(scale.frequency, bought)
    monetary = 1 + bisect_left(scale.monetary, spent)
    return {
        **known,
        "customer.rfm": f"{recency}{frequency}{monetary}",
        "customer.rfm_recency": recency,
        "customer.rfm_frequency": frequency,
        "customer.rfm_monetary": monetary,
        "customer.rfm_group": group_of(recency, frequency, monetary),
        "customer.value_decile": 10 - bisect_left(scale.tenths, spent),
    }


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def group_of(recency: int, frequency: int, monetary: int) -> str:
    """A name for the three fifths, as salespeople speak of them."""
    if recency >= 4:
        if frequency >= 4 and monetary >= 4:
            return "champions"
        if frequency <= 1:
            return "new"
    if recency >= 3:
        if frequency >= 4:
            return "loyal"
        return "big_spenders" if monetary >= 4 else "promising"
    if frequency >= 4 or monetary >= 4:
        return "slipping"
    return "hibernating" if recency == 2 else "lost"


def value_signals(within: timedelta, own_currency: Condition) -> dict[str, Signal]:
    """The signals value is read from, over purchases in the business's own currency."""

    def signal(
        name: str, aggregate: Aggregate, of: str | None, kind: Type, other: Signal | None = None
    ) -> Signal:
        return Signal(
            name=name,
            aggregate=aggregate,
            of=PURCHASE,
            field=of,
            type=kind,
            where=own_currency,
            within=within,
            reset_when=None,
            points_of_other=other,
        )

    total = signal(PURCHASED, Aggregate.SUM, "amount", Type.NUMBER)
    made = (
        signal(PURCHASES, Aggregate.COUNT, None, Type.BIGINT, total),
        total,
        signal(DAYS_SINCE, Aggregate.DAYS_SINCE, None, Type.BIGINT, total),
    )
    return {one.name: one for one in made}
