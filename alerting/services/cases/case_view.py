"""What a reader of a mail or a page is shown about a case: gathered in one place, formatted by
templates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.database.alerts import alert_records
from alerting.database.cases import case_clocks, case_records, cases, timers
from alerting.database.customers import customers, points
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.people import staff_facts
from alerting.database.rows.cases import AttemptRow
from alerting.database.rows.rules import AlertOfEvent, ComplaintRow, Reason
from alerting.domain.audit.entries import Action
from alerting.domain.cases.case_words import held_as
from alerting.domain.cases.cases import Case, Status, current_clocks
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.escalations import reach
from alerting.domain.cases.sla import ClockKind
from alerting.domain.customers.contacts import contact_of_answer, every_field, same_contact
from alerting.domain.customers.customers import Customer
from alerting.domain.fields import Fields
from alerting.domain.people.people import Party
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook, Words


@dataclass(frozen=True, kw_only=True)
class AlertView:
    """One alert of the case: its rule in words, the conditions with their values, and the event
    behind it.
    """

    rule: str
    title: str
    severity: str
    because: Sequence[Reason]
    signals: Mapping[str, object]
    event_type: str
    event_seq: int
    source: str
    event_id: str
    time: datetime
    raised_at: datetime
    payload: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class UpcomingStep:
    """A step that will come unless somebody acts: when, and who is told in which way."""

    at: datetime
    clock: str
    template: str
    party: Party


@dataclass(frozen=True, kw_only=True)
class CaseView:
    """A case with everything around it, as of `now`."""

    now: datetime
    case: Case
    customer: Customer
    segment_title: str
    contact: Mapping[str, object] | None
    caller: Party
    fixer: Party | None
    informed: Sequence[Party]
    owner: Party | None
    clocks: Mapping[ClockKind, Clock]
    all_clocks: Sequence[Clock]
    alerts: Sequence[AlertView]
    previous: Mapping[str, object] | None
    interactions: Sequence[Mapping[str, object]]
    steps: Sequence[UpcomingStep]
    attempts: Sequence[AttemptRow]
    why_caller: Sequence[str]
    window_days: int
    staff: Staff
    currency: str

    @property
    def trigger(self) -> AlertView:
        """The alert the mail is about: the newest one."""
        return self.alerts[-1]

    @property
    def survey(self) -> AlertView | None:
        """The newest survey answer among the alerts: the customer's own words."""
        return next((a for a in reversed(self.alerts) if a.event_type == "survey.answered"), None)

    @property
    def author(self) -> str | None:
        """Who gave the newest answer, where it says so; the contact may only stand for the
        customer.
        """
        respondent = Fields(self.survey.payload if self.survey else {}).object("respondent")
        return respondent.text_or_none("name") or respondent.text_or_none("email")

    @property
    def language(self) -> str | None:
        answered = Fields(self.survey.payload if self.survey else {})
        spoken = Fields(self.customer.state).text_or_none("language")
        return spoken or answered.text_or_none("language")

    @property
    def reached_by(self) -> tuple[Party | None, AttemptRow] | None:
        """Who spoke with the customer in this cycle, and the attempt that counts."""
        sent = self.case.starts.customer_sent
        done = [a for a in self.attempts if a.reached and a.cycle == self.case.cycle]
        done = [a for a in done if a.happened_at >= sent] or done
        return (self.staff.get(done[0].by), done[0]) if done else None


