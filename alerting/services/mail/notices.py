"""Mails about no case: they go by themselves, and not into anybody's sleep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.database.cases import cases
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.rows.messages import NotificationRow
from alerting.database.rulebook import rulebooks
from alerting.domain.cases.cases import Status
from alerting.domain.fields import Fields
from alerting.domain.people.people import Party
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.templates import Template
from alerting.services.mail.letters import Notice, WeeklyLetter
from alerting.services.mail.records import postpone, skip
from alerting.services.mail.weekly import weekly_letter


@dataclass(frozen=True, kw_only=True)
class ReadyNotice:
    """A notification about no case that could go now, with what it says."""

    row: NotificationRow
    letter: Notice | WeeklyLetter


Write = Callable[[Transaction, Rulebook, NotificationRow, datetime], Notice | WeeklyLetter | None]


def ready_notice(
    tx: Transaction, rulebook: Rulebook, row: NotificationRow, now: datetime
) -> ReadyNotice | None:
    """None where it is not free, is needed no more, or its reader sleeps; each of the last two is
    written down.
    """
    under_way = row.status == "claimed" and row.lease_until is not None and row.lease_until > now
    if row.not_before > now or under_way or row.status not in {"pending", "claimed"}:
        return None
    letter = _WRITERS.get(row.template, _notice)(tx, rulebook, row, now)
    if letter is None:
        return None
    until = None if row.template == Template.CHECK_SURVEY else letter.recipient.quiet_until(now)
    if until is not None:
        postpone(tx, row, until, f"quiet hours until {until.isoformat()}")
        return None
    return ReadyNotice(row=row, letter=letter)


def _notice(
    tx: Transaction, _: Rulebook, row: NotificationRow, now: datetime, proposal: int | None = None
) -> Notice | None:
    """Plain lines for whoever looks after the installation."""
    recipient = staff_facts.party_at(tx, row.recipient, now)
    if recipient is None:
        skip(tx, row, f"{row.recipient} is not in people.yaml any more", now, "nobody")
        return None
    said = Fields(row.data)
    return Notice(
        recipient=recipient,
        message_id=row.message_id,
        subject=said.text("subject"),
        lines=tuple(said.texts("lines")),
        sent_at=now,
        proposal=proposal,
    )


def _approval(
    tx: Transaction, rulebook: Rulebook, row: NotificationRow, now: datetime
) -> Notice | None:
    proposal = rulebooks.proposal_by_id(tx, row.cause_id)
    if proposal is None or proposal.closed_at is not None:
        skip(tx, row, "it is decided already", now, "decided")
        return None
    return _notice(tx, rulebook, row, now, row.cause_id)


def _weekly(
    tx: Transaction, rulebook: Rulebook, row: NotificationRow, now: datetime
) -> WeeklyLetter | None:
    """What is open now, not what was when the mail was due; nothing is sent where nothing is."""
    letter = weekly_letter(tx, rulebook, row.recipient, row.message_id, now)
    if letter is None:
        skip(tx, row, "nothing is open any more", now, "reason gone")
    return letter


def _invitation(tx: Transaction, _: Rulebook, row: NotificationRow, now: datetime) -> Notice | None:
    """A mail to a customer's contact. Whoever was forgotten in the meantime is not asked, nor whose
    case is open again.
    """
    data = Fields(row.data)
    if "email" not in data:
        skip(tx, row, "the customer was forgotten", now, "reason gone")
        return None
    case = cases.case_by_id(tx, data.number("case"))
    if case is None or case.status is not Status.RESOLVED:
        skip(tx, row, "the case is open again", now, "reason gone")
        return None
    name, email = data.text_or_none("name"), data.text("email")
    return Notice(
        recipient=Party.model_construct(id="customer", name=name or email, email=email),
        message_id=row.message_id,
        subject=data.text("subject"),
        lines=tuple(data.text("text").splitlines()),
        sent_at=now,
        survey=(data.text("survey"), data.text("customer"), name),
    )


_WRITERS: Mapping[str, Write] = {
    Template.CHECK_SURVEY: _invitation,
    Template.WEEKLY: _weekly,
    Template.APPROVAL: _approval,
}
"""How the lines of a notice are found, by template; those of all others stand in its data."""
