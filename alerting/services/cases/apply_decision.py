"""Writes what the domain decided: the change, its audit entries and its outgoing messages commit
together.
"""

from dataclasses import dataclass
from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.cases import case_clocks, case_records, cases, timers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.domain.audit.entries import Entry, about_case
from alerting.domain.cases.cases import AuditLine, Case, Decision, Opening
from alerting.domain.cases.clocks import Clock
from alerting.domain.mail.notifications import CauseKind, NewNotification
from alerting.services.context import Context


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Because of what: an alert, a timer, a failed delivery; or this very response, whose number is
    its audit entry.
    """

    kind: CauseKind
    id: int | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}" if self.id is not None else self.kind


def apply_decision(
    tx: Transaction,
    ctx: Context,
    decision: Decision | Opening,
    actor: str,
    cause: Cause,
    now: datetime,
) -> int:
    """Store a decision about one case, under its customer's lock; returns the case's number."""
    if isinstance(decision, Opening):
        opened = decision.stored(cases.add_case(tx, decision.case))
        _keep_clocks(tx, opened, {}, now)
        return _follow(tx, ctx, opened, actor, cause, now)
    _change(tx, decision, now)
    return _follow(tx, ctx, decision, actor, cause, now)


def _change(tx: Transaction, decision: Decision, now: datetime) -> None:
    """What the case, its clocks, waits and timers were before, and are no longer."""
    case = decision.case
    cases.save_case(tx, case)
    known = case_clocks.clocks_of(tx, [case.id])[case.id] if decision.clocks else []
    _keep_clocks(tx, decision, {clock.key: clock for clock in known}, now)
    if decision.ended is not None:
        case_records.end_wait(tx, case.id, decision.ended)
    if decision.wait is not None:
        case_records.add_wait(tx, case.id, case.cycle, decision.wait, now)
    case_clocks.reassign_clocks(tx, case.id, case)
    for plan in decision.cancelled:
        timers.cancel_plan(tx, case.id, plan, decision.audit[0].action, now)


def _keep_clocks(
    tx: Transaction, decision: Decision, known: dict[str, Clock], now: datetime
) -> None:
    """The clocks that changed, and what happened to each in its ledger."""
    for clock in decision.clocks:
        what = _what(clock, known.get(clock.key))
        case_clocks.save_clock(tx, decision.case, decision.case.id, clock, what, now)
        known[clock.key] = clock


def _follow(
    tx: Transaction, ctx: Context, decision: Decision, actor: str, cause: Cause, now: datetime
) -> int:
    """The timers, audit entries and notifications a decision asks for; returns the case's
    number.
    """
    case = decision.case
    timers.set_timers(tx, case.id, case.customer_key, decision.timers)
    entries = [_entry(case, line, actor, cause) for line in decision.audit]
    numbers = audit_entries.write_all(tx, entries, now)
    notes = [
        NewNotification(
            cause_kind=cause.kind,
            cause_id=cause.id if cause.id is not None else numbers[0],
            recipient=told.recipient,
            template=told.template,
            data=told.data,
        )
        for told in decision.tell
    ]
    notifications.add(tx, case.id, case.customer_key, notes, ctx.mail_domain, now)
    return case.id


def _entry(case: Case, line: AuditLine, actor: str, cause: Cause) -> Entry:
    return Entry(
        actor=actor,
        action=line.action,
        subject=about_case(case.id),
        happened_at=line.happened_at,
        cause=str(cause),
        customer_key=case.customer_key,
        facts=line.facts,
        personal=line.personal,
    )


def _what(clock: Clock, before: Clock | None) -> str:
    """What the ledger says of a clock that is another than `before`."""
    if clock.superseded_at is not None:
        return "superseded"
    if clock.stopped_at is not None:
        return "stopped" if before is None or before.stopped_at is None else "corrected"
    if clock.paused_at is not None:
        return "paused"
    return "resumed" if before is not None and before.paused_at is not None else "started"
