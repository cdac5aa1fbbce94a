"""Customers: the lock, and their dated versions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from alerting.database.engine import Transaction
from alerting.database.tables import customer, customer_version
from alerting.domain.customers import Change, Customer, states_after
from alerting.domain.events import Event


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


@dataclass(frozen=True, kw_only=True)
class History:
    """A customer's versions, oldest first."""

    key: str
    versions: Sequence[tuple[Change, Mapping[str, object]]]

    def begins_with(self, event: Event) -> bool:
        """Whether this event is the first we know of the customer."""
        first = self.versions[0][0] if self.versions else None
        return first is not None and (first.source, first.event_id) == (event.source, event.id)

    def as_of(self, moment: datetime) -> Customer:
        """The customer as it was. What we first heard of it also counts for the time before: we know nothing else."""
        if not self.versions:
            return Customer(key=self.key, known=False, state={})
        valid = [state for change, state in self.versions if change.valid_from <= moment]
        return Customer(key=self.key, known=True, state=valid[-1] if valid else self.versions[0][1])


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


def customer_now(tx: Transaction, key: str) -> Customer:
    """The customer by its newest version."""
    history = histories(tx, [key])[key]
    return (
        history.as_of(history.versions[-1][0].valid_from)
        if history.versions
        else Customer(key=key, known=False, state={})
    )


def known_keys(tx: Transaction) -> list[str]:
    """Every customer somebody has told us of, sorted."""
    v = customer_version.c
    return list(tx.execute(select(v.customer_key).distinct().order_by(v.customer_key)).scalars())


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
                )
            )
        elif before[change.order] != state:
            this = (v.customer_key == key, v.valid_from == change.valid_from, v.source == change.source)
            tx.execute(update(customer_version).where(*this, v.event_id == change.event_id).values(state=state))
