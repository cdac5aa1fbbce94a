"""The outbox: notifications, and the deliveries that try to bring them."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select, update

from alerting.database.engine import Transaction
from alerting.database.rows.messages import DeliveryOfCase, DueNotification, NotificationRow
from alerting.database.tables import alert, delivery, notification
from alerting.domain.mail.notifications import NewNotification

_WAITING = ("pending", "claimed")


def add(
    tx: Transaction,
    case_id: int | None,
    customer_key: str | None,
    notes: Iterable[NewNotification],
    mail_domain: str,
    now: datetime,
) -> None:
    """Write intents about one case, or about none."""
    add_all(tx, [(case_id, customer_key, note) for note in notes], mail_domain, now)


def _about(case_id: int | None) -> str:
    return "notice" if case_id is None else f"c{case_id}"


def add_all(
    tx: Transaction,
    notes: Iterable[tuple[int | None, str | None, NewNotification]],
    mail_domain: str,
    now: datetime,
) -> None:
    """Write intents, each about a case and a customer. The Message-ID is fixed here: every attempt
    carries the same one.
    """
    rows = [
        {
            "cause_kind": note.cause_kind,
            "cause_id": note.cause_id,
            "recipient": note.recipient,
            "channel": note.channel,
            "case_id": case_id,
            "customer_key": customer_key,
            "template": note.template,
            "data": dict(note.data),
            "message_id": f"<{secrets.token_hex(12)}.{_about(case_id)}@{mail_domain}>",
            "status": "pending",
            "created_at": now,
            "not_before": now,
        }
        for case_id, customer_key, note in notes
    ]
    if rows:
        tx.execute(tx.insert(notification).on_conflict_do_nothing(), rows)


def claimable(tx: Transaction, now: datetime, limit: int = 20) -> list[DueNotification]:
    """What may be due for sending, oldest first, without locks: pending ones, and claimed ones
    whose lease has run out.
    """
    n = notification.c
    ready = or_(n.status == "pending", (n.status == "claimed") & (n.lease_until <= now))
    statement = select(n.id, n.customer_key).where(
        n.status.in_(_WAITING), n.not_before <= now, ready
    )
    return tx.rows(DueNotification, statement.order_by(n.not_before, n.id).limit(limit))


def by_id(tx: Transaction, notification_id: int) -> NotificationRow | None:
    return tx.first(
        NotificationRow, select(notification).where(notification.c.id == notification_id)
    )


def by_ids(tx: Transaction, numbers: Iterable[int]) -> list[NotificationRow]:
    """Oldest first."""
    statement = select(notification).where(notification.c.id.in_(sorted(numbers)))
    return tx.rows(NotificationRow, statement.order_by(notification.c.id))


def mates(
    tx: Transaction, row: NotificationRow, now: datetime, limit: int
) -> list[DueNotification]:
    """What may go in one mail with this one: the rest of its digest, or what is due to its reader
    and was never tried.
    """
    n = notification.c
    if row.digest_id is not None:
        chosen: tuple[ColumnElement[bool], ...] = (
            n.digest_id == row.digest_id,
            n.status.in_(_WAITING),
        )
    else:
        never_tried = (
            n.status == "pending",
            n.attempts == 0,
            n.digest_id.is_(None),
            n.case_id.is_not(None),
        )
        chosen = (n.recipient == row.recipient, n.not_before <= now, *never_tried)
    return tx.rows(
        DueNotification, select(n.id, n.customer_key).where(*chosen).order_by(n.id).limit(limit)
    )


def claim(
    tx: Transaction, row: NotificationRow, address: str, lease_until: datetime, now: datetime
) -> int | None:
    """Take a notification for one attempt; returns the attempt's number, None when somebody else
    was first.
    """
    n = notification.c
    taken = tx.execute(
        update(notification)
        .where(n.id == row.id, n.status == row.status, n.attempts == row.attempts)
        .values(status="claimed", lease_until=lease_until, attempts=row.attempts + 1)
    )
    if taken.rowcount != 1:
        return None
    if row.status == "claimed":
        d = delivery.c
        lost = (d.notification_id == row.id, d.outcome.is_(None))
        tx.execute(
            update(delivery)
            .where(*lost)
            .values(outcome="unknown", ended_at=now, detail="the lease ran out")
        )
    attempt = delivery.insert().values(
        notification_id=row.id, n=row.attempts + 1, address=address, started_at=now
    )
    return tx.execute(attempt.returning(delivery.c.id)).scalar_one()  # type: ignore[no-any-return]


def close_delivery(tx: Transaction, delivery_id: int, values: dict[str, object]) -> None:
    tx.execute(update(delivery).where(delivery.c.id == delivery_id).values(**values))


def settle(tx: Transaction, notification_id: int, values: dict[str, object]) -> None:
    tx.execute(update(notification).where(notification.c.id == notification_id).values(**values))


def settle_attempt(
    tx: Transaction, notification_id: int, attempt: int, values: dict[str, object]
) -> bool:
    """Settle only while this attempt still holds the notification.

    False when its lease ran out and another one took over: a late failure must not undo what that
    one did.
    """
    n = notification.c
    ours = (n.id == notification_id, n.status == "claimed", n.attempts == attempt)
    return tx.execute(update(notification).where(*ours).values(**values)).rowcount == 1


def of_case(tx: Transaction, case_id: int) -> list[NotificationRow]:
    return tx.rows(
        NotificationRow,
        select(notification).where(notification.c.case_id == case_id).order_by(notification.c.id),
    )


def of_superseded(tx: Transaction, case_id: int, *, withdrawn_only: bool) -> list[NotificationRow]:
    """What alerts of the case that another version has replaced want said and nobody has begun to
    send.

    `withdrawn_only`: where that other version takes the alert back.
    """
    n, now_standing = notification.c, alert.alias("now_standing")
    joined = notification.join(alert, (n.cause_kind == "alert") & (n.cause_id == alert.c.id))
    mine = (n.case_id == case_id, n.status == "pending", alert.c.superseded_at.is_not(None))
    statement = select(notification).select_from(joined).where(*mine).order_by(n.id)
    if withdrawn_only:
        s = now_standing.c
        same = (s.event_seq == alert.c.event_seq, s.rule == alert.c.rule, s.superseded_at.is_(None))
        statement = statement.where(exists().where(*same, s.state == "withdrawn"))
    return tx.rows(NotificationRow, statement)


def deliveries_of_case(tx: Transaction, case_id: int) -> list[DeliveryOfCase]:
    joined = delivery.join(notification, notification.c.id == delivery.c.notification_id)
    statement = select(delivery, notification.c.recipient, notification.c.template).select_from(
        joined
    )
    return tx.rows(
        DeliveryOfCase, statement.where(notification.c.case_id == case_id).order_by(delivery.c.id)
    )


def outbox(tx: Transaction) -> tuple[int, datetime | None]:
    """How many notifications wait, and since when the oldest does."""
    n = notification.c
    columns = (func.count().label("waiting"), func.min(n.created_at).label("oldest"))
    row = tx.execute(select(*columns).where(n.status.in_(_WAITING))).one()
    return int(row.waiting), row.oldest
