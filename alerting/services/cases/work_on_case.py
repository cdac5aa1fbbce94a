"""The work on a case beside calling: waiting, assigning, notes, and whether what was done has
worked.
"""

from collections.abc import Callable
from datetime import datetime

from alerting.database.cases import case_records
from alerting.database.engine import Transaction
from alerting.domain.cases.case_file import CaseFile
from alerting.domain.cases.case_responses import NewDuty, add_note, assign
from alerting.domain.cases.cases import Case, Decision, Wait
from alerting.domain.cases.resolutions import review_effect
from alerting.domain.cases.waits import begin_wait, end_wait
from alerting.domain.errors import ActionRefused
from alerting.services.cases.respond import Actor, Basis, respond
from alerting.services.context import Context


def wait_for(
    ctx: Context,
    case_id: int,
    actor: Actor,
    make: Callable[[datetime], Wait],
    basis: Basis | None = None,
) -> Case:
    """The case waits for the customer or a third party; clocks that pause for that stand still.
    `make` gets now.
    """

    def act(file: CaseFile) -> Decision:
        wait = make(file.now)
        return begin_wait(file.case, file.clocks, wait, file.wait_at_most, file.now)

    return respond(ctx, case_id, actor, basis, act)


def go_on_with(ctx: Context, case_id: int, actor: Actor, basis: Basis | None = None) -> Case:
    """The wait is over. Raises ActionRefused for a case that does not wait."""

    def act(file: CaseFile) -> Decision:
        if file.case.waiting_since is None:
            raise ActionRefused(f"{file.case.number} does not wait")
        return end_wait(file.case, file.clocks, file.now, actor.party, file.now)

    return respond(ctx, case_id, actor, basis, act)


def assign_case(
    ctx: Context, case_id: int, actor: Actor, assignment: NewDuty, basis: Basis | None = None
) -> Case:
    """The call, or the fixing, becomes somebody's duty."""

    def act(file: CaseFile) -> Decision:
        return assign(file.case, file.clocks, assignment, file.now)

    return respond(ctx, case_id, actor, basis, act)


def note_on(ctx: Context, case_id: int, actor: Actor, text: str) -> Case:
    """Words on a case, open or resolved."""

    def act(file: CaseFile) -> Decision:
        return add_note(file.case, actor.party, text, file.now)

    return respond(ctx, case_id, actor, None, act)


def review_case(ctx: Context, case_id: int, actor: Actor, effective: bool, note: str = "") -> Case:
    """Whether what was done has worked."""

    def act(file: CaseFile) -> Decision:
        return review_effect(file.case, actor.party, effective, note, file.now)

    def remember(tx: Transaction, file: CaseFile) -> None:
        by, words = actor.party, note.strip()
        case_records.keep_review(tx, file.case, by, effective, words, file.now)

    return respond(ctx, case_id, actor, None, act, remember)
