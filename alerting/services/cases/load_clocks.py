"""What is promised in a case: what its clocks run by (the rulebook, and with it the calendar, that
was active when they were started), and what each of its complaints asks for.
"""

from dataclasses import replace
from datetime import datetime

from alerting.database.alerts import alert_records
from alerting.database.cases import case_records, cases
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.database.rows.rules import ComplaintRow
from alerting.domain.cases.case_alerts import promised_by, strictest
from alerting.domain.cases.cases import Case, Complaint, Decision, Status, clocks_after, followed_by
from alerting.domain.cases.clocks import Clock, Starts
from alerting.domain.cases.sla import Policy, Target
from alerting.domain.errors import RulebookInvalid
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context


def clocks_of(tx: Transaction, ctx: Context, case_id: int) -> list[Clock]:
    """All clocks of a case, each with the target it runs by."""
    active = ctx.shelf.active(tx)
    found = cases.clocks_of(tx, [case_id])[case_id]
    return [replace(clock, target=target_of(tx, ctx, clock, active)) for clock in found]


def target_of(tx: Transaction, ctx: Context, clock: Clock, active: Rulebook) -> Target:
    """Its own length and calendar with the steps of its policy.

    A calendar the clock's rulebook does not have (this version may not read that rulebook any more)
    is taken from the active one, and is elapsed time where that has none either.
    """
    rulebook = read_rulebook(tx, ctx, clock.rulebook) or active
    policy = rulebook.policies.get(clock.policy)
    target = (policy.targets.get(clock.kind) if policy else None) or Target(
        by=clock.by, within=clock.within
    )
    calendar = (
        rulebook.calendars.get(clock.calendar)
        or active.calendars.get(clock.calendar)
        or target.calendar
    )
    return replace(target, by=clock.by, within=clock.within, calendar=calendar)


def read_rulebook(tx: Transaction, ctx: Context, content_hash: str) -> Rulebook | None:
    """A stored rulebook; None where this version cannot read it any more."""
    try:
        return ctx.shelf.get(tx, content_hash) if content_hash else None
    except (RulebookInvalid, LookupError):
        return None


def complaints_of(
    tx: Transaction, ctx: Context, case: Case, clocks: list[Clock]
) -> list[Complaint]:
    """What the customer wrote: alerts, and answers to a check survey that opened the case again.

    Each promises what the rulebook it was judged by says, or the active one where its policy moves
    open cases. Where neither knows the policy, what the case's clocks promise is promised again.
    """
    history = customers.histories(tx, [case.customer_key])[case.customer_key]
    staff, active = staff_facts.staff_at(tx, tx.now()), ctx.shelf.active(tx)

    def policy(row: ComplaintRow) -> Policy:
        judged = read_rulebook(tx, ctx, row.rulebook) or active
        rule = judged.rule(row.rule)
        name = rule.policy if rule else case.policy
        moves = name in active.policies and active.policies[name].moves_open_cases
        by = active if moves or name not in judged.policies else judged
        if name not in by.policies:
            return promised_by(case, clocks)
        return by.promised(
            name, history.as_of(row.time), staff.get(case.caller), staff.get(case.fixer)
        )

    return [
        Complaint(
            id=row.id,
            rule=row.rule,
            severity=row.severity,
            policy=policy(row),
            starts=Starts.of_event(row.time, row.received_at, row.raised_at),
        )
        for row in (*alert_records.alerts_of(tx, case.id), *case_records.check_complaints(tx, case))
    ]


def with_the_strictest(
    tx: Transaction, ctx: Context, decision: Decision, clocks: list[Clock], now: datetime
) -> Decision:
    """Where a wait begins or ends, rules that do not pause for the same may promise more than the
    clock that runs.
    """
    if not (decision.wait or decision.ended) or decision.case.status is Status.RESOLVED:
        return decision
    held = clocks_after(clocks, decision)
    return followed_by(
        decision, strictest(decision.case, held, complaints_of(tx, ctx, decision.case, held), now)
    )
