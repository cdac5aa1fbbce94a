"""Timers: each fires once or is cancelled once."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.cases import TimerRow
from alerting.database.sets import among
from alerting.database.tables import timer
from alerting.domain.cases.clocks import NewTimer

_OPEN = (timer.c.fired_at.is_(None), timer.c.cancelled_at.is_(None))


def set_timers(
    tx: Transaction, subject: int, customer_key: str, timers: Iterable[NewTimer]
) -> None:
    rows = [
        {
            "kind": t.kind,
            "subject": subject,
            "key": t.key,
            "n": t.n,
            "customer_key": customer_key,
            "due_at": t.due_at,
            "data": dict(t.data),
        }
        for t in timers
    ]
    if rows:
        tx.execute(tx.insert(timer), rows)


def cancel_plan(tx: Transaction, subject: int, plan_key: str, reason: str, now: datetime) -> None:
    """Cancel the unfired timers of one clock's plan: its steps and the mark of a miss."""
    this = (
        timer.c.subject == subject,
        (timer.c.key == plan_key) | timer.c.key.startswith(plan_key + ".", autoescape=True),
    )
    tx.execute(update(timer).where(*this, *_OPEN).values(cancelled_at=now, outcome=reason))


def due_timers(
    tx: Transaction, now: datetime, without: Collection[str] = (), limit: int = 500
) -> list[TimerRow]:
    """What is due, without locks; ask again under the customer's lock before acting. `without`
    leaves out customers.
    """
    due = select(timer).where(timer.c.due_at <= now, timer.c.customer_key.not_in(without), *_OPEN)
    return tx.rows(TimerRow, due.order_by(timer.c.due_at).limit(limit))


def next_due(tx: Transaction) -> datetime | None:
    """When the next timer falls due, or fell due already; None without any."""
    return tx.execute(
        select(timer.c.due_at).where(*_OPEN).order_by(timer.c.due_at).limit(1)
    ).scalar()


def still_due(tx: Transaction, keys: Sequence[str], now: datetime) -> list[TimerRow]:
    """The due timers of these customers, read under their locks, in the order in which they fell
    due.
    """
    statement = select(timer).where(
        among(tx, timer.c.customer_key, keys), timer.c.due_at <= now, *_OPEN
    )
    return tx.rows(TimerRow, statement.order_by(timer.c.due_at, timer.c.id))


def mark_fired(tx: Transaction, timer_ids: Sequence[int], outcome: str, now: datetime) -> None:
    tx.execute(
        update(timer)
        .where(among(tx, timer.c.id, timer_ids), *_OPEN)
        .values(fired_at=now, outcome=outcome)
    )


def overdue_count(tx: Transaction, now: datetime) -> int:
    return int(
        tx.execute(
            select(func.count()).select_from(timer).where(timer.c.due_at <= now, *_OPEN)
        ).scalar_one()
    )


def fired_at(tx: Transaction, subject: int, key: str, outcome: str) -> datetime | None:
    """When a timer of a case fired with that outcome; None where it has not."""
    this = (timer.c.subject == subject, timer.c.key == key, timer.c.outcome == outcome)
    return tx.execute(select(func.max(timer.c.fired_at)).where(*this)).scalar()


def timers_of_case(tx: Transaction, case_id: int) -> list[TimerRow]:
    return tx.rows(
        TimerRow,
        select(timer).where(timer.c.subject == case_id).order_by(timer.c.due_at, timer.c.id),
    )
