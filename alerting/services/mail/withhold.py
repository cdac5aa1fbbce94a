"""Why a notification about a case is not sent, or not yet: the one place where its stages are
asked.
"""

from alerting.database import instance
from alerting.database.cases import case_records
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.rows.messages import NotificationRow
from alerting.domain.audit.entries import Action
from alerting.domain.cases.cases import Status
from alerting.domain.fields import Fields
from alerting.domain.mail.stages import Withheld, first_reason
from alerting.domain.mail.why_no_mail import STAGES, Outgoing
from alerting.domain.people.people import Party
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.cases.case_view import CaseView
from alerting.services.context import Context
from alerting.services.mail.records import in_place_of, note, postpone, skip


def why_not(
    tx: Transaction, rulebook: Rulebook, row: NotificationRow, view: CaseView
) -> Withheld | None:
    """The reason a notification is not sent now, None where it goes; nothing is written."""
    return first_reason(STAGES, _outgoing(tx, rulebook, row, view))


def _outgoing(
    tx: Transaction, rulebook: Rulebook, row: NotificationRow, view: CaseView
) -> Outgoing:
    reader = view.staff.get(row.recipient)
    calendar = (reader.calendar if reader is not None else None) or ""
    return Outgoing(
        template=row.template,
        data=Fields(row.data),
        recipient=row.recipient,
        reader=reader,
        calendar=rulebook.calendars.get(calendar),
        by_timer=row.cause_kind == "timer",
        not_before=row.not_before,
        lease_until=row.lease_until if row.status == "claimed" else None,
        case=view.case,
        clocks=view.all_clocks,
        held=instance.hold_reason(tx),
        now=view.now,
        is_decided=lambda: _is_decided(tx, row),
        is_repeated=lambda: _is_repeated(tx, row, taken=view.case.status is not Status.OPEN),
    )


def _is_decided(tx: Transaction, row: NotificationRow) -> bool:
    found = case_records.correction_by_id(tx, Fields(row.data).number("correction"))
    return found is not None and found.decided_at is not None


def _is_repeated(tx: Transaction, row: NotificationRow, *, taken: bool) -> bool:
    """Of a step's repetitions that waited together the last one is sent."""
    data = Fields(row.data)
    later = (
        other
        for other in notifications.of_case(tx, row.case_id or 0)
        if (other.recipient, other.data.get("step")) == (row.recipient, data["step"])
        and Fields(other.data).number("n") > data.number("n")
    )
    return any(other.status == "sent" or not taken for other in later)


def withhold(
    tx: Transaction, ctx: Context, row: NotificationRow, view: CaseView, found: Withheld
) -> None:
    """Write down why a notification is not sent, or until when it waits."""
    if found.effect == "never":
        if view.staff.get(row.recipient) is None and found.stage == "nobody":
            _tell_default(tx, ctx, view, row)
        skip(tx, row, found.reason, view.now, found.stage)
    if found.effect == "waits" and found.until is not None:
        postpone(tx, row, found.until, found.reason)
        note(tx, row, Action.NOTIFICATION_HELD, {"until": found.until.isoformat()}, view.now)


def _tell_default(tx: Transaction, ctx: Context, view: CaseView, row: NotificationRow) -> None:
    """The recipient has left since: whoever answers for the rest hears instead."""
    heir = _default(tx, ctx, view)
    if heir is None or heir.id == row.recipient:
        return
    again = in_place_of(
        row, "notification", row.id, heir, [row.recipient], row.recipient, gone=True
    )
    notifications.add(tx, row.case_id, row.customer_key, [again], ctx.mail_domain, view.now)


def _default(tx: Transaction, ctx: Context, view: CaseView) -> Party | None:
    role = ctx.shelf.active(tx).routing.roles.get("default")
    return view.staff.get(role.person if role else None)
