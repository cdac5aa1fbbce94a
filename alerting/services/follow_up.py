"""Follow-up: timers fall due, and what they were set for happens. Once, never early, late by at most one tick."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from alerting.database import audit, cases, customers, notifications, staffing, timers
from alerting.database.engine import Transaction
from alerting.domain.cases import Case, Status, current_clocks
from alerting.domain.errors import Temporary
from alerting.domain.escalations import Reached, reach
from alerting.domain.notifications import NewNotification
from alerting.domain.rulebook import Rulebook
from alerting.domain.sla import Clock, ClockKind
from alerting.services.context import Context

log = logging.getLogger(__name__)


def fire_due(ctx: Context, tick: timedelta, beat: Callable[[], None] = lambda: None) -> int:
    """Fire every timer that is due; returns how many. A customer somebody else is working on waits one tick, no more.

    `beat` is called before each customer: a sign of life while much is caught up.
    """
    fired, failed = 0, set[str]()
    while True:
        with ctx.db.read() as tx:
            now = tx.now()
            due = timers.due_timers(tx, now, failed)
        oldest: dict[str, datetime] = {}
        for row in due:
            oldest.setdefault(row.customer_key, row.due_at)
        round_fired, known_failures = 0, len(failed)
        for key, since in oldest.items():
            beat()
            try:
                round_fired += ctx.db.retrying(partial(_fire_customer, ctx, key, wait=now - since > tick))
            except Temporary:
                raise
            except Exception:
                # One customer's timers must not keep all others waiting; these stay due, and are counted as overdue.
                failed.add(key)
                log.exception("timers of one customer failed")
        fired += round_fired
        if round_fired == 0 and len(failed) == known_failures:
            return fired


def _fire_customer(ctx: Context, key: str, *, wait: bool) -> int:
    with ctx.db.write() as tx:
        if not customers.lock_customer(tx, key, wait=wait):
            return 0
        rulebook, now = ctx.shelf.active(tx), tx.now()
        due = timers.still_due(tx, key, now)
        for row in due:
            outcome = _fire(tx, ctx, rulebook, row, now)
            timers.mark_fired(tx, row.id, outcome, now)
        return len(due)


def _fire(tx: Transaction, ctx: Context, rulebook: Rulebook, row: Any, now: datetime) -> str:
    """What one timer does; returns a named outcome, which is kept with it."""
    case = cases.case_by_id(tx, row.subject)
    assert case is not None and case.id is not None, "a timer's case is never deleted"
    clock = current_clocks(case, cases.clocks_of(tx, [case.id])[case.id]).get(ClockKind(row.data["clock"]))
    if clock is None or clock.plan != row.data["plan"] or not row.key.startswith(f"{case.cycle}."):
        return "superseded"
    if not clock.running:
        return "clock stopped"
    if row.kind == "missed":
        return _miss(tx, case, clock, row, now)
    if row.n > 1 and case.status is not Status.OPEN:
        return "somebody has taken the case"
    return _step(tx, ctx, rulebook, case, row, now)


def _miss(tx: Transaction, case: Case, clock: Clock, row: Any, now: datetime) -> str:
    assert case.id is not None
    cases.save_clock(tx, case, case.id, replace(clock, missed_at=clock.due_at), "missed", now)
    owed_by = case.caller if clock.by == "caller" else case.fixer
    entry = audit.Entry(
        actor="follow-up",
        action="clock.missed",
        subject_kind="case",
        subject_id=str(case.id),
        happened_at=clock.due_at,
        cause=f"timer:{row.id}",
        facts={"clock": clock.key, "owed_by": owed_by},
    )
    audit.write(tx, entry, now)
    return "missed"


def _step(tx: Transaction, ctx: Context, rulebook: Rulebook, case: Case, row: Any, now: datetime) -> str:
    assert case.id is not None
    staff = staffing.staff_at(tx, now)
    customer = customers.customer_now(tx, case.customer_key)
    reached: dict[str, Reached] = {}
    for word in row.data["notify"]:
        found = reach(word, case, customer, rulebook.routing, staff)
        reached.setdefault(found.party.id, found)
    notes = [
        NewNotification(cause_kind="timer", cause_id=row.id, recipient=r.party.id, template=r.template, data=row.data)
        for r in reached.values()
    ]
    notifications.add(tx, case.id, case.customer_key, notes, ctx.mail_domain, now)
    told = [{"party": r.party.id, "template": r.template, "why": r.why} for r in reached.values()]
    entry = audit.Entry(
        actor="follow-up",
        action="step.fired",
        subject_kind="case",
        subject_id=str(case.id),
        happened_at=row.due_at,
        cause=f"timer:{row.id}",
        facts={"step": row.key, "told": told},
    )
    audit.write(tx, entry, now)
    return "told " + ", ".join(r["party"] for r in told)
