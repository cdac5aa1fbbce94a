"""What this database is, and whether it may send."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from alerting.database.engine import Transaction
from alerting.database.tables import instance


def begin_instance(tx: Transaction, kind: str, now: datetime) -> None:
    """Name a new database `production` or `demo`; one that has its name keeps it."""
    tx.execute(
        tx.insert(instance).on_conflict_do_nothing(), [{"id": 1, "kind": kind, "created_at": now}]
    )


def kind_of(tx: Transaction) -> str | None:
    return tx.execute(select(instance.c.kind)).scalar()


def move_demo_clock(tx: Transaction, by: timedelta) -> None:
    """Let a demo's time pass. Raises RuntimeError on any other database."""
    microseconds = by // timedelta(microseconds=1)
    moved = tx.execute(
        update(instance)
        .where(instance.c.kind == "demo")
        .values(clock_offset_us=instance.c.clock_offset_us + microseconds)
    )
    if moved.rowcount != 1:
        raise RuntimeError("only the clock of a demo database can be moved")


def hold_reason(tx: Transaction) -> str | None:
    """Why nothing is sent at present; None when sending is on."""
    return tx.execute(select(instance.c.hold_reason)).scalar()


def set_hold(tx: Transaction, reason: str | None, now: datetime) -> None:
    """Hold sending for a reason, or release it with None. A hold that is on keeps its first
    reason.
    """
    if reason is None:
        tx.execute(update(instance).values(hold_reason=None, held_at=None))
    else:
        tx.execute(
            update(instance)
            .where(instance.c.hold_reason.is_(None))
            .values(hold_reason=reason, held_at=now)
        )
