"""Customers: the lock, and their dated versions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select, update

from alerting.database.engine import Transaction
from alerting.database.tables import customer, customer_version
from alerting.domain.customers import Change, Customer, History, states_after


def lock_customers(tx: Transaction, keys: Iterable[str], now: datetime | None = None) -> None:
    """Take the one lock every change of a case, a customer or their mail stands under, in sorted order.

    A statement of its own, so that what is read afterwards is what the one before us committed. On SQLite
    BEGIN IMMEDIATE is that lock already. A row is made for customers nobody has told us about.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return
    moment = now or tx.now()
    tx.execute(tx.insert(customer).on_conflict_do_nothing(), [{"key": key, "first_seen_at": moment} for key in wanted])
    if tx.is_postgresql:
        tx.execute(
            select(customer.c.key)
            .where(customer.c.key.in_(wanted))
            .order_by(customer.c.key)
            .with_for_update(key_share=True)
        ).all()


def lock_customer(tx: Transaction, key: str, *, wait: bool = True) -> bool:
    """The same lock on one customer we have a row of; without `wait` False where somebody else holds it."""
    if not tx.is_postgresql:
        return True
    statement = select(customer.c.key).where(customer.c.key == key)
    return tx.execute(statement.with_for_update(key_share=True, skip_locked=not wait)).first() is not None


def histories(tx: Transaction, keys: Iterable[str]) -> dict[str, History]:
    """The histories of these customers, in one query."""
    wanted = sorted(set(keys))
    found: dict[str, list[tuple[Change, Mapping[str, object]]]] = {key: [] for key in wanted}
    v = customer_version.c
    order = (v.customer_key, v.valid_from, v.source, v.event_id)
    for row in tx.execute(select(customer_version).where(v.customer_key.in_(wanted)).order_by(*order)):
        change = Change(valid_from=row.valid_from, source=row.source, event_id=row.event_id, changes=row.changes)
        found[row.customer_key].append((change, row.state))
    return {
        key: History(key=key, versions=sorted(versions, key=lambda v: v[0].order)) for key, versions in found.items()
    }


def known_keys(tx: Transaction) -> list[str]:
    """Every customer we were ever told about, sorted."""
    v = customer_version.c.customer_key
    return list(tx.execute(select(v).distinct().order_by(v)).scalars())


def customer_now(tx: Transaction, key: str) -> Customer:
    """The customer by its newest version."""
    history = histories(tx, [key])[key]
    return (
        history.as_of(history.versions[-1][0].valid_from)
        if history.versions
        else Customer(key=key, known=False, state={})
    )


def every_customer_now(tx: Transaction) -> Iterator[Customer]:
    """All known customers by their newest versions, sorted by key; a thousand at a time are held in memory."""
    v = customer_version.c
    keys = tx.execute(select(v.customer_key).distinct().order_by(v.customer_key)).scalars().all()
    for start in range(0, len(keys), 1_000):
        for history in histories(tx, keys[start : start + 1_000]).values():
            yield history.as_of(history.versions[-1][0].valid_from)


def keys_like(tx: Transaction, text: str, limit: int = 200) -> list[str]:
    """Keys of known customers that begin as a text does, whatever the capitals."""
    begin = text[:2].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    v = customer_version.c
    statement = select(v.customer_key).where(v.customer_key.ilike(f"{begin}%", escape="\\")).distinct()
    return list(tx.execute(statement.order_by(v.customer_key).limit(limit)).scalars())


def add_changes(tx: Transaction, key: str, changes: Sequence[Change], now: datetime) -> None:
    """Add dated changes and bring the states from there on up to date. A change already there is left alone."""
    history = histories(tx, [key])[key]
    known = {change.order for change, _ in history.versions}
    fresh = [change for change in changes if change.order not in known]
    if not fresh:
        return
    every = sorted([*(change for change, _ in history.versions), *fresh], key=lambda c: c.order)
    states = states_after(every)
    before = {change.order: state for change, state in history.versions}
    v = customer_version.c
    for change, state in zip(every, states, strict=True):
        if change.order not in before:
            tx.execute(
                customer_version.insert().values(
                    customer_key=key,
                    valid_from=change.valid_from,
                    recorded_at=now,
                    source=change.source,
                    event_id=change.event_id,
                    changes=dict(change.changes),
                    state=state,
                    parent=state.get("parent"),
                )
            )
        elif before[change.order] != state:
            this = (v.customer_key == key, v.valid_from == change.valid_from, v.source == change.source)
            tx.execute(
                update(customer_version)
                .where(*this, v.event_id == change.event_id)
                .values(state=state, parent=state.get("parent"))
            )
