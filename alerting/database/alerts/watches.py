"""Watches: since when a customer has been silent, for each rule on silence."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.rules import WatchRow
from alerting.database.tables import customer_version, event, silence_watch

Seen = tuple[str, str, datetime, timedelta]
"""Watch, customer, when something came, and how long a silence is."""


def note_heard(tx: Transaction, seen: Iterable[Seen]) -> None:
    """An event of the watched kind came: the silence begins anew, unless a later one is known
    already.
    """
    newest: dict[tuple[str, str], tuple[datetime, timedelta]] = {}
    for watch, key, at, length in seen:
        newest[(watch, key)] = max(newest.get((watch, key), (at, length)), (at, length))
    for (watch, key), (at, length) in sorted(newest.items()):
        upsert = tx.insert(silence_watch).values(**_row(watch, key, at, length))
        fresh = {"last_at": at, "due_at": at + length, "noticed_at": None}
        w = silence_watch.c
        tx.execute(
            upsert.on_conflict_do_update(
                index_elements=["watch", "customer_key"], set_=fresh, where=w.last_at < at
            )
        )


def note_known(tx: Transaction, seen: Iterable[Seen]) -> None:
    """A customer is known from this moment on; whoever is watched already stays as he is."""
    rows = [_row(*one) for one in seen]
    if rows:
        tx.execute(tx.insert(silence_watch).on_conflict_do_nothing(), rows)


def _row(watch: str, key: str, at: datetime, length: timedelta) -> dict[str, object]:
    return {"watch": watch, "customer_key": key, "last_at": at, "due_at": at + length}


def forget(tx: Transaction, keys: Iterable[str]) -> None:
    """Nobody waits for customers who have left."""
    wanted = sorted(keys)
    if wanted:
        tx.execute(silence_watch.delete().where(silence_watch.c.customer_key.in_(wanted)))


def keep_only(tx: Transaction, watches: Sequence[str]) -> set[str]:
    """Forget what no rule watches for any more; returns those of `watches` that are there
    already.
    """
    tx.execute(silence_watch.delete().where(silence_watch.c.watch.not_in(watches)))
    return set(tx.execute(select(silence_watch.c.watch).distinct()).scalars())


def begin_watch(tx: Transaction, watch: str, of: str, length: timedelta) -> None:
    """Watch every customer we know, from the last stored event of that type on, or from when we
    first knew it.
    """
    e, v = event.c, customer_version.c
    heard = tx.execute(
        select(e.customer_key, func.max(e.time).label("at"))
        .where(e.type == of)
        .group_by(e.customer_key)
    )
    note_known(tx, [(watch, row.customer_key, row.at, length) for row in heard])
    known = tx.execute(
        select(v.customer_key, func.min(v.valid_from).label("at")).group_by(v.customer_key)
    )
    note_known(tx, [(watch, row.customer_key, row.at, length) for row in known])


def due_watches(tx: Transaction, now: datetime, limit: int = 200) -> list[WatchRow]:
    """Silences that are full and not noticed yet, the oldest first."""
    w = silence_watch.c
    statement = select(silence_watch).where(w.due_at <= now, w.noticed_at.is_(None))
    return tx.rows(WatchRow, statement.order_by(w.due_at, w.watch, w.customer_key).limit(limit))


def next_due(tx: Transaction) -> datetime | None:
    """When the next silence is full, or was already; None where nothing is watched."""
    w = silence_watch.c
    return tx.execute(select(func.min(w.due_at)).where(w.noticed_at.is_(None))).scalar()


def put_off(tx: Transaction, by: timedelta) -> None:
    """Let every watch begin so much later."""
    for row in tx.execute(select(silence_watch)).all():
        mine = (
            silence_watch.c.watch == row.watch,
            silence_watch.c.customer_key == row.customer_key,
        )
        tx.execute(
            update(silence_watch)
            .where(*mine)
            .values(last_at=row.last_at + by, due_at=row.due_at + by)
        )


def still_due(tx: Transaction, watch: str, customer_key: str, now: datetime) -> WatchRow | None:
    """The same, asked again under the customer's lock; None where something came meanwhile."""
    w = silence_watch.c
    mine = (
        w.watch == watch,
        w.customer_key == customer_key,
        w.due_at <= now,
        w.noticed_at.is_(None),
    )
    return tx.first(WatchRow, select(silence_watch).where(*mine))


def mark_noticed(tx: Transaction, watch: str, customer_key: str, now: datetime) -> None:
    w = silence_watch.c
    mine = (w.watch == watch, w.customer_key == customer_key)
    tx.execute(update(silence_watch).where(*mine).values(noticed_at=now))
