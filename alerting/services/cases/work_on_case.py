"""The work on a case beside calling: waiting, assigning, notes, and whether what was done has
worked.
"""

from collections.abc import Callable
from datetime import datetime

from alerting.database.cases import case_records
from alerting.database.engine import Transaction
from alerting.domain.cases.case_responses import add_note, assign
from alerting.domain.cases.cases import Case, Decision, Wait
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.resolutions import review_effect
from alerting.domain.cases.sla import Duty
from alerting.domain.cases.waits import begin_wait, end_wait
from alerting.domain.errors import ActionRefused
from alerting.services.cases.respond import Actor, Basis, respond
from alerting.services.context import Context


def wait_for(
    ctx: Context,
    case_id: int,
    actor: Actor,
    make: Callable[[datetime], Wait],
    ticket: Basis | None = None,
) -> Case:
    """The case waits for the customer or a third party; clocks that pause for that stand still.
    `make` gets now.
    """

    def act(tx: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        return begin_wait(case, clocks, make(now), ctx.shelf.active(tx).wait_at_most, now)

    return respond(ctx, case_id, actor, ticket, act)


def go_on_with(ctx: Context, case_id: int, actor: Actor, ticket: Basis | None = None) -> Case:
    """The wait is over. Raises ActionRefused for a case that does not wait."""

    def act(_: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        if case.waiting_since is None:
            raise ActionRefused(f"{case.number} does not wait")
        return end_wait(case, clocks, now, actor.party, now)

    return respond(ctx, case_id, actor, ticket, act)


def assign_case(
    ctx: Context,
    case_id: int,
    actor: Actor,
    duty: Duty,
    to: str,
    reason: str = "",
    ticket: Basis | None = None,
) -> Case:
    """The call, or the fixing, becomes the duty of `to`."""

    def act(_: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        return assign(case, clocks, duty, to, actor.party, reason, now)

    return respond(ctx, case_id, actor, ticket, act)


def note_on(ctx: Context, case_id: int, actor: Actor, text: str) -> Case:
    """Words on a case, open or resolved."""

    def act(_: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        return add_note(case, actor.party, text, now)

    return respond(ctx, case_id, actor, None, act)


def review_case(ctx: Context, case_id: int, actor: Actor, effective: bool, note: str = "") -> Case:
    """Whether what was done has worked."""

    def act(_: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        return review_effect(case, actor.party, effective, note, now)

    def remember(tx: Transaction, case: Case, now: datetime) -> None:
        case_records.keep_review(tx, case, actor.party, effective, note.strip(), now)

    return respond(ctx, case_id, actor, None, act, remember)
