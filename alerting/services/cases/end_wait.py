"""The end of a wait: the customer acted, a complaint came in, or its day is there."""

from collections.abc import Iterable
from datetime import datetime

from alerting.database.cases import case_records, cases
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.domain.audit.entries import Machine
from alerting.domain.cases.case_file import with_the_strictest
from alerting.domain.cases.cases import Case, Ended
from alerting.domain.cases.waits import end_wait
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import InteractionRecorded, PurchaseRecorded, SurveyAnswered
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.load_case import clocks_of, load_words
from alerting.services.context import Context

CUSTOMER = "the customer"
ITS_DAY = "its day"


def acts(event: Event) -> bool:
    """Whether it is something the customer did, not what we did or noted about him."""
    if isinstance(event.payload, InteractionRecorded):
        return event.payload.direction != "outbound"
    return isinstance(event.payload, (SurveyAnswered, PurchaseRecorded))


def customers_acted(tx: Transaction, ctx: Context, events: Iterable[Event], now: datetime) -> None:
    """Whoever we waited for, or whose case waits for somebody else, has done something since: we go
    on.

    The customers are locked. What happened before the wait began ends nothing, however late it
    arrives. We go on when we hear of it: a promise is not missed in a time in which nobody could
    know.
    """
    doing = [event for event in events if acts(event)]
    waiting = cases.waiting_cases(tx, {event.customer_key for event in doing}) if doing else {}
    for event in doing:
        case, at = waiting.get(event.customer_key), min(event.time, event.received_at)
        if case is not None and case.waiting_since is not None and at > case.waiting_since:
            go_on(tx, ctx, case, Ended(at=now, because=CUSTOMER), Cause(kind="response"), now)
            del waiting[event.customer_key]


def go_on(
    tx: Transaction, ctx: Context, case: Case, ended: Ended, cause: Cause, now: datetime
) -> None:
    """End a wait, and tell whoever waited that it is their turn again."""
    by = case_records.waits_of(tx, case.id)[-1].by
    moved = by not in {case.caller, case.fixer}
    tell = case.caller if moved else by
    clocks = clocks_of(tx, ctx, case.id)
    words = load_words(tx, ctx, case, staff_facts.staff_at(tx, now))
    decision = end_wait(case, clocks, ended.at, ended.because, now, tell=tell)
    decision = with_the_strictest(decision, clocks, words, now)
    actor = Machine.FOLLOW_UP if ended.because == ITS_DAY else Machine.INTAKE
    apply_decision(tx, ctx, decision, actor, cause, now)
