"""The weekly mail: what each reader still owes, and what the reader's people have not kept, in the
reader's own zone.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications, weekly
from alerting.database.people import staff_facts
from alerting.database.rows.messages import OpenPromiseRow
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.people.people import Party
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook, Weekly
from alerting.domain.templates import Template
from alerting.services.context import Context
from alerting.services.mail.letters import OpenPromise, WeeklyLetter

LATEST = timedelta(days=1)
"""A mail that could not be sent for longer than this is left out: the next one says more."""

LONGEST_LIST = 100


def week_due(when: Weekly, reader: Party, now: datetime) -> str | None:
    """The week (the day its mail is due, in the reader's zone) whose mail is due now; None before
    and long after.
    """
    local = now.astimezone(reader.zone)
    day = local.date() - timedelta(days=(local.weekday() - when.weekday) % 7)
    due = datetime.combine(day, when.at, reader.zone)
    if due > local:
        return None
    return day.isoformat() if now - due <= LATEST else None


def send_weekly(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """Write the weekly mails that are due, each once; returns how many. Nothing where settings.yaml
    names no time.
    """
    with ctx.db.read() as tx:
        rulebook, now = ctx.shelf.active(tx), tx.now()
        if rulebook.weekly_mail is None:
            return 0
        staff = staff_facts.staff_at(tx, now)
        due = {
            p.id: week
            for p in staff.parties.values()
            if (week := week_due(rulebook.weekly_mail, p, now))
        }
        told = weekly.told_weekly(tx, due) if due else set()
    written = 0
    for party, week in sorted(due.items()):
        if (party, week) not in told:
            beat()
            written += ctx.db.retrying(partial(_write, ctx, party, week))
    return written


def _write(ctx: Context, party: str, week: str) -> bool:
    with ctx.db.write() as tx:
        now = tx.now()
        number = weekly.note_weekly(tx, party, week, now)
        if number is None or weekly_letter(tx, ctx.shelf.active(tx), party, "", now) is None:
            return False
        note = NewNotification(
            cause_kind="weekly", cause_id=number, recipient=party, template=Template.WEEKLY
        )
        notifications.add(tx, None, None, [note], ctx.mail_domain, now)
        return True


def weekly_letter(
    tx: Transaction, rulebook: Rulebook, party: str, message_id: str, now: datetime
) -> WeeklyLetter | None:
    """What stands in a reader's mail now; None for somebody who has left, or owes nothing and whose
    people are in time.
    """
    staff = staff_facts.staff_at(tx, now)
    me = staff.get(party)
    if me is None:
        return None
    people = [one.id for one in staff.parties.values() if one.manager == party and one.id != party]
    rows = weekly.open_promises(tx, [party, *people])
    names = customers.histories(tx, {row.customer_key for row in rows})

    def promise(row: OpenPromiseRow) -> OpenPromise:
        return OpenPromise(
            case_id=row.case_id,
            customer=names[row.customer_key].as_of(now).name,
            segment=rulebook.segment_title(row.segment),
            kind=row.kind,
            holder=_name(staff, row.party),
            due_at=row.due_at,
            overdue=row.paused_at is None and row.due_at <= now,
            paused=row.paused_at is not None,
        )

    mine = tuple(promise(row) for row in rows if row.party == party)[:LONGEST_LIST]
    others = [promise(row) for row in rows if row.party != party]
    theirs = tuple(one for one in others if one.overdue)[:LONGEST_LIST]
    if not mine and not theirs:
        return None
    return WeeklyLetter(
        message_id=message_id, recipient=me, rulebook=rulebook, now=now, mine=mine, theirs=theirs
    )


def _name(staff: Staff, party: str) -> str:
    found = staff.get(party)
    return found.name if found else party
