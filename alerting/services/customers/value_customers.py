"""What customers are worth by their purchases: cut points once a night, and who brings how much."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from alerting.database.customers import memberships, scales
from alerting.database.engine import Transaction
from alerting.domain.customers.value import PURCHASED, Bought, scale_of
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context


def renew_scale(ctx: Context, *, at_once: bool = False) -> bool:
    """Compute the cut points again, once a day (UTC) or `at_once`; then look at everybody again.

    The first purchases ever are not kept waiting for the night. False where it was not due, or
    nothing reads them.
    """

    def once() -> bool:
        with ctx.db.write() as tx:
            renewed = reckon_scale(tx, ctx.shelf.active(tx), at_once=at_once)
            if renewed:
                memberships.review_everybody(tx, tx.now(), "value")
            return renewed

    return ctx.db.retrying(once)


def reckon_scale(tx: Transaction, rulebook: Rulebook, *, at_once: bool) -> bool:
    """The same, and nobody is looked at."""
    if not rulebook.values_customers:
        return False
    newest, now = scales.newest_scale(tx), tx.now()
    fresh = newest is not None and newest.valid_from >= datetime.combine(
        now.date(), time(), now.tzinfo
    )
    if newest is not None and fresh and newest.buyers and not at_once:
        return False
    found = [bought for _, bought in buyers_of(tx, rulebook, now)]
    if fresh and not found:
        return False
    scales.add_scale(tx, scale_of(found, now))
    return True


def buyers_of(tx: Transaction, rulebook: Rulebook, now: datetime) -> list[tuple[str, Bought]]:
    """Every customer with purchases in the window, with what they come to."""
    signal = rulebook.signals[PURCHASED]
    return list(scales.buyers(tx, signal.definition, signal.within, now))


@dataclass(frozen=True, kw_only=True)
class Share:
    """The `buyers` who buy most, and what part of all they bring."""

    buyers: int
    of_buyers: float
    of_purchases: float


def pareto(bought: Sequence[Decimal]) -> list[Share]:
    """For each tenth of the buyers, those who buy most first, what share of all purchases they and
    those before bring.
    """
    money = sorted(bought, reverse=True)
    total = sum(money)
    if not money or total <= 0:
        return []
    shares = []
    for tenth in range(1, 11):
        count = -(-tenth * len(money) // 10)
        part = float(sum(money[:count]) / total)
        shares.append(Share(buyers=count, of_buyers=count / len(money), of_purchases=part))
    return shares
