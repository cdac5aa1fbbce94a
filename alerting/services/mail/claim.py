"""Claiming: under the locks of the customers and of the reader, what goes now, what waits, and what
need not go any more.

A reader with a `digest` gets the first mail at once; what follows within that time waits and goes
as one mail. DESIGN.md, transactions 8 and 11.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerting.database import instance
from alerting.database.audit import audit_entries
from alerting.database.cases import case_records, cases
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications, readers
from alerting.database.people import staff_facts
from alerting.database.rows.messages import DueNotification, NotificationRow
from alerting.database.rulebook import rulebooks
from alerting.domain.cases.cases import SEVERITIES, Status
from alerting.domain.fields import Fields
from alerting.domain.mail.notifications import CauseKind, NewNotification, can_wait, reason_gone
from alerting.domain.people.people import Party
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.cases.aftercare import CHECK_SURVEY
from alerting.services.cases.case_view import CaseView, case_view, in_words
from alerting.services.context import Context
from alerting.services.mail.letters import Claimed, DigestLetter, Letter, Notice, Part, WeeklyLetter
from alerting.services.mail.weekly import WEEKLY, weekly_letter

LARGEST_DIGEST = 200


@dataclass(frozen=True, kw_only=True)
class _Ready:
    """A notification that could go now, with what it says."""

    row: NotificationRow
    letter: Letter


@dataclass(frozen=True, kw_only=True)
class _ReadyNotice:
    """The same about no case."""

    row: NotificationRow
    letter: Notice | WeeklyLetter


def claim(ctx: Context, lease: timedelta, number: int) -> Claimed | None:
    """Take a notification, or the digest it belongs to, for one attempt; None where nothing goes
    (any more).
    """
    with ctx.db.write() as tx:
        rows = _locked(tx, number)
        now = tx.now()
        if instance.hold_reason(tx) is not None:
            return None
        if rows and rows[0].case_id is None:
            return _claim_notice(tx, ctx.shelf.active(tx), rows[0], lease, now)
        rulebook = ctx.shelf.active(tx)
        ready = [
            found
            for row in rows
            if (found := _ready_mate(tx, ctx, rulebook, row, now, number)) is not None
        ]
        message_id, chosen = _chosen(tx, ctx, ready, number, now)
        taken = [
            (part, one.letter)
            for one in chosen
            if (part := _taken(tx, one, now + lease, now)) is not None
        ]
        if not taken:
            return None
        letters = tuple(letter for _, letter in taken)
        mail = DigestLetter(message_id=message_id, letters=letters) if message_id else letters[0]
        return Claimed(parts=tuple(part for part, _ in taken), mail=mail)


def _ready_mate(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    row: NotificationRow,
    now: datetime,
    asked: int,
) -> _Ready | None:
    """One that cannot be prepared must not keep those that could go with it: its own turn says
    why.
    """
    try:
        return _ready(tx, ctx, rulebook, row, now)
    except (LookupError, ValueError, TypeError, AttributeError, AssertionError):
        if row.id == asked:
            raise
        return None


def _claim_notice(
    tx: Transaction, rulebook: Rulebook, row: NotificationRow, lease: timedelta, now: datetime
) -> Claimed | None:
    """A mail about no case goes by itself, and not into anybody's sleep."""
    if row.not_before > now or not _is_free(row, now):
        return None
    if row.template == CHECK_SURVEY:
        return _claim_invitation(tx, row, lease, now)
    if row.template == WEEKLY:
        return _claim_weekly(tx, rulebook, row, lease, now)
    recipient = staff_facts.party_at(tx, row.recipient, now)
    if recipient is None:
        skip(tx, row, f"{row.recipient} is not in people.yaml any more", now)
        return None
    until = recipient.quiet_until(now)
    if until is not None:
        notifications.settle(
            tx, row.id, {"not_before": until, "reason": f"quiet hours until {until.isoformat()}"}
        )
        return None
    said = Fields(row.data)
    proposal = row.cause_id if row.template == "approval" else None
    if proposal is not None and _is_closed(tx, proposal):
        skip(tx, row, "it is decided already", now)
        return None
    letter = Notice(
        recipient=recipient,
        message_id=row.message_id,
        subject=said.text("subject"),
        lines=tuple(said.texts("lines")),
        sent_at=now,
        proposal=proposal,
    )
    part = _taken(tx, _ReadyNotice(row=row, letter=letter), now + lease, now)
    return Claimed(parts=(part,), mail=letter) if part is not None else None


def _is_closed(tx: Transaction, proposal: int) -> bool:
    found = rulebooks.proposal_by_id(tx, proposal)
    return found is None or found.closed_at is not None


