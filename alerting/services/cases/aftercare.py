"""After the end of a case: whether it worked is asked of whoever did it, and of the customer, whose
answer may open it again.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.database.alerts import mutes
from alerting.database.audit import audit_entries
from alerting.database.cases import case_records, cases, timers
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.cases import TimerRow
from alerting.database.rows.messages import NotificationRow
from alerting.domain.audit.entries import Action, Entry, Machine, about_case
from alerting.domain.cases.case_alerts import promised_by
from alerting.domain.cases.cases import AuditLine, Case, Complaint, Decision, Status
from alerting.domain.cases.clocks import Starts
from alerting.domain.cases.escalations import reach
from alerting.domain.cases.replan import reopen_unhappy, with_somebody_here
from alerting.domain.cases.resolutions import CHECK
from alerting.domain.customers.customers import Customer
from alerting.domain.fields import Fields
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import SurveyAnswered, sentiment_of
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.templates import Template
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.load_case import clocks_of
from alerting.services.context import Context

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def ask_whether_it_worked(
    tx: Transaction, ctx: Context, case: Case, row: TimerRow, now: datetime
) -> str:
    """The effectiveness review is due: whoever is to say so gets a mail."""
    if case.status is not Status.RESOLVED:
        return "the case is open again"
    rulebook, staff = ctx.shelf.active(tx), staff_facts.staff_at(tx, now)
    customer = customers.customer_now(tx, case.customer_key)
    asked = reach(Fields(row.data).text("by"), case, customer, rulebook.routing, staff)
    case_records.ask_for_review(tx, case, row.due_at)
    note = NewNotification(
        cause_kind="timer", cause_id=row.id, recipient=asked.party.id, template=Template.REVIEW
    )
    notifications.add(tx, case.id, case.customer_key, [note], ctx.mail_domain, now)
    _note(
        tx,
        case,
        Action.REVIEW_ASKED,
        {"asked": asked.party.id, "why": asked.why},
        f"timer:{row.id}",
        now,
    )
    return f"asked {asked.party.id}"


def ask_the_customer(
    tx: Transaction, ctx: Context, case: Case, row: TimerRow, now: datetime
) -> str:
    """The customer's contact gets a link to the check survey, where there is an address to send it
    to.
    """
    check = ctx.shelf.active(tx).resolutions.check_survey
    if case.status is not Status.RESOLVED or check is None:
        return (
            "the case is open again"
            if case.status is not Status.RESOLVED
            else "nothing is asked any more"
        )
    customer = customers.customer_now(tx, case.customer_key)
    contact = _contact(customer)
    if contact is None:
        _note(
            tx,
            case,
            Action.CHECK_SURVEY_IMPOSSIBLE,
            {"reason": "no contact has a mail address"},
            f"timer:{row.id}",
            now,
        )
        return "no contact has a mail address"
    locale = str(customer.state.get("language") or "en")
    message = check.message(locale)
    data = {
        "survey": check.survey,
        "customer": case.customer_key,
        "name": contact.name,
        "email": contact.email,
        "subject": message.subject,
        "text": message.text,
        "case": case.id,
    }
    note = NewNotification(
        cause_kind="timer",
        cause_id=row.id,
        recipient="customer",
        template=Template.CHECK_SURVEY,
        data=data,
    )
    notifications.add(tx, None, case.customer_key, [note], ctx.mail_domain, now)
    _note(tx, case, Action.CHECK_SURVEY_SENT, {"survey": check.survey}, f"timer:{row.id}", now)
    return "the customer is asked"


def ask_another_contact(
    tx: Transaction, ctx: Context, row: NotificationRow, delivery_id: int, now: datetime
) -> bool:
    """The address a check survey went to was refused: the customer's next contact is asked. False
    where there is none.
    """
    if "email" not in row.data or row.customer_key is None:
        return False  # the customer was forgotten
    said = Fields(row.data)
    tried = {*said.texts("tried"), said.text("email")}
    contact = _contact(customers.customer_now(tx, row.customer_key), tried)
    if contact is None:
        return False
    data = {**row.data, "name": contact.name, "email": contact.email, "tried": sorted(tried)}
    again = NewNotification(
        cause_kind="delivery",
        cause_id=delivery_id,
        recipient="customer",
        template=Template.CHECK_SURVEY,
        data=data,
    )
    notifications.add(tx, None, row.customer_key, [again], ctx.mail_domain, now)
    return True


@dataclass(frozen=True, kw_only=True)
class _Addressee:
    """A contact of the customer with a mail address."""

    name: str | None
    email: str


def _contact(customer: Customer, tried: Collection[str] = ()) -> _Addressee | None:
    """The first with a mail address that has not been tried."""
    for contact in map(Fields, customer.contacts):
        email = contact.text_or_none("email") or ""
        if _ADDRESS.fullmatch(email) and email not in tried:
            return _Addressee(name=contact.text_or_none("name"), email=email)
    return None


def hear_checks(
    tx: Transaction,
    ctx: Context,
    rulebook: Rulebook,
    events: Iterable[tuple[int, Event]],
    now: datetime,
) -> None:
    """Answers to the check survey: a negative one opens the case again unless it is open by now,
    another one confirms it.

    Asked after the rules: what one of them made of the answer stands. Events come with their
    numbers.
    """
    check = rulebook.resolutions.check_survey
    for seq, event in events:
        payload = event.payload
        if (
            check is None
            or not isinstance(payload, SurveyAnswered)
            or payload.survey_id != check.survey
        ):
            continue
        case = cases.last_resolved(tx, event.customer_key)
        if case is None or not _was_asked(tx, case, event):
            continue
        if sentiment_of(payload.metric, payload.score, payload.scale) == "negative" and not _quiet(
            tx, case, now
        ):
            decision = _reopened(tx, ctx, rulebook, case, event, now)
            case_records.add_check_answer(tx, case, seq, rulebook.hash, now)
        elif sentiment_of(payload.metric, payload.score, payload.scale) == "negative":
            facts = {"event": {"source": event.source, "id": event.id}, "silenced": True}
            line = AuditLine(
                action=Action.CHECK_SURVEY_NEGATIVE, happened_at=event.time, facts=facts
            )
            decision = Decision(case=case, audit=(line,))
        else:
            facts = {"score": payload.score, "event": {"source": event.source, "id": event.id}}
            decision = Decision(
                case=case,
                audit=(
                    AuditLine(action=Action.CASE_CONFIRMED, happened_at=event.time, facts=facts),
                ),
            )
        apply_decision(tx, ctx, decision, Machine.INTAKE, Cause(kind="response"), now)


ANSWERED_WITHIN = timedelta(days=30)
"""An answer to a check survey says something of the case so long after it was asked."""


def _was_asked(tx: Transaction, case: Case, event: Event) -> bool:
    asked = timers.fired_at(tx, case.id, f"{case.cycle}.{CHECK}", "the customer is asked")
    given = min(event.time, event.received_at)
    return asked is not None and asked <= given <= asked + ANSWERED_WITHIN


def _quiet(tx: Transaction, case: Case, now: datetime) -> bool:
    """Whether somebody has muted this case."""
    about = (case.rule, case.customer_key, case.segment, now)
    return any(mute.covers(*about) for mute in mutes.active_mutes(tx, now))


def _reopened(
    tx: Transaction, ctx: Context, rulebook: Rulebook, case: Case, event: Event, now: datetime
) -> Decision:
    clocks, staff = clocks_of(tx, ctx, case.id), staff_facts.staff_at(tx, now)
    customer = customers.histories(tx, [case.customer_key])[case.customer_key].as_of(event.time)
    held = with_somebody_here(case, staff)
    people = staff.get(held.caller), staff.get(held.fixer)
    known = case.policy in rulebook.policies
    complaint = Complaint(
        id=0,
        rule=case.rule,
        severity=case.severity,
        policy=rulebook.promised(case.policy, customer, *people)
        if known
        else promised_by(held, clocks),
        starts=Starts.of_event(event.time, event.received_at, now),
    )
    said = AuditLine(
        action=Action.CHECK_SURVEY_NEGATIVE,
        happened_at=event.time,
        facts={"event": {"source": event.source, "id": event.id}},
    )
    opened = reopen_unhappy(held, clocks, complaint, rulebook.policies, case.caller, now)
    return replace(opened, audit=(said, *opened.audit))


def _note(
    tx: Transaction, case: Case, action: Action, facts: dict[str, object], cause: str, now: datetime
) -> None:
    entry = Entry(
        actor=Machine.FOLLOW_UP,
        action=action,
        subject=about_case(case.id),
        happened_at=now,
        cause=cause,
        customer_key=case.customer_key,
        facts=facts,
    )
    audit_entries.write(tx, entry, now)