def case_view(
    tx: Transaction, rulebook: Rulebook, case_id: int, now: datetime | None = None
) -> CaseView:
    """Gather a case. Raises LookupError for one that does not exist."""
    case, now = cases.case_by_id(tx, case_id), now or tx.now()
    if case is None:
        raise LookupError(f"there is no case C-{case_id}")
    staff = staff_facts.staff_at(tx, now)
    customer = customers.customer_now(tx, case.customer_key)
    alerts = [_alert_view(row, rulebook) for row in alert_records.alerts_of(tx, case_id)]
    alerts += [_check_view(row) for row in case_records.check_complaints(tx, case)]
    alerts.sort(key=lambda alert: alert.raised_at)
    every = case_clocks.clocks_of(tx, [case_id])[case_id]
    window = points.longest_window(rulebook.signals)
    newest = alerts[-1]
    said = Fields(newest.payload)
    respondent = said.object("respondent")
    named = respondent.text_or_none("name") or said.text_or_none("contact")
    asked = customer.contact_named(named, respondent.text_or_none("email"))
    if respondent and not same_contact(asked, respondent):
        # who answered wants the call, not whoever heads the list
        asked = contact_of_answer(respondent)
    return CaseView(
        now=now,
        case=case,
        customer=customer,
        segment_title=rulebook.segment_title(case.segment),
        contact=every_field(asked),
        caller=_party(staff, case.caller),
        fixer=_party(staff, case.fixer) if case.fixer else None,
        informed=[_party(staff, person) for person in case.informed],
        owner=staff.by_id_or_email(customer.owner),
        clocks=current_clocks(case, every),
        all_clocks=every,
        alerts=alerts,
        previous=events.previous_answer(tx, case.customer_key, newest.time, newest.event_seq),
        interactions=events.recent_interactions(
            tx, case.customer_key, newest.time - window, newest.time
        ),
        steps=_upcoming(tx, rulebook, case, customer, staff),
        attempts=cases.attempts_of(tx, case_id),
        why_caller=_why(tx, case, staff),
        window_days=-(-window // timedelta(days=1)),
        staff=staff,
        currency=rulebook.currency,
    )


def in_words(view: CaseView, words: Words) -> CaseView:
    """The same with segment, rules and conditions named in a reader's language."""
    alerts = [
        replace(
            alert,
            title=words.rules.get(alert.rule, alert.title),
            because=[
                Reason(
                    name=words.conditions.get(why["name"], why["name"]),
                    sql=why["sql"],
                    reads=why["reads"],
                )
                for why in alert.because
            ],
        )
        for alert in view.alerts
    ]
    return replace(
        view, alerts=alerts, segment_title=words.segments.get(view.case.segment, view.segment_title)
    )


def _alert_view(row: AlertOfEvent, rulebook: Rulebook) -> AlertView:
    rule = rulebook.rule(row.rule)
    return AlertView(
        rule=row.rule,
        title=rule.title if rule else row.rule,
        severity=row.severity,
        because=row.because,
        signals=row.signals,
        event_type=row.type,
        event_seq=row.event_seq,
        source=row.source,
        event_id=row.event_id,
        time=row.time,
        raised_at=row.raised_at,
        payload=row.payload,
    )


def _check_view(row: ComplaintRow) -> AlertView:
    """An answer to a check survey that opened the case again."""
    read = {name: row.payload.get(name) for name in ("survey_id", "metric", "score")}
    why = Reason(name="answered the check survey unhappily", sql="", reads=read)
    return AlertView(
        rule=row.rule,
        title="What was done has not helped",
        severity=row.severity,
        because=[why],
        signals={},
        event_type=row.type,
        event_seq=row.event_seq,
        source=row.source,
        event_id=row.event_id,
        time=row.time,
        raised_at=row.raised_at,
        payload=row.payload,
    )


def _party(staff: Staff, party_id: str) -> Party:
    """Somebody by id; who has left since is shown by the id alone."""
    found = staff.get(party_id)
    return found or Party.model_construct(
        id=party_id, name=party_id, kind="person", email="", time_zone="UTC", locale="en"
    )


def _upcoming(
    tx: Transaction, rulebook: Rulebook, case: Case, customer: Customer, staff: Staff
) -> list[UpcomingStep]:
    steps = []
    for row in timers.timers_of_case(tx, case.id):
        if row.kind != "step" or row.fired_at is not None or row.cancelled_at is not None:
            continue
        if row.n > 1 and case.status is not Status.OPEN:
            continue  # repeated until somebody has taken the case
        data = Fields(row.data)
        for word in data.texts("notify"):
            found = reach(word, case, customer, rulebook.routing, staff)
            steps.append(
                UpcomingStep(
                    at=row.due_at,
                    clock=data.text("clock"),
                    template=found.template,
                    party=found.party,
                )
            )
    return steps


def _why(tx: Transaction, case: Case, staff: Staff) -> list[str]:
    """What the present caller holds and why, from the audit; to be read after `you hold` or
    `holds`.
    """
    from alerting.database.audit import audit_entries

    def name(party: str) -> str:
        return _party(staff, party).name

    why: list[str] = []
    for entry in audit_entries.entries_of(tx, "case", str(case.id), personal_values=False):
        facts, action = entry.facts, entry.action
        for person in facts.objects("people"):
            if person["party"] == case.caller and not why:
                why = [held_as(person)]
        if facts.get("to") != case.caller:
            continue
        if action == Action.CASE_HANDED_OVER:
            why = [f"the case since {name(facts.text('by'))} handed it over"]
        if action == Action.CASE_TAKEN_OVER:
            why = [f"the case since taking it over from {name(facts.text('from'))}"]
        if action == Action.CASE_OWNER_CHANGED:
            why = [held_as(facts)]
        if action == Action.CASE_CALLER_CHANGED:
            graver = f"the case since a graver complaint joined it ({facts['why']})"
            gone = f"the case since the customer wrote while {name(facts.text('from'))} was away"
            why = [gone if facts.get("away") else graver]
    return why
