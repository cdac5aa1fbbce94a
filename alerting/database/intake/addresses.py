"""Whose address is whose, and answers of which nobody can tell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select, update

from alerting.database.bulk import add_rows
from alerting.database.engine import Transaction
from alerting.database.rows.intake import EventRow, UnmatchedRow
from alerting.database.sets import among
from alerting.database.tables import contact_address, event, signal_point, unmatched
from alerting.domain.intake.payloads import contact_keys

_WAITING = unmatched.c.decided_at.is_(None)


def keep_addresses(tx: Transaction, contacts: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """The present addresses of these customers' contacts."""
    if not contacts:
        return
    tx.execute(
        contact_address.delete().where(among(tx, contact_address.c.customer_key, sorted(contacts)))
    )
    rows = [
        {"address": address, "customer_key": key}
        for key, found in sorted(contacts.items())
        for address in sorted(contact_keys(found))
    ]
    add_rows(tx, contact_address, rows)


def owners_of(tx: Transaction, addresses: Iterable[str]) -> dict[str, list[str]]:
    """Address -> the customers that have it, sorted."""
    c = contact_address.c
    found: dict[str, list[str]] = defaultdict(list)
    for row in tx.execute(
        select(contact_address)
        .where(c.address.in_(sorted(set(addresses))))
        .order_by(c.customer_key)
    ):
        found[row.address].append(row.customer_key)
    return found


def note_unmatched(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """`event_seq`, `address`, `candidates`."""
    if rows:
        tx.execute(tx.insert(unmatched).on_conflict_do_nothing(), list(rows))


def waiting(tx: Transaction, only: int | None = None) -> list[UnmatchedRow]:
    """Answers of which nobody can tell whose they are, with their events, oldest first."""
    u, e = unmatched.c, event.c
    columns = (
        unmatched,
        e.time,
        e.source,
        e.id.label("event_id"),
        e.payload,
        e.customer_key.label("key"),
    )
    joined = unmatched.join(event, e.seq == u.event_seq)
    statement = select(*columns).select_from(joined).where(_WAITING).order_by(e.time, e.seq)
    return tx.rows(
        UnmatchedRow, statement if only is None else statement.where(u.event_seq == only)
    )


def now_known(tx: Transaction, limit: int = 100) -> list[tuple[int, str]]:
    """(event, customer) of what waits and belongs to exactly one customer by now."""
    u, c = unmatched.c, contact_address.c
    one = select(c.address).group_by(c.address).having(func.count() == 1).subquery()
    joined = unmatched.join(one, one.c.address == u.address).join(
        contact_address, c.address == u.address
    )
    rows = tx.execute(
        select(u.event_seq, c.customer_key).select_from(joined).where(_WAITING).limit(limit)
    )
    return [(row.event_seq, row.customer_key) for row in rows]


def decide(tx: Transaction, seq: int, customer_key: str | None, actor: str, now: datetime) -> None:
    values = {"decided_at": now, "decided_by": actor[:200], "customer_key": customer_key}
    tx.execute(update(unmatched).where(unmatched.c.event_seq == seq).values(**values))


def rekey(tx: Transaction, row: EventRow, customer_key: str) -> None:
    """The event and its points are this customer's from now on."""
    p = signal_point.c
    mine = (p.customer_key == row.customer_key, p.source == row.source, p.event_id == row.id)
    tx.execute(update(signal_point).where(*mine).values(customer_key=customer_key))
    tx.execute(update(event).where(event.c.seq == row.seq).values(customer_key=customer_key))