def _claim_weekly(
    tx: Transaction, rulebook: Rulebook, row: NotificationRow, lease: timedelta, now: datetime
) -> Claimed | None:
    """What is open now, not what was when the mail was due; nothing is sent where nothing is."""
    letter = weekly_letter(tx, rulebook, row.recipient, row.message_id, now)
    if letter is None:
        skip(tx, row, "nothing is open any more", now)
        return None
    until = letter.recipient.quiet_until(now)
    if until is not None:
        notifications.settle(
            tx, row.id, {"not_before": until, "reason": f"quiet hours until {until.isoformat()}"}
        )
        return None
    part = _taken(tx, _ReadyNotice(row=row, letter=letter), now + lease, now)
    return Claimed(parts=(part,), mail=letter) if part is not None else None


def _claim_invitation(
    tx: Transaction, row: NotificationRow, lease: timedelta, now: datetime
) -> Claimed | None:
    """A mail to a customer's contact. Whoever was forgotten in the meantime is not asked, nor whose
    case is open again.
    """
    data = Fields(row.data)
    case = cases.case_by_id(tx, data.number("case"))
    if "email" not in row.data or case is None or case.status is not Status.RESOLVED:
        skip(
            tx,
            row,
            "the customer was forgotten" if "email" not in row.data else "the case is open again",
            now,
        )
        return None
    name, email = data.text_or_none("name"), data.text("email")
    recipient = Party.model_construct(id="customer", name=name or email, email=email)
    letter = Notice(
        recipient=recipient,
        message_id=row.message_id,
        subject=data.text("subject"),
        lines=tuple(data.text("text").splitlines()),
        sent_at=now,
        survey=(data.text("survey"), data.text("customer"), name),
    )
    part = _taken(tx, _ReadyNotice(row=row, letter=letter), now + lease, now)
    return Claimed(parts=(part,), mail=letter) if part is not None else None


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


def _ready(
    tx: Transaction, ctx: Context, rulebook: Rulebook, row: NotificationRow, now: datetime
) -> _Ready | None:
    """None where it is not free, its reason has gone, or its reader sleeps; each of these is
    written down.
    """
    if row.case_id is None or row.not_before > now or not _is_free(row, now):
        return None
    view = case_view(tx, rulebook, row.case_id, now)
    recipient = view.staff.get(row.recipient)
    gone = reason_gone(row.template, row.data, row.recipient, view.case, list(view.all_clocks))
    gone = gone or _overtaken(tx, row, taken=view.case.status is not Status.OPEN)
    if recipient is None:
        if gone is None:
            _tell_default(tx, ctx, rulebook, view, row, now)
        gone = gone or f"{row.recipient} is not in people.yaml any more"
    if gone is not None or recipient is None:
        skip(tx, row, gone or "nobody", now)
        return None
    if _rests(tx, row, recipient, view, rulebook, now):
        return None
    letter = Letter(
        template=row.template,
        recipient=recipient,
        message_id=row.message_id,
        view=in_words(view, rulebook.words_for(recipient.locale)),
        data=row.data,
        rulebook=rulebook,
    )
    return _Ready(row=row, letter=letter)


def _overtaken(tx: Transaction, row: NotificationRow, *, taken: bool) -> str | None:
    """A correction that is decided needs nobody's word; of a step's repetitions that waited
    together the last one is sent.
    """
    data = Fields(row.data)
    if row.template == "correction":
        found = case_records.correction_by_id(tx, data.number("correction"))
        return (
            "it is decided already" if found is not None and found.decided_at is not None else None
        )
    if "step" not in data or row.case_id is None:
        return None
    later = (
        other
        for other in notifications.of_case(tx, row.case_id)
        if other.recipient == row.recipient
        and other.data.get("step") == data["step"]
        and Fields(other.data).number("n") > data.number("n")
        and (other.status == "sent" or not taken)
    )
    return "the next reminder says it" if any(later) else None


def _is_free(row: NotificationRow, now: datetime) -> bool:
    if row.status == "claimed":
        return row.lease_until is not None and row.lease_until <= now
    return row.status == "pending"


