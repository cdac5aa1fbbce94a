"""A case's story in the order in which it happened, in words for its page and for the command
line.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.mail import notifications
from alerting.domain.audit.entries import Action, RecordedEntry
from alerting.domain.cases.contact_proof import AROUND, proof_of
from alerting.domain.fields import Fields
from alerting.domain.routing.staff import Staff
from alerting.domain.templates import Template
from alerting.services.cases.case_view import AlertView, CaseView, role_name

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
        text = _in_words(entry, view.staff)
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


def _name(staff: Staff, party: str | None) -> str:
    found = staff.get(party)
    return found.name if found else str(party)


def _in_words(entry: RecordedEntry, staff: Staff) -> str | None:
    """An audit entry as a sentence; None for those that another line already tells."""
    sentence = _SENTENCES.get(entry.action)
    return sentence(_Facts(facts=entry.facts, staff=staff)) if sentence else None


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """An audit entry that becomes a sentence."""

    facts: Fields
    staff: Staff

    @property
    def by(self) -> str:
        return _name(self.staff, self.facts.text_or_none("by"))

    def name(self, fact: str) -> str:
        """The name of whoever stands in this fact."""
        return _name(self.staff, self.facts.text(fact))


def _opened(e: _Facts) -> str:
    people = ", ".join(
        f"{role_name(p.text('role'))}: {_name(e.staff, p.text('party'))}"
        for p in e.facts.objects("people")
    )
    return f"Case opened by rule {e.facts['rule']} ({people})"


def _contacted(e: _Facts) -> str:
    tried = "tried, but did not reach the customer"
    outcome = "reached the customer" if e.facts["counts"] else tried
    how = e.facts.text("outcome").replace("_", " ")
    return f"{e.by} {outcome} ({e.facts['channel']}, {how})" + _clock_words(e.facts)


_WAITED = {"customer": "the customer", "third_party": "a third party"}


def _named(facts: Fields) -> str:
    """`(wrong invoice; credit note; CA-2026-014)`, as far as they were given."""
    given = [
        facts.text(name)
        for name in ("root_cause", "action", "corrective_action")
        if facts.get(name)
    ]
    return f" ({'; '.join(name.replace('_', ' ') for name in given)})" if given else ""


def _ended(by: str, staff: Staff) -> str:
    words = {
        "the customer": "the customer has acted",
        "its day": "its day has come",
        "a further alert": "another alert joined",
    }
    return words.get(by) or f"{_name(staff, by)} went on"


def _correction(facts: Fields) -> str:
    what = "the call" if facts["what"] == "contact" else "the cause was removed"
    return (
        f"{what} at {facts.text('becomes')[:16].replace('T', ' ')}Z, not "
        f"{facts.text('was')[:16].replace('T', ' ')}Z"
    )


def _owner_words(facts: Fields, staff: Staff) -> str:
    if "to" in facts:
        return (
            "The customer has another owner: the call went from "
            f"{_name(staff, facts.text('from'))} "
            f"to {_name(staff, facts.text('to'))}"
        )
    owner, caller = _name(staff, facts.text("owner")), _name(staff, facts.text("kept_by"))
    return f"The customer has another owner, {owner}; the call stays with {caller}: {facts['why']}"


def _clock_words(facts: Fields) -> str:
    results = facts.object("clocks")
    words = [
        f"{key.split('.')[1]} {'in time' if result == 'met' else 'too late'}"
        for key, result in results.items()
    ]
    return f" - {', '.join(words)}" if words else ""


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
                text=f"{_name(staff, row.recipient)} was {what}{said.get(row.outcome or '', '')}",
                detail=(row.detail or "") if row.outcome == "deferred" else "",
            )
        )
    return found


_SENTENCES: Mapping[str, Callable[[_Facts], str]] = {
    Action.CASE_OPENED: _opened,
    Action.CONTACT_MADE: _contacted,
    Action.CONTACT_ATTEMPTED: _contacted,
    Action.CASE_JOINED: lambda e: f"Another alert joined: rule {e.facts['rule']}",
    Action.CASE_CALLER_CHANGED: lambda e: f"{e.name('to')} became the caller: {e.facts['why']}",
    Action.CASE_REOPENED: lambda e: (
        f"The customer complained again after the call: cycle {e.facts['cycle']} began"
    ),
    Action.CASE_FORGOTTEN: lambda e: "The customer was forgotten: the case is over",
    Action.CASE_ACKNOWLEDGED: lambda e: f"{e.by} will call" + _clock_words(e.facts),
    Action.CASE_TAKEN_OVER: lambda e: f"{e.name('to')} took over from {e.name('from')}",
    Action.CASE_HANDED_OVER: lambda e: f"{e.by} handed over to {e.name('to')}",
    Action.CASE_OWNER_CHANGED: lambda e: _owner_words(e.facts, e.staff),
    Action.CAUSE_REMOVED: lambda e: (
        f"{e.by} removed the cause" + _named(e.facts) + _clock_words(e.facts)
    ),
    Action.CASE_FIXER_CHANGED: lambda e: f"{e.name('to')} fixes the cause from now on, said {e.by}",
    Action.CASE_WAITING: lambda e: (
        f"Waits for {_WAITED[e.facts.text('for')]}, said {e.by}" + _clock_words(e.facts)
    ),
    Action.CASE_RESUMED: lambda e: f"The wait is over: {_ended(e.facts.text('by'), e.staff)}",
    Action.CASE_NOTED: lambda e: f"{e.by} noted",
    Action.CASE_REVIEWED: lambda e: (
        f"{e.by}: what was done {'has' if e.facts['effective'] else 'has not'} worked"
    ),
    Action.CASE_CONFIRMED: lambda e: (
        "The customer is content with what was done"
        + ("" if e.facts["score"] is None else f" ({e.facts['score']})")
    ),
    Action.CASE_ACKNOWLEDGEMENT_STALE: lambda e: (
        f"{e.by} had said to call, and nothing followed: it is open again"
    ),
    Action.CASE_PROMISES_MOVED: lambda e: "The policy was edited; this case moves with it",
    Action.CHECK_SURVEY_SENT: lambda e: "The customer was asked whether it is well now",
    Action.CHECK_SURVEY_IMPOSSIBLE: lambda e: (
        f"The customer could not be asked: {e.facts['reason']}"
    ),
    Action.CHECK_SURVEY_NEGATIVE: lambda e: "The customer says that it is not well yet",
    Action.REVIEW_ASKED: lambda e: f"{e.name('asked')} was asked whether it worked",
    Action.CORRECTION_PROPOSED: lambda e: f"{e.by} proposed a correction: {_correction(e.facts)}",
    Action.CORRECTION_APPROVED: lambda e: (
        f"{e.by} approved the correction: {_correction(e.facts)}" + _clock_words(e.facts)
    ),
    Action.CORRECTION_DECLINED: lambda e: f"{e.by} declined the correction: {_correction(e.facts)}",
    Action.CASE_RESOLVED: lambda e: "Case resolved",
    Action.CLOCK_MISSED: lambda e: (
        f"Missed: {e.facts.text('clock').split('.')[1]} was due from {e.name('owed_by')}"
    ),
    Action.NOTIFICATION_REFUSED: lambda e: (
        f"Mail to {e.name('refused')} was refused"
        + (f"; it goes to {e.name('to')}" if e.facts["to"] else "")
    ),
    Action.NO_NOTIFICATION_SENT: lambda e: f"No mail to {e.name('recipient')}: {e.facts['reason']}",
    Action.NOTIFICATION_BATCHED: lambda e: (
        f"Mail to {e.name('recipient')} waits for the next digest"
    ),
    Action.NOTIFICATION_HELD: lambda e: (
        f"Mail to {e.name('recipient')} waits for the end of the quiet hours"
    ),
    Action.TEMPLATE_FAILED: lambda e: (
        f"The template {e.facts['template']} failed; a plain mail was sent instead"
    ),
}
