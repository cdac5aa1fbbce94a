"""Open cases whose policy says that they move with it are promised what it says, once another
rulebook is active.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from alerting.database.cases import case_clocks, cases
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.rulebook import rulebooks
from alerting.domain.audit.entries import Machine
from alerting.domain.cases.cases import Case, current_clocks
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.replan import replan_promises
from alerting.domain.cases.sla import Policy
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.load_case import clocks_of
from alerting.services.context import Context


def move_open_cases(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """After an activation, once: returns how many cases are promised something else than before."""
    with ctx.db.read() as tx:
        activation = rulebooks.to_move(tx)
        if activation is None:
            return 0
        rulebook = ctx.shelf.active(tx)
        moving = [policy.id for policy in rulebook.policies.values() if policy.moves_open_cases]
        found = case_clocks.running_otherwise(tx, moving, rulebook.hash) if moving else []
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
        promised = _promised(tx, ctx, rulebook, case, now)
        decision = replan_promises(case, promised, rulebook.hash, now)
        if decision is not None:
            apply_decision(tx, ctx, decision, Machine.FOLLOW_UP, Cause(kind="response"), now)
        return decision is not None


def _promised(
    tx: Transaction, ctx: Context, rulebook: Rulebook, case: Case, now: datetime
) -> dict[str, tuple[Clock, Policy]]:
    """The clocks of policies that move open cases, each with what its policy promises by now. The
    contract of its start counts, whatever the rulebook.
    """
    staff = staff_facts.staff_at(tx, now)
    people = staff.get(case.caller), staff.get(case.fixer)
    history = customers.histories(tx, [case.customer_key])[case.customer_key]
    found = {}
    for clock in current_clocks(case, clocks_of(tx, ctx, case.id)).values():
        policy = rulebook.policies.get(clock.policy)
        if policy is not None and policy.moves_open_cases:
            customer = history.as_of(clock.started_at)
            found[clock.key] = clock, rulebook.promised(policy.id, customer, *people)
    return found