def _chosen(
    tx: Transaction, ctx: Context, ready: Sequence[_Ready], number: int, now: datetime
) -> tuple[str | None, Sequence[_Ready]]:
    """What goes now: the Message-ID of a digest and its members, or None and one letter or
    nothing.
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
            _batch(tx, one.row, until, now)
        return None, ()
    readers.tell(tx, asked.row.recipient, now)
    if len(waiting) == 1:
        return None, waiting
    members = [one.row.id for one in waiting]
    return readers.make_digest(tx, asked.row.recipient, members, ctx.mail_domain, now), waiting


def _can_wait(one: _Ready, until: datetime, now: datetime) -> bool:
    letter = one.letter
    duty = Fields(letter.data).text_or_none("duty") or letter.template
    read = (
        letter.recipient.quiet_until(until) or until
    )  # a digest that falls into the quiet hours comes after them
    return can_wait(
        letter.template, duty, letter.view.case.severity, letter.view.clocks.values(), read, now
    )


def _taken(
    tx: Transaction, one: _Ready | _ReadyNotice, lease_until: datetime, now: datetime
) -> Part | None:
    delivery_id = notifications.claim(tx, one.row, one.letter.recipient.email, lease_until, now)
    return (
        None
        if delivery_id is None
        else Part(notification=one.row, delivery_id=delivery_id, letter=one.letter)
    )


def _rests(
    tx: Transaction,
    row: NotificationRow,
    recipient: Party,
    view: CaseView,
    rulebook: Rulebook,
    now: datetime,
) -> bool:
    """Whether the reader's quiet hours hold this mail, or, of a step of a clock, the end of the
    working hours.

    What is critical or urgent wakes people up. Not a word is lost.
    """
    if view.case.severity == SEVERITIES[-1] or row.data.get("urgent"):
        return False
    until = recipient.quiet_until(now)
    if until is None and row.cause_kind == "timer":
        until = _off_until(recipient, rulebook, now)
    if until is None:
        return False
    notifications.settle(
        tx, row.id, {"not_before": until, "reason": f"quiet hours until {until.isoformat()}"}
    )
    note(tx, row, "notification.held", {"until": until.isoformat()}, now)
    return True


def _off_until(recipient: Party, rulebook: Rulebook, now: datetime) -> datetime | None:
    """When the next working hours of somebody begin who is off now, by the own calendar; None where
    it has none.
    """
    calendar = rulebook.calendars.get(recipient.calendar or "")
    begins = calendar.next_open(now) if calendar is not None else now
    return begins if begins > now else None


def _batch(tx: Transaction, row: NotificationRow, until: datetime, now: datetime) -> None:
    notifications.settle(
        tx, row.id, {"not_before": until, "reason": f"for the digest at {until.isoformat()}"}
    )
    note(tx, row, "notification.batched", {"until": until.isoformat()}, now)


def _tell_default(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    view: CaseView,
    row: NotificationRow,
    now: datetime,
) -> None:
    """The recipient has left since: whoever answers for the rest hears instead."""
    role = rulebook.routing.roles.get("default")
    heir = view.staff.get(role.person if role else None)
    if heir is None or heir.id == row.recipient:
        return
    note_ = in_place_of(
        row, "notification", row.id, heir, [row.recipient], row.recipient, gone=True
    )
    notifications.add(tx, row.case_id, row.customer_key, [note_], ctx.mail_domain, now)


def in_place_of(
    row: NotificationRow,
    kind: CauseKind,
    cause: int,
    heir: Party,
    refused: Sequence[str],
    name: str,
    **more: object,
) -> NewNotification:
    """The same message to somebody else, who has not got the duty itself; `refused` have been
    tried.
    """
    carried = {name: value for name, value in row.data.items() if name != "duty"}
    meant_as = row.data.get("meant_as", row.template)
    data = {**carried, "refused": list(refused), "instead_of": name, "meant_as": meant_as, **more}
    template = "overdue" if row.template in {"reminder", "stand_in", "overdue"} else "undelivered"
    return NewNotification(
        cause_kind=kind, cause_id=cause, recipient=heir.id, template=template, data=data
    )


def skip(tx: Transaction, row: NotificationRow, reason: str, now: datetime) -> None:
    """Not sent, and the reason is kept."""
    notifications.settle(tx, row.id, {"status": "skipped", "reason": reason, "lease_until": None})
    note(tx, row, "no_notification_sent", {"reason": reason}, now)


def note(
    tx: Transaction,
    row: NotificationRow,
    action: str,
    facts: dict[str, object],
    now: datetime,
    personal: dict[str, str] | None = None,
) -> None:
    """What happened to a notification, as an audit entry of its case, or of the check it came
    from.
    """
    entry = audit_entries.Entry(
        actor="delivery",
        action=action,
        subject_kind="case" if row.case_id is not None else row.cause_kind,
        subject_id=str(row.case_id if row.case_id is not None else row.cause_id),
        happened_at=now,
        cause=f"notification:{row.id}",
        customer_key=row.customer_key,
        facts={"recipient": row.recipient, "template": row.template, **facts},
        personal=personal or {},
    )
    audit_entries.write(tx, entry, now)
