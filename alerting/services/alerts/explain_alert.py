"""What followed from one alert: its case, who was chosen, mails and timers."""

from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.cases import timers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.cases import TimerRow
from alerting.database.rows.messages import DeliveryOfCase, NotificationRow
from alerting.database.rows.rules import AlertRow
from alerting.domain.alerts.suppression import REASONS
from alerting.domain.alerts.suppression import STAGES as ALERT_STAGES
from alerting.domain.mail.stages import passed
from alerting.domain.mail.why_no_mail import STAGES as MAIL_STAGES
from alerting.domain.routing.staff import Staff
from alerting.services.alerts.explanation import ExplainedAlert, ExplainedPerson, Stages
from alerting.services.cases.case_view import case_view
from alerting.services.context import Context
from alerting.services.mail.withhold import why_not


def explained_alert(tx: Transaction, ctx: Context, row: AlertRow) -> ExplainedAlert:
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
        "at": plain(row.ended_at or row.started_at),
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
        "due_at": plain(row.due_at),
        "state": state,
        "at": plain(row.fired_at or row.cancelled_at),
        "notify": notify,
    }


def _name(staff: Staff, party: str) -> str:
    found = staff.get(party)
    return found.name if found else party


def plain(value: object) -> object:
    """Fit for JSON: instants and dates as ISO 8601, fractions as they are written."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
