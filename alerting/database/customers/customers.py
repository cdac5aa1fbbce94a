"""Customers: the lock, and their dated versions."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, literal, select, update

from alerting.database.bulk import add_rows
from alerting.database.engine import Transaction
from alerting.database.rows.customers import VersionRow
from alerting.database.sets import among, listed
from alerting.database.tables import customer, customer_version
from alerting.domain.customers.customers import Customer, CustomerChange, History, states_after


def lock_customers(tx: Transaction, keys: Iterable[str], now: datetime | None = None) -> set[str]:
    """Take the one lock every change of a case, a customer or their mail stands under, in sorted
    order.

    A statement of its own, so that what is read afterwards is what the one before us committed. On
    SQLite BEGIN IMMEDIATE is that lock already. A row is made for customers nobody has told us
    about; returns those: nothing can be stored of them yet.
    """
    wanted = sorted(set(keys))
    if not wanted:
        return set()
    moment = now or tx.now()
    each = listed(tx, wanted)
    rows = select(each, literal(moment, customer.c.first_seen_at.type)).where(each.is_not(None))
    adding = (
        tx.insert(customer).from_select(["key", "first_seen_at"], rows).on_conflict_do_nothing()
    )
    made = set(tx.execute(adding.returning(customer.c.key)).scalars())
    if tx.is_postgresql:
        tx.execute(
            select(customer.c.key)
            .where(among(tx, customer.c.key, wanted))
            .order_by(customer.c.key)
            .with_for_update(key_share=True)
        ).all()
    return made


def lock_customer(tx: Transaction, key: str, *, wait: bool = True) -> bool:
    """The same lock on one customer we have a row of; without `wait` False where somebody else
    holds it.
    """
    return bool(lock_known(tx, [key], wait=wait))


def lock_known(tx: Transaction, keys: Iterable[str], *, wait: bool = True) -> list[str]:
    """The same lock on customers we have rows of; without `wait` only on those nobody else holds.
    Returns who is locked.
    """
    wanted = sorted(set(keys))
    if not tx.is_postgresql:
        return wanted
    statement = (
        select(customer.c.key).where(among(tx, customer.c.key, wanted)).order_by(customer.c.key)
    )
    return list(
        tx.execute(statement.with_for_update(key_share=True, skip_locked=not wait)).scalars()
    )


def histories(tx: Transaction, keys: Iterable[str]) -> dict[str, History]:
    """The histories of these customers, in one query."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    found: dict[str, list[tuple[CustomerChange, Mapping[str, object]]]] = {
        key: [] for key in wanted
    }
    v = customer_version.c
    columns = (v.customer_key, v.valid_from, v.source, v.event_id, v.changes, v.state)
    rows = tx.execute(select(*columns).where(among(tx, v.customer_key, wanted)))
    for key, valid_from, source, event_id, changes, state in map(tuple, rows):
        change = CustomerChange(
            valid_from=valid_from, source=source, event_id=event_id, changes=changes
        )
        found[key].append((change, state))
    for versions in found.values():
        versions.sort(key=lambda version: version[0].order)
    return {key: History(key=key, versions=versions) for key, versions in found.items()}


def known_keys(tx: Transaction) -> list[str]:
    """Every customer we were ever told about, sorted."""
    v = customer_version.c.customer_key
    return list(tx.execute(select(v).distinct().order_by(v)).scalars())


def customer_now(tx: Transaction, key: str) -> Customer:
    """The customer by its newest version."""
    return histories(tx, [key])[key].newest


def versions_of(tx: Transaction, key: str) -> list[VersionRow]:
    """The rows of a customer's history, oldest first, with when each was recorded."""
    v = customer_version.c
    rows = tx.rows(VersionRow, select(customer_version).where(v.customer_key == key))
    return sorted(rows, key=lambda row: (row.valid_from, row.source, row.event_id))


