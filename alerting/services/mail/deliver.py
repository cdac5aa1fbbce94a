"""Delivery: claim a notification with a lease, render and send outside any transaction, record how
it ended.

At least once: an attempt whose end nobody saw is `unknown`, and the notification is sent again
under the same Message-ID.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from alerting.database import instance
from alerting.database.audit import audit_entries
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.messages import DueNotification
from alerting.domain.audit.entries import INSTALLATION, Action, Entry, EntrySubject, Machine
from alerting.domain.errors import Temporary
from alerting.domain.fields import Fields
from alerting.domain.mail.message import Outcome
from alerting.domain.mail.retry import retry_after
from alerting.domain.routing.staff import PersonFact
from alerting.domain.templates import Template
from alerting.services.cases.aftercare import ask_another_contact
from alerting.services.context import Context
from alerting.services.mail.channel import Post
from alerting.services.mail.claim import claim
from alerting.services.mail.letters import Claimed, Letter, Part
from alerting.services.mail.records import in_place_of, note

log = logging.getLogger(__name__)

POSTPONED = timedelta(minutes=1)
"""How long a notification rests that could not even be prepared."""


def due_notifications(ctx: Context, limit: int = 20) -> list[DueNotification]:
    """What waits to be sent now, oldest first: rows with `id`. Nothing while sending is held."""
    with ctx.db.read() as tx:
        if instance.hold_reason(tx) is not None:
            return []
        return notifications.claimable(tx, tx.now(), limit)


def deliver_due(ctx: Context, post: Post, limit: int = 20) -> int:
    """Send what is due, one after the other; returns how many attempts were made."""
    return sum(deliver_one(ctx, post, row) for row in due_notifications(ctx, limit))


def deliver_one(ctx: Context, post: Post, row: DueNotification) -> bool:
    """One attempt to send a notification; False where there was none to make (any more)."""
    try:
        claimed = ctx.db.retrying(partial(claim, ctx, post, row.id))
    except Temporary:
        raise
    except Exception as error:
        log.exception("a notification could not be prepared", extra={"notification": row.id})
        ctx.db.retrying(partial(_postpone, ctx, row.id, f"{type(error).__name__}: {error}"))
        return False
    if claimed is None:
        return False
    _send(ctx, post, claimed)
    return True


def _postpone(ctx: Context, notification_id: int, reason: str) -> None:
    """One notification must not keep all others waiting; it is tried again, and its age shows in
    the metrics.
    """
    with ctx.db.write() as tx:
        values = {"not_before": tx.now() + POSTPONED, "reason": reason[:500]}
        notifications.settle(tx, notification_id, values)


def _send(ctx: Context, post: Post, claimed: Claimed) -> None:
    """The part outside any transaction. Whatever happens here, the attempt is recorded, or its
    lease runs out.
    """
    channel = post.channel(claimed.channel)
    message = channel.compose(claimed.mail)
    outcome = channel.send(message)
    ctx.db.retrying(
        lambda: _record(ctx, post, claimed, outcome, message.render_error), attempts=10
    )  # about a minute


def _record(
    ctx: Context, post: Post, claimed: Claimed, outcome: Outcome, render_error: str | None
) -> None:
    """Write down how the attempt ended, unconditionally: what was sent was sent."""
    jitter = post.jitter()  # one for all: the members of a digest stay together
    with ctx.db.write() as tx:
        keys = {part.notification.customer_key for part in claimed.parts}
        for key in sorted(key for key in keys if key is not None):
            customers.lock_customer(tx, key)
        now = tx.now()
        for part in claimed.parts:
            ended = _Ended(
                outcome=outcome, render_error=render_error, message_id=claimed.mail.message_id
            )
            _record_part(
                tx, ctx, part, ended, retry_after(part.notification.attempts + 1, jitter), now
            )
    level = logging.INFO if outcome.kind == "sent" else logging.WARNING
    for part in claimed.parts:
        row = part.notification
        fields = {
            "notification": row.id,
            "attempt": row.attempts + 1,
            "outcome": outcome.kind,
            "code": outcome.code,
            "together": len(claimed.parts),
        }
        log.log(level, "attempt ended", extra=fields)


@dataclass(frozen=True, kw_only=True)
class _Ended:
    """How an attempt ended, for all notifications that went in it."""

    outcome: Outcome
    render_error: str | None
    message_id: str


def _record_part(
    tx: Transaction, ctx: Context, part: Part, end: _Ended, pause: timedelta, now: datetime
) -> None:
    row, attempt = part.notification, part.notification.attempts + 1
    outcome, render_error = end.outcome, end.render_error
    ended = {
        "ended_at": now,
        "outcome": outcome.kind,
        "code": outcome.code,
        "detail": outcome.detail[:500],
    }
    notifications.close_delivery(tx, part.delivery_id, {**ended, "render_error": render_error})
    if render_error is not None:
        note(
            tx, row, Action.TEMPLATE_FAILED, {}, now, {"error": render_error}
        )  # it may quote the customer
    if outcome.kind == "sent":
        notifications.settle(
            tx, row.id, {"status": "sent", "sent_at": now, "lease_until": None, "reason": None}
        )
        note(tx, row, Action.NOTIFICATION_SENT, {"message_id": end.message_id}, now)
        return
    kept = {"lease_until": None, "reason": outcome.detail[:500]}
    if (
        outcome.address_refused and row.template != Template.CHECK_SURVEY
    ):  # our people are remembered, customers tell us themselves
        _remember_refusal(tx, part, now)
    if outcome.kind != "refused":
        notifications.settle_attempt(
            tx, row.id, attempt, {"status": "pending", "not_before": now + pause, **kept}
        )
    elif notifications.settle_attempt(tx, row.id, attempt, {"status": "failed", **kept}):
        _pass_on(tx, ctx, part, outcome, now)


def _remember_refusal(tx: Transaction, part: Part, now: datetime) -> None:
    """As a dated fact, until the address changes: the next time somebody else is asked."""
    reader = part.letter.recipient
    refused = {"address": reader.email, "on": now.astimezone(reader.zone).date().isoformat()}
    fact = PersonFact(
        party=reader.id,
        valid_from=now,
        source="delivery",
        event_id=str(part.delivery_id),
        changes={"refused": refused},
    )
    staff_facts.add_facts(tx, [fact], now)
    entry = Entry(
        actor=Machine.DELIVERY,
        action=Action.PERSON_UNREACHABLE,
        subject=EntrySubject(kind="person", id=reader.id),
        happened_at=now,
        cause=f"delivery:{part.delivery_id}",
    )
    audit_entries.write(tx, entry, now)


def _pass_on(tx: Transaction, ctx: Context, part: Part, outcome: Outcome, now: datetime) -> None:
    """An address refused for good: the next responsible person gets the mail, and the audit says
    so.
    """
    row, letter = part.notification, part.letter
    if row.template == Template.CHECK_SURVEY:
        asked = ask_another_contact(tx, ctx, row, part.delivery_id, now)
        to = "another contact" if asked else None
        note(
            tx,
            row,
            Action.NOTIFICATION_REFUSED,
            {"refused": "customer", "code": outcome.code, "to": to},
            now,
        )
        return
    if not isinstance(letter, Letter):
        note(
            tx,
            row,
            Action.NOTIFICATION_REFUSED,
            {"refused": letter.recipient.id, "code": outcome.code, "to": None},
            now,
        )
        return
    tried = {letter.recipient.id, *Fields(row.data).texts("refused")}
    role = letter.rulebook.routing.roles.get("default")
    heir = letter.view.staff.next_responsible(
        letter.recipient, role.person if role else None, tried
    )
    facts: dict[str, object] = {
        "refused": letter.recipient.id,
        "code": outcome.code,
        "to": heir.id if heir else None,
    }
    note(tx, row, Action.NOTIFICATION_REFUSED, facts, now)
    if heir is None:
        return
    again = in_place_of(
        row, "delivery", part.delivery_id, heir, sorted(tried), letter.recipient.name
    )
    notifications.add(tx, row.case_id, row.customer_key, [again], ctx.mail_domain, now)


def hold_sends(ctx: Context, reason: str | None, actor: str) -> str | None:
    """Hold all sending for a reason, or release it with None; either is audited. Returns the reason
    it had been held for.
    """

    def once() -> str | None:
        with ctx.db.write() as tx:
            now, former = tx.now(), instance.hold_reason(tx)
            instance.set_hold(tx, None, now)  # what a person says replaces the reason that is there
            instance.set_hold(tx, reason, now)
            entry = Entry(
                actor=actor,
                action=Action.SENDING_RELEASED if reason is None else Action.SENDING_HELD,
                subject=INSTALLATION,
                happened_at=now,
                facts={} if reason is None else {"reason": reason, "replaced": former},
            )
            audit_entries.write(tx, entry, now)
            return former

    return ctx.db.retrying(once)
