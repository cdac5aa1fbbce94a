"""Open cases whose policy says that they move with it are promised what it says, once another
rulebook is active.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from alerting.database.cases import cases
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.rulebook import rulebooks
from alerting.domain.audit.entries import Action, Machine
from alerting.domain.cases.cases import AuditLine, Case, Decision, current_clocks
from alerting.domain.cases.clocks import Clock, Starts, start_clock, timers_of
from alerting.domain.cases.sla import Policy
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.load_clocks import clocks_of
from alerting.services.context import Context


def move_open_cases(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """After an activation, once: returns how many cases are promised something else than before."""
    with ctx.db.read() as tx:
        activation = rulebooks.to_move(tx)
        if activation is None:
            return 0
        rulebook = ctx.shelf.active(tx)
        moving = [policy.id for policy in rulebook.policies.values() if policy.moves_open_cases]
        found = cases.running_otherwise(tx, moving, rulebook.hash) if moving else []
    moved = 0
    for case_id, key in found:
        beat()
        moved += ctx.db.retrying(partial(_move, ctx, case_id, key))
    with ctx.db.write() as tx:
        rulebooks.note_moved(tx, activation, tx.now())
    return moved


def _move(ctx: Context, case_id: int, key: str) -> bool:
    with ctx.db.write() as tx:
        customers.lock_customers(tx, [key])
        case, now, rulebook = cases.case_by_id(tx, case_id), tx.now(), ctx.shelf.active(tx)
        if case is None:
            return False
        decision = _moved(tx, ctx, rulebook, case, now)
        if decision is not None:
            apply_decision(tx, ctx, decision, Machine.FOLLOW_UP, Cause(kind="response"), now)
        return decision is not None


def _moved(
    tx: Transaction, ctx: Context, rulebook: Rulebook, case: Case, now: datetime
) -> Decision | None:
    staff = staff_facts.staff_at(tx, now)
    history = customers.histories(tx, [case.customer_key])[case.customer_key]
    changed: list[tuple[Clock, Clock]] = []
    for clock in current_clocks(case, clocks_of(tx, ctx, case.id)).values():
        policy = rulebook.policies.get(clock.policy)
        if policy is None or not policy.moves_open_cases:
            continue
        customer = history.as_of(
            clock.started_at
        )  # the contract of then counts, whatever the rulebook
        promised = rulebook.promised(
            policy.id, customer, staff.get(case.caller), staff.get(case.fixer)
        )
        new = replan(clock, promised, now)
        if new is not None:
            changed.append((clock, new))
    if not changed:
        return None
    facts = {
        "rulebook": rulebook.hash,
        "clocks": {
            new.key: {"was": old.due_at.isoformat(), "due": new.due_at.isoformat()}
            for old, new in changed
        },
    }
    return Decision(
        case=case,
        clocks=tuple(clock for old, new in changed for clock in (old.supersede(now), new)),
        timers=tuple(timer for _, new in changed for timer in timers_of(new, new.runs_by, now)),
        cancelled=tuple(old.key for old, _ in changed),
        audit=(AuditLine(action=Action.CASE_PROMISES_MOVED, happened_at=now, facts=facts),),
    )


def replan(clock: Clock, policy: Policy, now: datetime) -> Clock | None:
    """The clock as the policy promises by now, from the same start and with the same pauses; None
    where it stays.

    What is missed stays missed, what stands still stays as it is, and nothing is made late after
    the fact: a promise that would have ended by now stays as it was.
    """
    target = policy.targets.get(clock.kind)
    if target is None or not clock.running or clock.paused_at is not None or clock.due_at <= now:
        return None
    starts = Starts(
        customer_sent=clock.started_at, received=clock.started_at, case_opened=clock.started_at
    )
    new = replace(
        start_clock(clock.kind, policy, starts, clock.cycle, clock.plan + 1), pauses=clock.pauses
    )
    new = replace(new, due_at=new.due()) if new.pauses else new
    return None if new.due_at <= now or _promises(new) == _promises(clock) else new


def _promises(clock: Clock) -> tuple[Any, ...]:
    target = clock.runs_by
    return clock.due_at, target.steps, target.pauses, target.stale_after
