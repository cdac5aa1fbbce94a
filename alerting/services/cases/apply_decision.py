"""Writes what the domain decided: the change, its audit entries and its outgoing messages commit
together.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from alerting.database.audit import audit_entries
from alerting.database.cases import case_records, cases, timers
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.domain.cases.cases import Decision
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
    tx: Transaction, ctx: Context, decision: Decision, actor: str, cause: Cause, now: datetime
) -> int:
    """Store a decision about one case, under its customer's lock; returns the case's id."""
    known = _known(tx, decision)
    case_id = cases.save_case(tx, decision.case)
    case = replace(decision.case, id=case_id)
    for clock in decision.clocks:
        cases.save_clock(tx, case, case_id, clock, _what(clock, known.get(clock.key)), now)
        known[clock.key] = clock
    if decision.ended is not None:
        case_records.end_wait(tx, case_id, decision.ended)
    if decision.wait is not None:
        case_records.add_wait(tx, case_id, case.cycle, decision.wait, now)
    if decision.case.id is not None:
        cases.reassign_clocks(tx, case_id, case)
    for plan in decision.cancelled:
        timers.cancel_plan(tx, case_id, plan, decision.audit[0].action, now)
    timers.set_timers(tx, case_id, case.customer_key, decision.timers)
    numbers = [
        audit_entries.write(
            tx,
            audit_entries.Entry(
                actor=actor,
                action=line.action,
                subject_kind="case",
                subject_id=str(case_id),
                happened_at=line.happened_at,
                cause=str(cause),
                customer_key=case.customer_key,
                facts=line.facts,
                personal=line.personal,
            ),
            now,
        )
        for line in decision.audit
    ]
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
    notifications.add(tx, case_id, case.customer_key, notes, ctx.mail_domain, now)
    return case_id


def _known(tx: Transaction, decision: Decision) -> dict[str, Clock]:
    if decision.case.id is None or not decision.clocks:
        return {}
    return {clock.key: clock for clock in cases.clocks_of(tx, [decision.case.id])[decision.case.id]}


def _what(clock: Clock, before: Clock | None) -> str:
    """What the ledger says of a clock that is another than `before`."""
    if clock.superseded_at is not None:
        return "superseded"
    if clock.stopped_at is not None:
        return "stopped" if before is None or before.stopped_at is None else "corrected"
    if clock.paused_at is not None:
        return "paused"
    return "resumed" if before is not None and before.paused_at is not None else "started"
