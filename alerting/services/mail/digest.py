"""Digests: a reader with a `digest` gets the first mail at once; what follows within that time
waits and goes as one mail (architecture, transaction 11).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.database.engine import Transaction
from alerting.database.mail import readers
from alerting.database.rows.messages import NotificationRow
from alerting.domain.audit.entries import Action
from alerting.domain.fields import Fields
from alerting.domain.mail.notifications import can_wait
from alerting.domain.templates import duty_told
from alerting.services.context import Context
from alerting.services.mail.letters import Letter
from alerting.services.mail.records import note, postpone


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A notification that could go now, with what it says."""

    row: NotificationRow
    letter: Letter


def choose(
    tx: Transaction, ctx: Context, ready: Sequence[Ready], number: int, now: datetime
) -> tuple[str | None, Sequence[Ready]]:
    """What goes now: the Message-ID of a digest and its members, or None and one letter or
    nothing. What waits for the next digest is written down.
    """
    asked = next((one for one in ready if one.row.id == number), None)
    if asked is None:
        return None, ()
    if asked.row.digest_id is not None:
        return readers.digest_message_id(tx, asked.row.digest_id), ready
    pause = asked.letter.recipient.digest_pause
    if pause is None or asked.row.attempts:
        return None, [asked]
    until = readers.told_at(tx, asked.row.recipient) + pause  # under the reader's lock from here
    waiting = [
        one for one in ready if not one.row.attempts and _can_wait(one, max(until, now), now)
    ]
    if asked not in waiting:
        return None, [asked]
    if until > now:
        for one in waiting:
            _gather(tx, one.row, until, now)
        return None, ()
    readers.tell(tx, asked.row.recipient, now)
    if len(waiting) == 1:
        return None, waiting
    members = [one.row.id for one in waiting]
    return readers.make_digest(tx, asked.row.recipient, members, ctx.mail_domain, now), waiting


def _can_wait(one: Ready, until: datetime, now: datetime) -> bool:
    """A digest that falls into the quiet hours comes after them."""
    letter = one.letter
    duty = duty_told(letter.template, Fields(letter.data).text_or_none("duty"))
    read = letter.recipient.quiet_until(until) or until
    severity, clocks = letter.view.case.severity, letter.view.clocks.values()
    return can_wait(letter.template, duty, severity, clocks, read, now)


def _gather(tx: Transaction, row: NotificationRow, until: datetime, now: datetime) -> None:
    postpone(tx, row, until, f"for the digest at {until.isoformat()}")
    note(tx, row, Action.NOTIFICATION_BATCHED, {"until": until.isoformat()}, now)
