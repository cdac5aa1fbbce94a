"""Importing orders: each row becomes a `purchase.recorded` event and goes through intake."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal

from alerting.services.context import Context
from alerting.services.intake.take_records import Record, take_records

CHUNK = 2_000
"""Orders of one transaction."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """One row of a list of orders; a negative `amount` is a return."""

    customer: str
    day: date
    amount: Decimal


@dataclass(kw_only=True)
class ImportedOrders:
    """`new` were not known before, `known` were; `refused` could not be events and are dead
    letters.
    """

    new: int = 0
    known: int = 0
    refused: int = 0


def import_orders(
    ctx: Context,
    name: str,
    orders: Iterable[Order],
    progress: Callable[[int], None] = lambda more: None,
) -> ImportedOrders:
    """Take a list of orders. The same list again, by its name, changes nothing; a longer one adds
    what is new.

    An order counts from noon (UTC) of its day. Equal rows are told apart by how often they stand
    there.
    """
    result, seen = ImportedOrders(), Counter[tuple[str, date, Decimal]]()
    records: list[Record] = []
    with ctx.db.read() as tx:
        now = tx.now()
    for order in sorted(orders, key=lambda order: (order.day, order.customer)):
        key = (order.customer, order.day, order.amount)
        seen[key] += 1
        records.append(_record(name, order, seen[key], len(records), now))
        if len(records) == CHUNK:
            _take(ctx, records, result, progress)
            records = []
    _take(ctx, records, result, progress)
    return result


def _take(
    ctx: Context, records: list[Record], result: ImportedOrders, progress: Callable[[int], None]
) -> None:
    if not records:
        return
    taken = take_records(ctx, records)
    result.new += taken.events
    result.known += taken.duplicates
    result.refused += taken.dead
    progress(len(records))


def _record(name: str, order: Order, nth: int, offset: int, now: datetime) -> Record:
    moment = datetime.combine(order.day, time(12), UTC)
    identity = json.dumps([order.customer, order.day.isoformat(), str(order.amount), nth])
    amount = int(order.amount) if order.amount == int(order.amount) else float(order.amount)
    envelope = {
        "specversion": "1.0",
        "type": "purchase.recorded",
        "source": f"orders:{name}"[:200],
        "id": hashlib.sha256(identity.encode()).hexdigest()[:32],
        "time": moment.isoformat(),
        "data": {"customer_id": order.customer, "amount": amount},
    }
    value = json.dumps(envelope, ensure_ascii=False).encode()
    return Record(
        place=f"{name}@{envelope['id']}", offset=offset, value=value, headers={}, timestamp=now
    )
