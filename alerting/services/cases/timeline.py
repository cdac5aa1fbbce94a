"""A case's story in the order in which it happened, in words for its page and for the command
line.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.mail import notifications
from alerting.domain.audit.entries import Action, RecordedEntry
from alerting.domain.cases.case_words import name_of, sentence_of
from alerting.domain.cases.contact_proof import AROUND, proof_of
from alerting.domain.fields import Fields
from alerting.domain.routing.staff import Staff
from alerting.domain.templates import Template
from alerting.services.cases.case_view import AlertView, CaseView

_MAILS: Mapping[str, str] = {
    Template.CALL: "asked to call",
    Template.FIX: "asked to fix the cause",
    Template.INFORMED: "informed",
    Template.HANDLED: "told that it is handled",
    Template.REMINDER: "reminded",
    Template.STAND_IN: "asked to stand in",
    Template.OVERDUE: "told that it is overdue",
    Template.UNDELIVERED: "told that a mail was refused",
    Template.WITHDRAWN: "told that it is no longer needed",
    Template.WAITING: "told that a clock stands still",
    Template.RESUMED: "told that the wait is over",
    Template.STALE: "asked to call after all",
    Template.REVIEW: "asked whether it worked",
    Template.CORRECTION: "asked to approve a correction",
}


@dataclass(frozen=True, kw_only=True)
class StoryLine:
    """One line of the story. `recorded_at` differs from `at` where something was written down
    later; `proof` is what shows that a contact took place.
    """

    at: datetime
    recorded_at: datetime
    kind: str
    text: str
    detail: str = ""
    proof: str = ""


def timeline(tx: Transaction, view: CaseView) -> list[StoryLine]:
    """What happened, oldest first: the customer's events, decisions, mails, attempts."""
    case_id = view.case.id
    moments = [_said(alert) for alert in view.alerts]
    for entry in audit_entries.entries_of(tx, "case", str(case_id)):
        text = sentence_of(entry, view.staff)
        if text is not None:
            detail = "; ".join(entry.personal_values.values())
            moments.append(
                StoryLine(
                    at=entry.happened_at,
                    recorded_at=entry.recorded_at,
                    kind=entry.action.split(".")[0],
                    text=text,
                    detail=detail,
                    proof=_proof(tx, view, entry),
                )
            )
    moments += _deliveries(tx, case_id, view.staff)
    return sorted(moments, key=lambda m: (m.at, m.recorded_at))


def _proof(tx: Transaction, view: CaseView, entry: RecordedEntry) -> str:
    if entry.action != Action.CONTACT_MADE:
        return ""
    at = entry.happened_at
    logged = events.outbound_between(tx, view.case.customer_key, at - AROUND, at + AROUND)
    since = min(alert.time for alert in view.alerts)
    return proof_of(entry.facts.text("channel"), at, entry.recorded_at, logged, since).words


def _said(alert: AlertView) -> StoryLine:
    payload = Fields(alert.payload)
    if alert.event_type == "survey.answered":
        metric = (payload.text_or_none("metric") or "").upper()
        score = "" if payload.get("score") is None else f" ({metric} {payload['score']})"
        return StoryLine(
            at=alert.time,
            recorded_at=alert.time,
            kind="customer",
            text=f"The customer answered a survey{score}",
            detail=payload.text_or_none("comment") or "",
        )
    if alert.event_type == "silence":
        text = f"Silence: no {payload['of']} for {payload['days']} days"
        return StoryLine(at=alert.time, recorded_at=alert.time, kind="customer", text=text)
    if alert.event_type == "segment.changed":
        tags = ", ".join(
            [f"+{tag}" for tag in payload.texts("tags_added")]
            + [f"-{tag}" for tag in payload.texts("tags_removed")]
        )
        text = (
            f"The customer moved: {payload['from_segment'] or 'unknown'} to {payload['to_segment']}"
        )
        text = (
            text
            if payload["from_segment"] != payload["to_segment"]
            else "The customer's tags changed"
        )
        return StoryLine(
            at=alert.time, recorded_at=alert.time, kind="customer", text=text, detail=tags
        )
    what = payload.get("channel") or "interaction"
    outcome = f", {payload['outcome']}" if payload.get("outcome") else ""
    return StoryLine(
        at=alert.time,
        recorded_at=alert.time,
        kind="customer",
        text=f"The customer was in touch: {what}{outcome}",
        detail=payload.text_or_none("text") or "",
    )


def _deliveries(tx: Transaction, case_id: int, staff: Staff) -> list[StoryLine]:
    found = []
    for row in notifications.deliveries_of_case(tx, case_id):
        if row.outcome in {None, "refused"}:
            continue
        what = _MAILS.get(row.template, f"sent {row.template}")
        said = {
            "sent": "",
            "deferred": " - not yet: the mail server asked to wait",
            "unknown": " - outcome unknown, sent again",
        }
        moment = row.ended_at or row.started_at
        found.append(
            StoryLine(
                at=moment,
                recorded_at=moment,
                kind="mail",
                text=f"{name_of(staff, row.recipient)} was {what}{said.get(row.outcome or '', '')}",
                detail=(row.detail or "") if row.outcome == "deferred" else "",
            )
        )
    return found
