"""What happened in a whole database, for a rule test, which has one of its own."""

from sqlalchemy import select

from alerting.database.engine import Transaction
from alerting.database.rows.cases import Missed
from alerting.database.rows.messages import NotificationOfCase, RenderFailure
from alerting.database.rows.rules import AlertRow, UnknownRow
from alerting.database.tables import (
    alert,
    case_file,
    clock_entry,
    delivery,
    event,
    notification,
    unknown_condition,
)


def alerts(tx: Transaction) -> list[AlertRow]:
    """Every alert, oldest first; `suppressed` says why one rang nobody."""
    return tx.rows(AlertRow, select(alert).order_by(alert.c.id))


def mails(tx: Transaction) -> list[NotificationOfCase]:
    """Every notification with its case's segment, oldest first."""
    joined = notification.join(case_file, case_file.c.id == notification.c.case_id)
    statement = select(notification, case_file.c.segment).select_from(joined)
    return tx.rows(NotificationOfCase, statement.order_by(notification.c.id))


def render_errors(tx: Transaction) -> list[RenderFailure]:
    """Deliveries whose template failed, so that a plain mail was sent instead, with the
    notification's `template`.
    """
    joined = delivery.join(notification, notification.c.id == delivery.c.notification_id)
    statement = select(delivery.c.render_error, notification.c.template).select_from(joined)
    return tx.rows(
        RenderFailure, statement.where(delivery.c.render_error.is_not(None)).order_by(delivery.c.id)
    )


def misses(tx: Transaction) -> list[Missed]:
    """Every clock that was missed, with its case's customer, oldest first."""
    joined = clock_entry.join(case_file, case_file.c.id == clock_entry.c.case_id)
    statement = select(clock_entry, case_file.c.customer_key).select_from(joined)
    return tx.rows(
        Missed, statement.where(clock_entry.c.what == "missed").order_by(clock_entry.c.id)
    )


def undecided(tx: Transaction) -> list[UnknownRow]:
    """Conditions that were unknown, with the event's time and customer, oldest first."""
    joined = unknown_condition.join(event, event.c.seq == unknown_condition.c.event_seq)
    statement = select(unknown_condition, event.c.time, event.c.customer_key).select_from(joined)
    return tx.rows(UnknownRow, statement.order_by(unknown_condition.c.id))
