"""Explaining an event: why somebody was told, and equally why nobody was.

The event is judged again by the rulebook that judged it first, with the facts as of its time as
they are known today; what was decided then stands beside it, as it was stored.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from alerting.database.alerts import alert_records
from alerting.database.audit import audit_entries
from alerting.database.cases import timers
from alerting.database.engine import Transaction
from alerting.database.intake import dead_letters, events
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.cases import TimerRow
from alerting.database.rows.intake import DeadLetterRow, EventRow
from alerting.database.rows.messages import DeliveryOfCase, NotificationRow
from alerting.database.rows.rules import AlertRow
from alerting.database.rulebook import rulebooks
from alerting.domain.alerts.judge import Judgement, RuleOutcome, judge, points_from
from alerting.domain.alerts.suppression import REASONS
from alerting.domain.alerts.suppression import STAGES as ALERT_STAGES
from alerting.domain.customers.standing import Subject, Subjects
from alerting.domain.customers.value import VALUE_FIELDS
from alerting.domain.errors import RulebookInvalid
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import OF_PEOPLE
from alerting.domain.mail.stages import passed
from alerting.domain.mail.why_no_mail import STAGES as MAIL_STAGES
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.explanation import (
    ConditionLine,
    ExplainedAlert,
    ExplainedPerson,
    Explanation,
    RuleLine,
    Stages,
)
from alerting.services.cases.case_view import case_view
from alerting.services.context import Context
from alerting.services.customers.subjects import load_histories, load_scales
from alerting.services.mail.withhold import why_not


def explain(ctx: Context, reference: str, source: str | None = None) -> Explanation | DeadLetterRow:
    """An event by `#number` or id, or the row of a dead letter by its place. Raises LookupError
    with what to do.
    """
    with ctx.db.read() as tx:
        found = events.find_event(tx, reference, source)
        if not found:
            letters = dead_letters.letters_at(tx, reference)
            if letters:
                return letters[0]
            raise LookupError(
                f"no event has the id {reference!r}; give #number, the event's id, or a dead "
                "letter's place"
            )
        if len(found) > 1:
            sources = ", ".join(row.source for row in found)
            raise LookupError(
                f"several sources have an event {reference!r}: {sources}; add --source"
            )
        return _explained(tx, ctx, found[0])


def _explained(tx: Transaction, ctx: Context, row: EventRow) -> Explanation:
    event, notes = events.stored_event(row), []
    try:
        rulebook = ctx.shelf.get(tx, row.rulebook)
    except RulebookInvalid:
        rulebook = ctx.shelf.active(tx)
        notes.append(
            f"this version cannot read rulebook {row.rulebook[:12]}; the active one judges here"
        )
    judgement = judge(event, _subject(tx, event, rulebook), rulebook, every_rule=True)
    alerts = [_alert(tx, ctx, alert) for alert in alert_records.alerts_of_event(tx, row.seq)]
    notes += _notes(row, judgement, alerts)
    return Explanation(
        event=_event(row, event),
        customer=_customer(judgement),
        rulebook={"hash": row.rulebook, "active": rulebooks.active_hash(tx) == row.rulebook},
        rules=[_rule(outcome) for outcome in judgement.outcomes],
        alerts=alerts,
        notes=notes,
    )


def _subject(tx: Transaction, event: Event, rulebook: Rulebook) -> Subject:
    """The customer as of the event with its groups; their points from the stored events, whatever
    the store kept.
    """
    histories = load_histories(tx, [event.customer_key])
    lives = {key: points_from(events.events_of(tx, key, event.time), rulebook) for key in histories}
    scales = load_scales(tx, rulebook, event.time)
    return Subjects(histories=histories, points=lives, scales=scales).at(
        event.customer_key, event.time
    )


def _event(row: EventRow, event: Event) -> dict[str, object]:
    return {
        "number": row.seq,
        "source": row.source,
        "id": row.id,
        "type": row.type,
        "time": _plain(row.time),
        "received_at": _plain(row.received_at),
        "recorded_at": _plain(row.recorded_at),
        "place": row.place,
        "customer": row.customer_key,
        "fields": {
            name: _plain(value) for name, value in event.fields().items() if value is not None
        },
    }


def _customer(judgement: Judgement) -> dict[str, object]:
    return {
        "key": judgement.customer.key,
        "name": judgement.customer.name,
        "known": judgement.customer.known,
        "segment": judgement.membership.segment,
        "segment_why": judgement.membership.why,
        "tags": list(judgement.tags),
        "health": judgement.facts.get("customer.health"),
        "value": {name: _plain(judgement.facts.get(f"customer.{name}")) for name in VALUE_FIELDS},
        "signals": {name: _plain(value) for name, value in judgement.signals.items()},
    }


def _rule(outcome: RuleOutcome) -> RuleLine:
    words = {True: "true", False: "false", None: "unknown"}
    conditions = [
        ConditionLine(
            name=truth.name,
            sql=truth.sql,
            truth=words[truth.value],
            reads={name: _plain(value) for name, value in truth.reads.items()},
        )
        for truth in outcome.truths
    ]
    return RuleLine(
        rule=outcome.rule.id, title=outcome.rule.title, fires=outcome.fired, conditions=conditions
    )


def _notes(row: EventRow, judgement: Judgement, alerts: Sequence[ExplainedAlert]) -> Iterator[str]:
    """Why nobody was told, and where today's facts say something else than those of then."""
    if row.type in OF_PEOPLE:
        yield (
            "a fact about one of our own people: nothing is judged by it; `alerting people "
            "list` shows what holds"
        )
        return
    yield from _why_nobody(row.excluded, alerts)
    yield from _changed_since(judgement, alerts)
    if row.clamped:
        yield "its time lay ahead of ours; it counts from when it was received"


