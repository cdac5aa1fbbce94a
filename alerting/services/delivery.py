"""Delivery: claim a notification with a lease, render and send outside any transaction, record how it ended.

At least once: an attempt whose end nobody saw is `unknown`, and the notification is sent again under the same Message-ID.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from alerting.database import audit, customers, instance, notifications
from alerting.database.engine import Transaction
from alerting.domain.cases import SEVERITIES
from alerting.domain.errors import Invalid, Temporary
from alerting.domain.notifications import LEASE, Mail, NewNotification, Outcome, reason_gone, retry_after
from alerting.domain.people import Party
from alerting.domain.rulebook import Rulebook
from alerting.services.context import Context
from alerting.services.views import CaseView, case_view

log = logging.getLogger(__name__)

POSTPONED = timedelta(minutes=1)
"""How long a notification rests that could not even be prepared."""


class Mailer(Protocol):
    """SMTP, or the mailbox folder of the embedded default."""

    def send(self, mail: Mail) -> Outcome:
        """Bring one mail to one address. Never raises for what a mail server may answer."""
        ...


class RenderError(Invalid):
    """A mail template failed; the message names template and line."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Everything a mail is made of. `data` is what the cause wanted said beside the case itself."""

    template: str
    recipient: Party
    message_id: str
    view: CaseView
    data: Any
    rulebook: Rulebook


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A notification that is ours until the lease ends."""

    notification: Any
    delivery_id: int
    letter: Letter


Compose = Callable[[Letter], Mail]


@dataclass(frozen=True, kw_only=True)
class Post:
    """How mails are made and sent. `compose_plain` needs no template and cannot fail on one."""

    compose: Compose
    compose_plain: Callable[[Letter, RenderError], Mail]
    mailer: Mailer
    jitter: Callable[[], float]
    lease: timedelta = LEASE


def due_notifications(ctx: Context, limit: int = 20) -> list[Any]:
    """What waits to be sent now, oldest first: rows with `id` and `customer_key`. Nothing while sending is held."""
    with ctx.db.read() as tx:
        if instance.hold_reason(tx) is not None:
            return []
        return notifications.claimable(tx, tx.now(), limit)


def deliver_due(ctx: Context, post: Post, limit: int = 20) -> int:
    """Send what is due, one after the other; returns how many attempts were made."""
    return sum(deliver_one(ctx, post, row) for row in due_notifications(ctx, limit))


def deliver_one(ctx: Context, post: Post, row: Any) -> bool:
    """One attempt to send a notification; False where there was none to make (any more)."""
    try:
        claimed = ctx.db.retrying(partial(_claim, ctx, post, row.id, row.customer_key))
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
    """One notification must not keep all others waiting; it is tried again, and its age shows in the metrics."""
    with ctx.db.write() as tx:
        values = {"not_before": tx.now() + POSTPONED, "reason": reason[:500]}
        notifications.settle(tx, notification_id, values)


def _claim(ctx: Context, post: Post, notification_id: int, customer_key: str) -> Claimed | None:
    with ctx.db.write() as tx:
        customers.lock_customer(tx, customer_key)
        row, now = notifications.by_id(tx, notification_id), tx.now()
        held = instance.hold_reason(tx) is not None
        if held or row.not_before > now or not _is_free(row, now):
            return None
        rulebook = ctx.shelf.active(tx)
        view = case_view(tx, rulebook, row.case_id, now)
        recipient = view.staff.get(row.recipient)
        gone = reason_gone(row.template, row.data, row.recipient, view.case, list(view.all_clocks))
        if recipient is None:
            if gone is None:
                _tell_default(tx, ctx, rulebook, view, row, now)
            gone = gone or f"{row.recipient} is not in people.yaml any more"
        if gone is not None or recipient is None:
            _skip(tx, ctx, row, gone or "nobody", now)
            return None
        if _rests(tx, row, recipient, view, now):
            return None
        delivery_id = notifications.claim(tx, row, recipient.email, now + post.lease, now)
        if delivery_id is None:
            return None
        letter = Letter(
            template=row.template,
            recipient=recipient,
            message_id=row.message_id,
            view=view,
            data=row.data,
            rulebook=rulebook,
        )
        return Claimed(notification=row, delivery_id=delivery_id, letter=letter)


def _rests(tx: Transaction, row: Any, recipient: Party, view: CaseView, now: datetime) -> bool:
    """Whether the reader's quiet hours hold this mail; what is critical wakes people up. Not a word is lost."""
    until = recipient.quiet_until(now)
    if until is None or view.case.severity == SEVERITIES[-1]:
        return False
    notifications.settle(tx, row.id, {"not_before": until, "reason": f"quiet hours until {until.isoformat()}"})
    _note(tx, row, "notification.held", {"until": until.isoformat()}, now)
    return True


def _tell_default(tx: Transaction, ctx: Context, rulebook: Rulebook, view: CaseView, row: Any, now: datetime) -> None:
    """The recipient has left since: whoever answers for the rest hears instead."""
    role = rulebook.routing.roles.get("default")
    heir = view.staff.get(role.person if role else None)
    if heir is None or heir.id == row.recipient:
        return
    carried = {name: value for name, value in row.data.items() if name != "duty"}
    data = {**carried, "refused": [row.recipient], "instead_of": row.recipient, "meant_as": row.template, "gone": True}
    template = "overdue" if row.template in {"reminder", "stand_in", "overdue"} else "undelivered"
    note = NewNotification(cause_kind="notification", cause_id=row.id, recipient=heir.id, template=template, data=data)
    notifications.add(tx, row.case_id, row.customer_key, [note], ctx.mail_domain, now)


