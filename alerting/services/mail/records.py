"""What is written down about a notification: that it is not sent, that it waits, who gets it
instead.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.rows.messages import NotificationRow
from alerting.domain.audit.entries import Action, Entry, EntrySubject, Machine, about_case
from alerting.domain.mail.notifications import CauseKind, NewNotification
from alerting.domain.people.people import Party
from alerting.domain.templates import ESCALATING, Template


def skip(
    tx: Transaction, row: NotificationRow, reason: str, now: datetime, stage: str = ""
) -> None:
    """Not sent, and the reason is kept; `stage` is the one of `domain/mail/why_no_mail.py` that
    said so.
    """
    notifications.settle(tx, row.id, {"status": "skipped", "reason": reason, "lease_until": None})
    facts = {"reason": reason, **({"stage": stage} if stage else {})}
    note(tx, row, Action.NO_NOTIFICATION_SENT, facts, now)


def postpone(tx: Transaction, row: NotificationRow, until: datetime, reason: str) -> None:
    """Not sent before an instant."""
    notifications.settle(tx, row.id, {"not_before": until, "reason": reason})


def _about(row: NotificationRow) -> EntrySubject:
    if row.case_id is not None:
        return about_case(row.case_id)
    return EntrySubject(kind=row.cause_kind, id=str(row.cause_id))


def note(
    tx: Transaction,
    row: NotificationRow,
    action: Action,
    facts: Mapping[str, object],
    now: datetime,
    personal: Mapping[str, str] | None = None,
) -> None:
    """What happened to a notification, as an audit entry of its case, or of the check it came
    from.
    """
    entry = Entry(
        actor=Machine.DELIVERY,
        action=action,
        subject=_about(row),
        happened_at=now,
        cause=f"notification:{row.id}",
        customer_key=row.customer_key,
        facts={"recipient": row.recipient, "template": row.template, **facts},
        personal=personal or {},
    )
    audit_entries.write(tx, entry, now)


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
    template = Template.OVERDUE if row.template in ESCALATING else Template.UNDELIVERED
    return NewNotification(
        cause_kind=kind, cause_id=cause, recipient=heir.id, template=template, data=data
    )
