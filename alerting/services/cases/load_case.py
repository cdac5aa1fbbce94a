"""A case as it stands: what its clocks run by (the rulebook, and with it the calendar, that was
active when they were started), what each of its complaints asks for, and all else that a response
is decided by.
"""

from dataclasses import replace

from alerting.database.alerts import alert_records
from alerting.database.audit import audit_entries
from alerting.database.cases import case_clocks, case_records, cases
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.domain.alerts.complaints import PromiseWords, WrittenWords
from alerting.domain.cases.case_file import CaseFile
from alerting.domain.cases.cases import Case
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.corrections import Call, said_to_call
from alerting.domain.cases.sla import Target
from alerting.domain.errors import ActionRefused, RulebookInvalid
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context


def clocks_of(tx: Transaction, ctx: Context, case_id: int) -> list[Clock]:
    """All clocks of a case, each with the target it runs by."""
    active = ctx.shelf.active(tx)
    found = case_clocks.clocks_of(tx, [case_id])[case_id]
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


def load_words(tx: Transaction, ctx: Context, case: Case, staff: Staff) -> WrittenWords:
    """What the customer wrote: alerts, and answers to a check survey that opened the case again."""
    active = ctx.shelf.active(tx)
    rows = (*alert_records.alerts_of(tx, case.id), *case_records.check_complaints(tx, case))
    words = [
        PromiseWords(
            id=row.id,
            rule=row.rule,
            severity=row.severity,
            judged_by=read_rulebook(tx, ctx, row.rulebook) or active,
            sent_at=row.time,
            received_at=row.received_at,
            raised_at=row.raised_at,
        )
        for row in rows
    ]
    history = customers.histories(tx, [case.customer_key])[case.customer_key]
    return WrittenWords(words=words, history=history, staff=staff, active=active)


def load_case(tx: Transaction, ctx: Context, case_id: int) -> CaseFile:
    """Lock the case's customer and read everything a response is decided by. Raises ActionRefused
    where there is no such case.
    """
    key = cases.customer_of_case(tx, case_id)
    if key is None:
        raise ActionRefused(f"there is no case C-{case_id}")
    customers.lock_customers(tx, [key])
    case, now, active = cases.case_by_id(tx, case_id), tx.now(), ctx.shelf.active(tx)
    assert case is not None, "no case is ever deleted"
    staff, others = staff_facts.staff_at(tx, now), cases.unresolved_cases(tx, [key])
    calls = [
        Call(id=a.id, cycle=a.cycle, happened_at=a.happened_at, reached=a.reached)
        for a in cases.attempts_of(tx, case_id)
    ]
    return CaseFile(
        case=case,
        clocks=clocks_of(tx, ctx, case_id),
        calls=calls,
        promises=load_words(tx, ctx, case, staff),
        staff=staff,
        said_to_call=said_to_call(
            audit_entries.entries_of(tx, "case", str(case_id), personal_values=False)
        ),
        may_open=case.forgotten_at is None
        and case.withdrawn_at is None
        and all(other.id == case.id for other in others.values()),
        policies=active.policies,
        resolutions=active.resolutions,
        wait_at_most=active.wait_at_most,
        now=now,
    )