def _standing(alerts: Sequence[ExplainedAlert]) -> list[ExplainedAlert]:
    return [a for a in alerts if a["state"] != "withdrawn" and a["superseded_at"] is None]


def _why_nobody(excluded: str | None, alerts: Sequence[ExplainedAlert]) -> Iterator[str]:
    """Why nobody was told; nothing where somebody was."""
    standing = _standing(alerts)
    if excluded:
        yield f"nobody was told: {REASONS.get(excluded, excluded)}"
    elif not alerts:
        yield "nobody was told: no rule had all its conditions true"
    elif standing and all(alert["suppressed"] for alert in alerts):
        quiet = sorted({alert["suppressed"] for alert in standing if alert["suppressed"]})
        yield f"nobody was told: {'; '.join(REASONS.get(reason, reason) for reason in quiet)}"


def _changed_since(judgement: Judgement, alerts: Sequence[ExplainedAlert]) -> Iterator[str]:
    """Where what is known today says something else than what was known then."""
    stored = {alert["rule"] for alert in _standing(alerts)}
    today = {outcome.rule.id for outcome in judgement.alerts}
    for alert in alerts:
        if alert["state"] != "raised":
            yield (
                f"facts that arrived later: {alert['rule']} was {alert['state']} at "
                f"{alert['raised_at']}"
            )
    if not judgement.outcomes:
        yield f"no rule is on {judgement.event.type}"
    for rule in sorted(today - stored):
        yield f"with what is known today, {rule} would fire; the facts it needs arrived later"
    for rule in sorted(stored - today):
        yield f"with what is known today, {rule} would not fire; its facts were corrected later"


