"""Mutes: who wants nobody notified, about what, until when, and why."""

from datetime import datetime

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.rules import MuteRow, SuppressedRow
from alerting.database.tables import alert, event, silence
from alerting.domain.alerts.suppression import Mute


def active_mutes(tx: Transaction, now: datetime) -> list[Mute]:
    """Those in force at a moment."""
    s = silence.c
    rows = tx.execute(select(silence).where(s.until > now, s.ended_at.is_(None)))
    return [Mute(scope=row.scope, name=row.name, until=row.until) for row in rows]


def list_mutes(tx: Transaction, now: datetime, *, every: bool = False) -> list[MuteRow]:
    """Rows, newest first; those that are over only where `every` one is asked for."""
    s = silence.c
    statement = select(silence).order_by(s.id.desc())
    return tx.rows(
        MuteRow, statement if every else statement.where(s.until > now, s.ended_at.is_(None))
    )


def add_mute(tx: Transaction, mute: Mute, author: str, reason: str, now: datetime) -> int:
    values = {
        "scope": mute.scope,
        "name": mute.name,
        "until": mute.until,
        "author": author,
        "reason": reason,
        "created_at": now,
    }
    return tx.execute(silence.insert().values(**values).returning(silence.c.id)).scalar_one()  # type: ignore[no-any-return]


def end_mute(tx: Transaction, mute_id: int, now: datetime) -> bool:
    """End one before its time; False where there is none in force."""
    s = silence.c
    running = (s.id == mute_id, s.ended_at.is_(None), s.until > now)
    return tx.execute(update(silence).where(*running).values(ended_at=now)).rowcount == 1


_STANDING = (alert.c.superseded_at.is_(None), alert.c.state != "withdrawn")


def last_alert(
    tx: Transaction, rule: str, customer_key: str, since: datetime, until: datetime, *, without: int
) -> datetime | None:
    """When the rule last rang about this customer, by the event's time in (since, until); `without`
    one event.
    """
    joined = alert.join(event, event.c.seq == alert.c.event_seq)
    rang = (
        alert.c.rule == rule,
        alert.c.customer_key == customer_key,
        alert.c.suppressed.is_(None),
        *_STANDING,
    )
    mine = (*rang, alert.c.event_seq != without)
    statement = select(func.max(event.c.time)).select_from(joined)
    return tx.execute(statement.where(*mine, event.c.time > since, event.c.time < until)).scalar()


def suppressed_alerts(tx: Transaction, since: datetime, limit: int = 1_000) -> list[SuppressedRow]:
    """Alerts that notified nobody, newest first, each with its event's `time`, `source` and
    `event_id`.
    """
    e = event.c
    joined = alert.join(event, e.seq == alert.c.event_seq)
    statement = select(alert, e.time, e.source, e.id.label("event_id")).select_from(joined)
    chosen = statement.where(
        alert.c.suppressed.is_not(None), alert.c.raised_at >= since, *_STANDING
    )
    return tx.rows(SuppressedRow, chosen.order_by(alert.c.id.desc()).limit(limit))


def suppressed_by_reason(tx: Transaction) -> dict[str, int]:
    rows = tx.execute(
        select(alert.c.suppressed, func.count().label("n"))
        .where(alert.c.suppressed.is_not(None), *_STANDING)
        .group_by(alert.c.suppressed)
    )
    return {str(row.suppressed): int(row.n) for row in rows}
