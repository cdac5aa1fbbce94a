"""The check of every night: what `alerting check --people` finds goes to whoever holds `default`,
when it has changed.
"""

from collections.abc import Callable, Sequence

from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.routing import people_checks
from alerting.domain.customers.customers import Customer
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.rulebook.routing_lint import Finding
from alerting.domain.templates import Template
from alerting.services.context import Context
from alerting.services.routing.check_responsibility import check_people

NIGHT = 2
"""The hour in UTC from which the check of a day is due."""


def check_of_the_night(ctx: Context, beat: Callable[[], None] = lambda: None) -> int | None:
    """Check once a day, whichever process comes first; returns how many problems there are, None
    where it was not due.

    A mail goes only where something was found or mended since the last check: at most one a day.
    """
    with ctx.db.read() as tx:
        now = tx.now()
        if now.hour < NIGHT or people_checks.has_checked(tx, now.date()):
            return None
    found = [finding for finding in check_people(ctx, beat) if not finding.warning]

    def once() -> int | None:
        with ctx.db.write() as tx:
            before = people_checks.latest(tx)
            messages = [f"{finding.kind}: {finding.message}" for finding in found]
            number = people_checks.record(tx, tx.now(), messages)
            if number is None:
                return None
            if messages != before:
                _tell(tx, ctx, number, found, before)
            return len(found)

    return ctx.db.retrying(once)


def _tell(
    tx: Transaction, ctx: Context, number: int, found: Sequence[Finding], before: Sequence[str]
) -> None:
    rulebook, now = ctx.shelf.active(tx), tx.now()
    nobody = Customer(key="", known=False, state={})
    admin = fill_role("default", nobody, "", rulebook.routing, staff_facts.staff_at(tx, now)).party
    note = NewNotification(
        cause_kind="check",
        cause_id=number,
        recipient=admin.id,
        template=Template.PEOPLE_CHECK,
        data=_words(found, before),
    )
    notifications.add(tx, None, None, [note], ctx.mail_domain, now)


def _words(found: Sequence[Finding], before: Sequence[str]) -> dict[str, object]:
    messages = [f"{finding.kind}: {finding.message}" for finding in found]
    mended = [message for message in before if message not in messages]
    lines = ["Who is responsible was checked against the customers and cases there are.", ""]
    for heading, listed in (
        ("NEW", [message for message in messages if message not in before]),
        ("STILL SO", [message for message in messages if message in before]),
        ("MENDED", mended),
    ):
        if listed:
            lines += [heading, *(f"- {message}" for message in listed), ""]
    problems = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    subject = f"Who is responsible: {problems if found else 'all problems mended'}"
    return {
        "subject": subject,
        "lines": [*lines, "`alerting check --people` says how it stands now."],
    }