def _alert(tx: Transaction, ctx: Context, row: AlertRow) -> ExplainedAlert:
    found = ExplainedAlert(
        number=row.id,
        rule=row.rule,
        severity=row.severity,
        raised_at=row.raised_at.isoformat(),
        state=row.state,
        revision=row.revision,
        superseded_at=row.superseded_at.isoformat() if row.superseded_at else None,
        suppressed=row.suppressed,
        case=f"C-{row.case_id}" if row.case_id else None,
        stages=Stages(
            passed=passed(ALERT_STAGES, row.suppressed),
            stopped_at=row.suppressed,
            reason=REASONS.get(row.suppressed or ""),
        ),
        because=row.because,
        people=[],
        mails=[],
        timers=[],
    )
    if row.case_id is not None:
        staff = staff_facts.staff_at(tx, row.raised_at)
        found["people"] = _people(tx, row.id, row.case_id, staff)
        found["mails"] = _mails(tx, ctx, row.id, row.case_id, staff)
        found["timers"] = [_timer(timer) for timer in timers.timers_of_case(tx, row.case_id)]
    return found


def _people(tx: Transaction, alert: int, case_id: int, staff: Staff) -> list[ExplainedPerson]:
    """Each role of the rule: who filled it, and the steps that led there, from the audit."""
    for entry in audit_entries.entries_of(tx, "case", str(case_id), personal_values=False):
        if entry.facts.get("alert") == alert and "people" in entry.facts:
            return [
                ExplainedPerson(
                    role=p.text("role"),
                    party=p.text("party"),
                    name=_name(staff, p.text("party")),
                    why=p.texts("why"),
                )
                for p in entry.facts.objects("people")
            ]
    return []


def _mails(
    tx: Transaction, ctx: Context, alert: int, case_id: int, staff: Staff
) -> list[dict[str, object]]:
    attempts = notifications.deliveries_of_case(tx, case_id)
    return [
        {
            "to": note.recipient,
            "name": _name(staff, note.recipient),
            "template": note.template,
            "status": note.status,
            "reason": note.reason,
            "stages": _stages(tx, ctx, note, case_id),
            "attempts": [_attempt(a) for a in attempts if a.notification_id == note.id],
        }
        for note in notifications.of_case(tx, case_id)
        if (note.cause_kind, note.cause_id) == ("alert", alert)
    ]


def _attempt(row: DeliveryOfCase) -> dict[str, object]:
    return {
        "at": _plain(row.ended_at or row.started_at),
        "outcome": row.outcome,
        "address": row.address,
        "detail": row.detail,
    }


def _stages(tx: Transaction, ctx: Context, note: NotificationRow, case_id: int) -> Stages:
    """Of a mail that waits, asked now; of one that was not sent, as it was written down then."""
    stopped, reason = None, None
    if note.status == "pending":
        rulebook = ctx.shelf.active(tx)
        found = why_not(tx, rulebook, note, case_view(tx, rulebook, case_id))
        if found is not None:
            stopped, reason = found.stage, found.reason
    if note.status == "skipped":
        stopped, reason = _stage_noted(tx, note, case_id), note.reason
    return Stages(passed=passed(MAIL_STAGES, stopped), stopped_at=stopped, reason=reason)


def _stage_noted(tx: Transaction, note: NotificationRow, case_id: int) -> str | None:
    """The stage that kept a mail from being sent, from the audit."""
    entries = audit_entries.entries_of(tx, "case", str(case_id), personal_values=False)
    mine = [one for one in entries if one.cause == f"notification:{note.id}"]
    return next((stage for one in mine if (stage := one.facts.text_or_none("stage"))), None)


def _timer(row: TimerRow) -> dict[str, object]:
    state = "waiting"
    if row.fired_at or row.cancelled_at:
        state = "fired" if row.fired_at else "cancelled"
    notify = row.data.get("notify")
    return {
        "kind": row.kind,
        "key": row.key,
        "due_at": _plain(row.due_at),
        "state": state,
        "at": _plain(row.fired_at or row.cancelled_at),
        "notify": notify,
    }


def _name(staff: Staff, party: str) -> str:
    found = staff.get(party)
    return found.name if found else party


def _plain(value: object) -> object:
    """Fit for JSON: instants and dates as ISO 8601, fractions as they are written."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
