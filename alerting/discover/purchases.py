"""Purchases, and what is left of them for a model of repeat buying: how many, the last one, and
since when.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

DAYS_OF_A_WEEK = 7


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """One row of a list of orders; a negative `amount` is a return, of which models know
    nothing.
    """

    customer: str
    day: date
    amount: Decimal


@dataclass(frozen=True, kw_only=True)
class Buyer:
    """What BG/NBD knows of a customer: Fader, Hardie and Lee (2005), section 3.

    `frequency` counts the days with a purchase after the first such day. In weeks: `recency` is
    from the first to the last of these days, `age` (their T) from the first to the end of the
    period. `spent` is the sum of all amounts.
    """

    customer: str
    frequency: int
    recency: float
    age: float
    spent: Decimal


def buyers(purchases: Iterable[Purchase], end: date) -> list[Buyer]:
    """Every customer who bought by `end`, that day included, in the order of first mention.

    Purchases of one day are one purchase: the model's occasions are days.
    """
    return [
        _buyer(customer, days, end)
        for customer, days in _by_day(p for p in purchases if p.day <= end).items()
    ]


def bought_between(
    purchases: Iterable[Purchase], known: Iterable[str], after: date, weeks: float
) -> int | None:
    """On how many days `known` customers bought in the `weeks` after `after`; None where the list
    ends before that.
    """
    later = [purchase for purchase in purchases if purchase.day > after]
    days = timedelta(days=weeks * DAYS_OF_A_WEEK)
    if not later or max(purchase.day for purchase in later) - after < days:
        return None
    inside = _by_day(purchase for purchase in later if purchase.day - after <= days)
    return sum(len(inside.get(customer, ())) for customer in known)


def _by_day(purchases: Iterable[Purchase]) -> Mapping[str, dict[date, Decimal]]:
    found: dict[str, dict[date, Decimal]] = {}
    for purchase in purchases:
        days = found.setdefault(purchase.customer, {})
        days[purchase.day] = days.get(purchase.day, Decimal(0)) + purchase.amount
    return found


def _buyer(customer: str, days: Mapping[date, Decimal], end: date) -> Buyer:
    first, last = min(days), max(days)
    return Buyer(
        customer=customer,
        frequency=len(days) - 1,
        recency=(last - first).days / DAYS_OF_A_WEEK,
        age=(end - first).days / DAYS_OF_A_WEEK,
        spent=sum(days.values(), Decimal(0)),
    )
