"""The nightly checks of who is responsible: one a day, with what each found."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select

from alerting.database.engine import Transaction
from alerting.database.tables import people_check


def has_checked(tx: Transaction, day: date) -> bool:
    return (
        tx.execute(select(people_check.c.id).where(people_check.c.day == day.isoformat())).first()
        is not None
    )


def latest(tx: Transaction) -> list[str]:
    """What the last check found; nothing before the first."""
    statement = select(people_check.c.findings).order_by(people_check.c.id.desc()).limit(1)
    return list(tx.execute(statement).scalar() or ())


def record(tx: Transaction, now: datetime, findings: Sequence[str]) -> int | None:
    """Write down the check of a day; None where another process has done so."""
    row = {"day": now.date().isoformat(), "checked_at": now, "findings": list(findings)}
    statement = tx.insert(people_check).values(row).on_conflict_do_nothing(index_elements=["day"])
    return tx.execute(statement.returning(people_check.c.id)).scalar()
