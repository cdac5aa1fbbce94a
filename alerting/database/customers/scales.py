"""The cut points by which customers' value is told, and the purchases they are reckoned from."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select, type_coerce

from alerting.database.customers.points import number_of
from alerting.database.engine import Transaction
from alerting.database.rows.customers import ScaleRow
from alerting.database.tables import signal_point, value_scale
from alerting.database.types import Json
from alerting.domain.customers.value import Bought, Scale, Scales


def scales_until(tx: Transaction, end: datetime) -> Scales:
    """Every scale that was in force up to a moment, and the one after it where there was none
    yet.
    """
    stored = tx.rows(ScaleRow, select(value_scale).order_by(value_scale.c.valid_from))
    every = [_scale(row) for row in stored]
    before = [scale for scale in every if scale.valid_from <= end]
    return Scales(every=tuple(before or every[:1]))


def _scale(row: ScaleRow) -> Scale:
    return Scale(
        valid_from=row.valid_from,
        buyers=row.buyers,
        recency=tuple(int(cut) for cut in row.cuts["recency"]),
        frequency=tuple(int(cut) for cut in row.cuts["frequency"]),
        monetary=tuple(Decimal(cut) for cut in row.cuts["monetary"]),
        tenths=tuple(Decimal(cut) for cut in row.cuts["tenths"]),
    )


def newest_scale(tx: Transaction) -> Scale | None:
    newest = select(value_scale).order_by(value_scale.c.valid_from.desc()).limit(1)
    row = tx.first(ScaleRow, newest)
    return _scale(row) if row is not None else None


def add_scale(tx: Transaction, scale: Scale) -> None:
    cuts = {
        name: [str(cut) for cut in getattr(scale, name)]
        for name in ("recency", "frequency", "monetary", "tenths")
    }
    row = {"valid_from": scale.valid_from, "buyers": scale.buyers, "cuts": cuts}
    tx.execute(tx.insert(value_scale).on_conflict_do_nothing(), [row])


def buyers(
    tx: Transaction, definition: str, within: timedelta, now: datetime
) -> Iterator[tuple[str, Bought]]:
    """Every customer with purchases in the window, from the points of the sum of purchases."""
    p = signal_point.c
    amounts = (
        func.jsonb_agg(p.value) if tx.is_postgresql else func.json_group_array(func.json(p.value))
    )
    columns = (
        p.customer_key,
        func.max(p.time).label("last"),
        func.count().label("purchases"),
        type_coerce(amounts, Json).label("amounts"),
    )
    chosen = (p.definition == definition, p.time > now - within, p.time <= now)
    statement = (
        select(*columns).where(*chosen).group_by(p.customer_key).execution_options(yield_per=10_000)
    )
    for row in tx.execute(statement):
        bought = Bought(
            days_since=(now - row.last) // timedelta(days=1),
            purchases=row.purchases,
            purchased=sum(map(number_of, row.amounts), Decimal(0)),
        )
        yield row.customer_key, bought