def _is_free(row: Any, now: datetime) -> bool:
    return bool(row.status == "pending" or (row.status == "claimed" and row.lease_until <= now))


def _skip(tx: Transaction, ctx: Context, row: Any, reason: str, now: datetime) -> None:
    notifications.settle(tx, row.id, {"status": "skipped", "reason": reason, "lease_until": None})
    _note(tx, row, "no_notification_sent", {"reason": reason}, now)


def _send(ctx: Context, post: Post, claimed: Claimed) -> None:
    """The part outside any transaction. Whatever happens here, the attempt is recorded, or its lease runs out."""
    render_error: str | None = None
    try:
        mail = post.compose(claimed.letter)
    except RenderError as error:
        render_error = str(error)
        mail = post.compose_plain(claimed.letter, error)
    outcome = post.mailer.send(mail)
    ctx.db.retrying(lambda: _record(ctx, post, claimed, outcome, render_error), attempts=10)  # about a minute


def _record(ctx: Context, post: Post, claimed: Claimed, outcome: Outcome, render_error: str | None) -> None:
    """Write down how the attempt ended, unconditionally: what was sent was sent."""
    row, attempt = claimed.notification, claimed.notification.attempts + 1
    with ctx.db.write() as tx:
        customers.lock_customer(tx, row.customer_key)
        now = tx.now()
        ended = {"ended_at": now, "outcome": outcome.kind, "code": outcome.code, "detail": outcome.detail[:500]}
        notifications.close_delivery(tx, claimed.delivery_id, {**ended, "render_error": render_error})
        if render_error is not None:
            _note(tx, row, "template.failed", {}, now, {"error": render_error})  # it may quote the customer
        if outcome.kind == "sent":
            notifications.settle(tx, row.id, {"status": "sent", "sent_at": now, "lease_until": None, "reason": None})
            _note(tx, row, "notification.sent", {"message_id": row.message_id}, now)
        elif outcome.kind == "refused":
            if notifications.settle_attempt(tx, row.id, attempt, {"status": "failed", **_kept_reason(outcome)}):
                _pass_on(tx, ctx, claimed, outcome, now)
        else:
            later = now + retry_after(attempt, post.jitter())
            values = {"status": "pending", "not_before": later, **_kept_reason(outcome)}
            notifications.settle_attempt(tx, row.id, attempt, values)
    level = logging.INFO if outcome.kind == "sent" else logging.WARNING
    fields = {"notification": row.id, "attempt": attempt, "outcome": outcome.kind, "code": outcome.code}
    log.log(level, "attempt ended", extra=fields)


def _kept_reason(outcome: Outcome) -> dict[str, Any]:
    return {"lease_until": None, "reason": outcome.detail[:500]}


def _pass_on(tx: Transaction, ctx: Context, claimed: Claimed, outcome: Outcome, now: datetime) -> None:
    """An address refused for good: the next responsible person gets the mail, and the audit says so."""
    row, letter = claimed.notification, claimed.letter
    staff, tried = letter.view.staff, {letter.recipient.id, *row.data.get("refused", ())}
    role = letter.rulebook.routing.roles.get("default")
    heir = staff.next_responsible(letter.recipient, role.person if role else None, tried)
    facts: dict[str, Any] = {"refused": letter.recipient.id, "code": outcome.code, "to": heir.id if heir else None}
    _note(tx, row, "notification.refused", facts, now)
    if heir is None:
        return
    carried = {
        name: value for name, value in row.data.items() if name != "duty"
    }  # the heir has not got the duty itself
    meant_as = row.data.get("meant_as", row.template)
    data = {**carried, "refused": sorted(tried), "instead_of": letter.recipient.name, "meant_as": meant_as}
    template = "overdue" if row.template in {"reminder", "stand_in", "overdue"} else "undelivered"
    note = NewNotification(
        cause_kind="delivery", cause_id=claimed.delivery_id, recipient=heir.id, template=template, data=data
    )
    notifications.add(tx, row.case_id, row.customer_key, [note], ctx.mail_domain, now)


def _note(
    tx: Transaction,
    row: Any,
    action: str,
    facts: dict[str, Any],
    now: datetime,
    personal: dict[str, str] | None = None,
) -> None:
    entry = audit.Entry(
        actor="delivery",
        action=action,
        subject_kind="case",
        subject_id=str(row.case_id),
        happened_at=now,
        cause=f"notification:{row.id}",
        customer_key=row.customer_key,
        facts={"recipient": row.recipient, "template": row.template, **facts},
        personal=personal or {},
    )
    audit.write(tx, entry, now)


def hold_sends(ctx: Context, reason: str | None, actor: str) -> str | None:
    """Hold all sending for a reason, or release it with None; either is audited. Returns the reason it had been held for."""

    def once() -> str | None:
        with ctx.db.write() as tx:
            now, former = tx.now(), instance.hold_reason(tx)
            instance.set_hold(tx, None, now)  # what a person says replaces the reason that is there
            instance.set_hold(tx, reason, now)
            entry = audit.Entry(
                actor=actor,
                action="sending.released" if reason is None else "sending.held",
                subject_kind="instance",
                subject_id="1",
                happened_at=now,
                facts={} if reason is None else {"reason": reason, "replaced": former},
            )
            audit.write(tx, entry, now)
            return former

    return ctx.db.retrying(once)
