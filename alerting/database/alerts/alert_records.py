"""Alerts: every version of each, with the facts that made it true, and the case it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.rules import AlertOfEvent, AlertRow, Concerned, Reason
from alerting.database.tables import alert, event
from alerting.domain.alerts.judge import RuleOutcome


@dataclass(frozen=True, kw_only=True)
class NewAlert:
    """One version of an alert to be stored; `people` are duty, role, party and why of everybody
    it concerns.
    """

    event_seq: int
    customer_key: str
    segment: str
    territory: str
    rule: str
    severity: str
    because: list[Reason]
    signals: Mapping[str, object]
    people: list[Concerned]
    rulebook: str
    suppressed: str | None
    revision: int = 1
    state: str = "raised"


def because(outcome: RuleOutcome) -> list[Reason]:
    """The named conditions with what they read, fit for JSON."""
    return [
        {"name": t.name, "sql": t.sql, "reads": {k: _plain(v) for k, v in t.reads.items()}}
        for t in outcome.truths
    ]


def raise_alert(tx: Transaction, row: NewAlert, now: datetime) -> int:
    """Store one version of an alert, in the place of the version before; returns its number."""
    if row.revision > 1:
        former = (
            alert.c.event_seq == row.event_seq,
            alert.c.rule == row.rule,
            alert.c.superseded_at.is_(None),
        )
        tx.execute(update(alert).where(*former).values(superseded_at=now))
    signals = {name: _plain(value) for name, value in row.signals.items()}
    statement = alert.insert().values(**{**vars(row), "signals": signals}, raised_at=now)
    return tx.execute(statement.returning(alert.c.id)).scalar_one()  # type: ignore[no-any-return]


def _plain(value: object) -> object:
    """JSON has no decimals, dates or times."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def attach_alert(tx: Transaction, alert_id: int, case_id: int) -> None:
    tx.execute(update(alert).where(alert.c.id == alert_id).values(case_id=case_id))


def alerts_of_event(tx: Transaction, event_seq: int) -> list[AlertRow]:
    """What the rules made of one event, every version of every alert."""
    return tx.rows(
        AlertRow, select(alert).where(alert.c.event_seq == event_seq).order_by(alert.c.id)
    )


def newest_alert(tx: Transaction, case_id: int) -> int:
    return tx.execute(select(func.max(alert.c.id)).where(alert.c.case_id == case_id)).scalar_one()  # type: ignore[no-any-return]


def standing_alerts(tx: Transaction, case_id: int) -> list[AlertOfEvent]:
    """The case's alerts that still ring, oldest event first."""
    current = (row for row in alerts_of(tx, case_id) if row.superseded_at is None)
    found = [row for row in current if row.state != "withdrawn" and row.suppressed is None]
    return sorted(found, key=lambda row: (row.time, row.source, row.event_id))


def alerts_of(tx: Transaction, case_id: int) -> list[AlertOfEvent]:
    """A case's alerts as they stand with the events they are about, oldest first; never empty.

    Of a case that lost all of them the versions it had: it keeps its story.
    """
    e = event.c
    columns = (alert, e.payload, e.time, e.received_at, e.type, e.source, e.id.label("event_id"))
    joined = alert.join(event, event.c.seq == alert.c.event_seq)
    statement = select(*columns).select_from(joined).where(alert.c.case_id == case_id)
    every = tx.rows(AlertOfEvent, statement.order_by(alert.c.id))
    last = [row for row in every if row.superseded_at is None]
    return (
        [row for row in last if row.state != "withdrawn" and row.suppressed is None]
        or last
        or every
    )


def people_of_alerts(tx: Transaction, case_id: int) -> list[Concerned]:
    """Everybody whom any version of the case's alerts has concerned: duty, role, party, why."""
    rows = tx.execute(select(alert.c.people).where(alert.c.case_id == case_id).order_by(alert.c.id))
    return [one for row in rows for one in row.people]
