"""Claim a notification: under the locks of the customers and of the reader, what goes now, what
waits, and what need not go any more (architecture, transactions 8 and 11).
"""

from collections.abc import Sequence
from datetime import datetime

from alerting.database import instance
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.messages import DueNotification, NotificationRow
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.cases.case_view import case_view, in_words
from alerting.services.context import Context
from alerting.services.mail.channel import Post
from alerting.services.mail.digest import Ready, choose
from alerting.services.mail.letters import Claimed, DigestLetter, Letter, Part
from alerting.services.mail.notices import ReadyNotice, ready_notice
from alerting.services.mail.withhold import why_not, withhold

LARGEST_DIGEST = 200


def claim(ctx: Context, post: Post, number: int) -> Claimed | None:
    """Take a notification, or the digest it belongs to, for one attempt; None where nothing goes
    (any more).
    """
    with ctx.db.write() as tx:
        rows = _locked(tx, number)
        now = tx.now()
        if not rows or instance.hold_reason(tx) is not None:
            return None
        rulebook = ctx.shelf.active(tx)
        if rows[0].case_id is None:
            notice = ready_notice(tx, rulebook, rows[0], now)
            return None if notice is None else _claimed(tx, post, None, [notice], now)
        found = [_ready_mate(tx, ctx, rulebook, row, now, number) for row in rows]
        ready = [one for one in found if one is not None]
        message_id, chosen = choose(tx, ctx, ready, number, now)
        return _claimed(tx, post, message_id, chosen, now)


def _locked(tx: Transaction, number: int) -> list[NotificationRow]:
    """The notification with all that may go in one mail with it, read again under the locks of
    their customers.
    """
    row, now = notifications.by_id(tx, number), tx.now()
    if row is None:
        return []
    reader = staff_facts.party_at(tx, row.recipient, now)
    mates = [DueNotification(id=row.id, customer_key=row.customer_key)]
    gathers = row.case_id is not None and reader is not None and reader.digest is not None
    if row.digest_id is not None or gathers:
        mates = notifications.mates(tx, row, now, LARGEST_DIGEST)
    for key in sorted({mate.customer_key for mate in mates if mate.customer_key is not None}):
        customers.lock_customer(tx, key)
    return notifications.by_ids(tx, {row.id, *(mate.id for mate in mates)})


def _ready_mate(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    row: NotificationRow,
    now: datetime,
    asked: int,
) -> Ready | None:
    """One that cannot be prepared must not keep those that could go with it: its own turn says
    why.
    """
    try:
        return _ready(tx, ctx, rulebook, row, now)
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError):
        if row.id == asked:
            raise
        return None


def _ready(
    tx: Transaction, ctx: Context, rulebook: Rulebook, row: NotificationRow, now: datetime
) -> Ready | None:
    """None where a stage keeps it from being sent; why is written down."""
    is_open = row.status in {"pending", "claimed"} and row.not_before <= now
    if row.case_id is None or not is_open:  # the stages say so, too, and cost a whole case
        return None
    view = case_view(tx, rulebook, row.case_id, now)
    found = why_not(tx, rulebook, row, view)
    recipient = view.staff.get(row.recipient)
    if found is not None:
        withhold(tx, ctx, row, view, found)
    if found is not None or recipient is None:
        return None
    letter = Letter(
        template=row.template,
        recipient=recipient,
        message_id=row.message_id,
        view=in_words(view, rulebook.words_for(recipient.locale)),
        data=row.data,
        rulebook=rulebook,
    )
    return Ready(row=row, letter=letter)


def _claimed(
    tx: Transaction,
    post: Post,
    message_id: str | None,
    chosen: Sequence[Ready | ReadyNotice],
    now: datetime,
) -> Claimed | None:
    """The attempt's parts, and the one mail they become; None where others were first with all of
    them.
    """
    found = [_taken(tx, post, one, now) for one in chosen]
    parts = tuple(part for part in found if part is not None)
    if not parts:
        return None
    letters = tuple(part.letter for part in parts if isinstance(part.letter, Letter))
    mail = DigestLetter(message_id=message_id, letters=letters) if message_id else parts[0].letter
    return Claimed(parts=parts, mail=mail, channel=parts[0].notification.channel)


def _taken(tx: Transaction, post: Post, one: Ready | ReadyNotice, now: datetime) -> Part | None:
    address = post.channel(one.row.channel).address_of(one.letter.recipient)
    delivery_id = notifications.claim(tx, one.row, address, now + post.lease, now)
    if delivery_id is None:
        return None
    return Part(notification=one.row, delivery_id=delivery_id, letter=one.letter)
