"""Follow-up: timers fall due, and what they were set for happens. Once, never early, late by at
most one tick.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from alerting.database.audit import audit_entries
from alerting.database.cases import case_clocks, timers
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.rows.cases import TimerRow
from alerting.domain.audit.entries import Action, Entry, Machine, about_case
from alerting.domain.cases.case_responses import STALE, stale_timer, take_back
from alerting.domain.cases.cases import Case, Ended, Status, current_clocks
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.escalations import Reached, reach
from alerting.domain.cases.resolutions import CHECK, REVIEW
from alerting.domain.cases.sla import ClockKind
from alerting.domain.cases.waits import WAIT_END
from alerting.domain.errors import Temporary
from alerting.domain.fields import Fields
from alerting.domain.mail.notifications import NewNotification
from alerting.services.cases.aftercare import ask_the_customer, ask_whether_it_worked
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.end_wait import ITS_DAY, go_on
from alerting.services.cases.load_case import clocks_of
from alerting.services.cases.timer_batch import Firing
from alerting.services.context import Context

log = logging.getLogger(__name__)

TOGETHER = 100
"""Customers whose timers fire in one transaction. Their locks are held for some tens of
milliseconds.
"""


def fire_due(ctx: Context, tick: timedelta, beat: Callable[[], None] = lambda: None) -> int:
    """Fire every timer that is due; returns how many. A customer somebody else is working on waits
    one tick, no more.

    `beat` is called before each transaction: a sign of life while much is caught up.
    """
    fired, failed = 0, set[str]()
    while True:
        with ctx.db.read() as tx:
            now = tx.now()
            due = timers.due_timers(tx, now, failed)
        oldest: dict[str, datetime] = {}
        for row in due:
            oldest.setdefault(row.customer_key, row.due_at)
        waits = [(key, now - since > tick) for key, since in oldest.items()]
        round_fired, known_failures = 0, len(failed)
        for begin in range(0, len(waits), TOGETHER):
            round_fired += _fire_some(ctx, dict(waits[begin : begin + TOGETHER]), failed, beat)
        fired += round_fired
        if round_fired == 0 and len(failed) == known_failures:
            return fired


def _fire_some(
    ctx: Context, waits: Mapping[str, bool], failed: set[str], beat: Callable[[], None]
) -> int:
    """All of these customers together but for those somebody else is working on; each alone where
    one of them fails.

    `waits` says who has waited a tick already: for those we wait. One customer's timers must not
    keep all others waiting: those that fail alone stay due, are counted as overdue, and are added
    to `failed`.
    """
    beat()
    try:
        fired, done = ctx.db.retrying(partial(_fire_customers, ctx, list(waits), wait=False))
        alone = [key for key, late in waits.items() if late and key not in done]
    except Temporary:
        raise
    except Exception:
        fired, alone = 0, list(waits)
    for key in alone:
        beat()
        try:
            fired += ctx.db.retrying(partial(_fire_customers, ctx, [key], wait=waits[key]))[0]
        except Temporary:
            raise
        except Exception:
            failed.add(key)
            log.exception("timers of one customer failed")
    return fired


def _fire_customers(
    ctx: Context, keys: Sequence[str], *, wait: bool
) -> tuple[int, Collection[str]]:
    """One transaction; returns how many timers fired, and whose turn it was: without `wait` only
    those nobody else locks.
    """
    with ctx.db.write() as tx:
        locked = customers.lock_known(tx, keys, wait=wait)
        now = tx.now()
        due = timers.still_due(tx, locked, now)
        if due:
            firing = Firing(tx, ctx, due, now)
            for row in due:
                firing.fired(row.id, _fire(firing, row))
            firing.settle()
        return len(due), set(locked)


def _fire(firing: Firing, row: TimerRow) -> str:
    """What one timer does; returns a named outcome, which is kept with it."""
    case, clocks = firing.case(row.subject)
    if row.kind in _OF_THE_CASE:
        firing.settle()
        outcome = _OF_THE_CASE[row.kind](firing.tx, firing.ctx, case, row, firing.now)
        firing.changed(row.subject)
        return outcome
    clock = current_clocks(case, clocks).get(ClockKind(Fields(row.data).text("clock")))
    if clock is None or clock.plan != row.data["plan"] or not row.key.startswith(f"{case.cycle}."):
        return "superseded"
    if not clock.running:
        return "clock stopped"
    if row.kind == "missed":
        return _miss(firing, case, clock, row)
    if row.n > 1 and case.status is not Status.OPEN:
        return "somebody has taken the case"
    if case.status is Status.OPEN and firing.is_repeated(row):
        return "the next reminder is due already"
    return _step(firing, case, row)


def _stale(tx: Transaction, ctx: Context, case: Case, row: TimerRow, now: datetime) -> str:
    """An acknowledgement that nothing has followed is taken back; one that something followed is
    looked at again later.
    """
    clocks = clocks_of(tx, ctx, case.id)
    clock = current_clocks(case, clocks).get(ClockKind.ACKNOWLEDGE)
    if case.status is not Status.ACKNOWLEDGED or case.caller != row.data["by"]:
        return "the acknowledgement is over"
    if clock is None or clock.plan != row.data["plan"] or not row.key.startswith(f"{case.cycle}."):
        return "superseded"
    if case.waiting_since is not None:
        timers.set_timers(tx, case.id, case.customer_key, stale_timer(case, clock, now, row.n + 1))
        return "the case waits"
    done = audit_entries.last_done(
        tx, "case", str(case.id), (Action.CONTACT_ATTEMPTED, Action.CASE_NOTED, Action.CASE_RESUMED)
    )
    again = stale_timer(case, clock, done, row.n + 1) if done is not None else []
    if again and again[0].due_at > now:
        timers.set_timers(tx, case.id, case.customer_key, again)
        return "something has followed"
    apply_decision(
        tx,
        ctx,
        take_back(case, clocks, now),
        Machine.FOLLOW_UP,
        Cause(kind="timer", id=row.id),
        now,
    )
    return "taken back"


def _wait_end(tx: Transaction, ctx: Context, case: Case, row: TimerRow, now: datetime) -> str:
    if case.waiting_until is None:
        return "nobody waits any more"
    ended = Ended(at=case.waiting_until, because=ITS_DAY)
    go_on(tx, ctx, case, ended, Cause(kind="timer", id=row.id), now)
    return "the wait ended"


_OF_THE_CASE: dict[str, Callable[[Transaction, Context, Case, TimerRow, datetime], str]] = {
    WAIT_END: _wait_end,
    STALE: _stale,
    REVIEW: ask_whether_it_worked,
    CHECK: ask_the_customer,
}
"""Timers that belong to no clock."""


def _miss(firing: Firing, case: Case, clock: Clock, row: TimerRow) -> str:
    case_clocks.save_clock(
        firing.tx, case, case.id, replace(clock, missed_at=clock.due_at), "missed", firing.now
    )
    firing.changed(case.id)
    owed_by = case.caller if clock.by == "caller" else case.fixer
    entry = Entry(
        actor=Machine.FOLLOW_UP,
        action=Action.CLOCK_MISSED,
        subject=about_case(case.id),
        happened_at=clock.due_at,
        cause=f"timer:{row.id}",
        facts={"clock": clock.key, "owed_by": owed_by},
    )
    firing.record(entry)
    return "missed"


def _step(firing: Firing, case: Case, row: TimerRow) -> str:
    customer = firing.customer(case.customer_key)
    reached: dict[str, Reached] = {}
    for word in Fields(row.data).texts("notify"):
        found = reach(word, case, customer, firing.rulebook.routing, firing.staff)
        reached.setdefault(found.party.id, found)
    data = {**row.data, "step": row.key, "n": row.n}
    notes = [
        NewNotification(
            cause_kind="timer",
            cause_id=row.id,
            recipient=r.party.id,
            template=r.template,
            data=data,
        )
        for r in reached.values()
    ]
    firing.tell(case, notes)
    told = [{"party": r.party.id, "template": r.template, "why": r.why} for r in reached.values()]
    entry = Entry(
        actor=Machine.FOLLOW_UP,
        action=Action.STEP_FIRED,
        subject=about_case(case.id),
        happened_at=row.due_at,
        cause=f"timer:{row.id}",
        facts={"step": row.key, "told": told},
    )
    firing.record(entry)
    return "told " + ", ".join(r["party"] for r in told)