def newest_states(tx: Transaction, keys: Iterable[str]) -> dict[str, dict[str, object]]:
    """The newest state of those of these customers that are known."""
    v = customer_version.c
    nth = func.rank().over(partition_by=v.customer_key, order_by=v.valid_from.desc()).label("nth")
    named = (v.customer_key, v.source, v.event_id, v.state)
    ranked = select(*named, nth).where(among(tx, v.customer_key, sorted(set(keys)))).subquery()
    found: dict[str, tuple[tuple[str, str], dict[str, object]]] = {}
    for row in tx.execute(
        select(ranked).where(ranked.c.nth == 1)
    ):  # of one moment the order is Python's, as in histories
        held = found.get(row.customer_key)
        if held is None or (row.source, row.event_id) > held[0]:
            found[row.customer_key] = ((row.source, row.event_id), row.state)
    return {key: state for key, (_, state) in found.items()}


def keys_by_name(tx: Transaction) -> dict[str, list[str]]:
    """The customers that have a name now, by that name whatever its capitals."""
    found: dict[str, list[str]] = {}
    for known in every_customer_now(tx):
        found.setdefault(known.name.casefold(), []).append(known.key)
    return found


def every_customer_now(tx: Transaction) -> Iterator[Customer]:
    """All known customers by their newest versions, sorted by key; a thousand at a time are held in
    memory.
    """
    v = customer_version.c
    keys = tx.execute(select(v.customer_key).distinct().order_by(v.customer_key)).scalars().all()
    for start in range(0, len(keys), 1_000):
        for history in histories(tx, keys[start : start + 1_000]).values():
            yield history.newest


def keys_like(tx: Transaction, text: str, limit: int = 200) -> list[str]:
    """Keys of known customers that begin as a text does, whatever the capitals."""
    begin = text[:2].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    v = customer_version.c
    statement = (
        select(v.customer_key).where(v.customer_key.ilike(f"{begin}%", escape="\\")).distinct()
    )
    return list(tx.execute(statement.order_by(v.customer_key).limit(limit)).scalars())


def add_changes(
    tx: Transaction,
    given: Mapping[str, Sequence[CustomerChange]],
    now: datetime,
    strangers: Collection[str] = (),
) -> dict[str, History]:
    """Add dated changes of customers and bring the states from there on up to date; returns their
    histories.

    A change already there is left alone. Of `strangers` there are none.
    """
    found = {key: History(key=key, versions=()) for key in given}
    found |= histories(tx, given.keys() - strangers)
    added: list[dict[str, object]] = []
    moved: list[dict[str, object]] = []
    for key, history in found.items():
        before = {change.order: state for change, state in history.versions}
        fresh = [change for change in given[key] if change.order not in before]
        if not fresh:
            continue
        every = sorted([*(change for change, _ in history.versions), *fresh], key=lambda c: c.order)
        versions = list(zip(every, states_after(every), strict=True))
        for change, state in versions:
            if change.order not in before:
                added.append(_row(key, change, state, now))
            elif before[change.order] != state:
                moved.append(_moved(key, change, state))
        found[key] = History(key=key, versions=versions)
    add_rows(tx, customer_version, added)
    if moved:
        tx.execute(_MOVE, moved)
    return found


def _row(
    key: str, change: CustomerChange, state: Mapping[str, object], now: datetime
) -> dict[str, object]:
    return {
        "customer_key": key,
        "valid_from": change.valid_from,
        "recorded_at": now,
        "source": change.source,
        "event_id": change.event_id,
        "changes": change.changes,
        "state": state,
        "parent": state.get("parent"),
    }


def _moved(key: str, change: CustomerChange, state: Mapping[str, object]) -> dict[str, object]:
    row = {
        "customer_key": key,
        "valid_from": change.valid_from,
        "source": change.source,
        "id": change.event_id,
    }
    return {f"its_{name}": value for name, value in row.items()} | {
        "after": state,
        "above": state.get("parent"),
    }


_v = customer_version.c
_MOVE = (
    update(customer_version)
    .where(
        _v.customer_key == bindparam("its_customer_key"),
        _v.valid_from == bindparam("its_valid_from"),
    )
    .where(_v.source == bindparam("its_source"), _v.event_id == bindparam("its_id"))
    .values(state=bindparam("after"), parent=bindparam("above"))
)
