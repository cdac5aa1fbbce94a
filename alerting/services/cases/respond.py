"""Response: what people do about a case, by link, page or command line; all through the same use
cases.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from alerting.database.audit import audit_entries
from alerting.database.cases import case_records, cases
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.domain.audit.entries import RecordedEntry
from alerting.domain.cases.case_file import CaseFile, Decide, decide_response
from alerting.domain.cases.case_responses import (
    acknowledge,
    hand_over,
    record_contact,
    remove_cause,
)
from alerting.domain.cases.cases import Attempt, Case, Decision
from alerting.domain.cases.resolutions import Resolution
from alerting.domain.errors import ActionRefused
from alerting.domain.people.people import Party
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.grade_contacts import prove
from alerting.services.cases.load_case import load_case
from alerting.services.context import Context

Purpose = Literal[
    "acknowledge",
    "contact",
    "hand_over",
    "assign",
    "fixed",
    "wait",
    "correct",
    "note",
    "review",
    "decide",
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """What an action link is bound to: whose it is, for which case, assignment and cycle, to do
    what.
    """

    case_id: int
    person: str
    assignment: int
    cycle: int
    purpose: Purpose


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts and by which door; `party` is who the act counts for."""

    party: str
    door: Literal["link", "cli", "page", "api"]

    def __str__(self) -> str:
        return f"{self.party} by {self.door}"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """The revision of a case that a page showed to whoever acts on it: two people at once must not
    undo each other's work.
    """

    revision: int


Basis = Ticket | Seen


def is_stale(ticket: Basis, case: Case) -> str | None:
    """Why a link or page must not simply act any more; None while it fits. A stale link offers to
    take over instead.
    """
    if isinstance(ticket, Seen):
        if ticket.revision == case.revision:
            return None
        return (
            f"{case.number} has changed since you looked, and is with {case.caller} now: look again"
        )
    if ticket.purpose in {"note", "correct", "decide"}:
        return None  # these change nobody's duty
    if ticket.cycle != case.cycle:
        return "The customer has written again since this mail."
    if ticket.purpose == "review":
        return None
    if ticket.purpose in {"acknowledge", "contact", "hand_over"} and ticket.person != case.caller:
        if ticket.assignment == case.assignment:
            return None  # a substitute or manager who was asked while the case stood as it stands
        return "The case has moved to another caller since this mail."
    return None


def acknowledge_case(ctx: Context, case_id: int, actor: Actor, basis: Basis | None = None) -> Case:
    """`actor` takes the call. Raises ActionRefused, naming why, when the case has moved on."""

    def act(file: CaseFile) -> Decision:
        file.check_person(actor.party)
        return acknowledge(file.case, file.clocks, actor.party, file.now)

    return respond(ctx, case_id, actor, basis, act)


def record_attempt(
    ctx: Context,
    case_id: int,
    actor: Actor,
    make: Callable[[datetime], Attempt],
    basis: Basis | None = None,
) -> Case:
    """Record a contact or an attempt; `make` gets the database's now, so that 'just now' is never
    ahead of it.
    """

    def act(file: CaseFile) -> Decision:
        file.check_person(actor.party)
        attempt, now = make(file.now), file.now
        return record_contact(file.case, file.clocks, attempt, now, file.complaints, file.policies)

    def remember(tx: Transaction, file: CaseFile) -> None:
        attempt = make(file.now)
        cases.add_attempt(tx, file.case, attempt, file.now)
        prove(tx, [file.case.customer_key], attempt.happened_at, attempt.happened_at)

    return respond(ctx, case_id, actor, basis, act, remember)


def hand_over_case(
    ctx: Context, case_id: int, actor: Actor, to: str, reason: str, basis: Basis | None = None
) -> Case:
    """The call becomes the duty of `to` (an id or a mail address of somebody in people.yaml)."""

    def act(file: CaseFile) -> Decision:
        return hand_over(file.case, file.clocks, to, actor.party, reason, file.now)

    return respond(ctx, case_id, actor, basis, act)


def remove_cause_of(
    ctx: Context, case_id: int, actor: Actor, given: Resolution, basis: Basis | None = None
) -> Case:
    """The cause is removed; with the customer spoken to, this resolves the case."""

    def act(file: CaseFile) -> Decision:
        known = file.resolutions
        return remove_cause(file.case, file.clocks, actor.party, given, known, file.now)

    def remember(tx: Transaction, file: CaseFile) -> None:
        case_records.keep_resolution(tx, file.case, given)

    return respond(ctx, case_id, actor, basis, act, remember)


def respond(
    ctx: Context,
    case_id: int,
    actor: Actor,
    basis: Basis | None,
    act: Decide,
    remember: Callable[[Transaction, CaseFile], None] | None = None,
) -> Case:
    """What every response does: load the case under its customer's lock, decide, apply; `remember`
    keeps what the decision itself does not hold. Raises ActionRefused.
    """

    def once() -> Case:
        with ctx.db.write() as tx:
            file = load_case(tx, ctx, case_id)
            stale = is_stale(basis, file.case) if basis else None
            if stale is not None:
                raise ActionRefused(stale)
            decision = decide_response(file, act, actor.party)
            apply_decision(tx, ctx, decision, str(actor), Cause(kind="response"), file.now)
            if remember is not None:
                remember(tx, file)
            return decision.case

    return ctx.db.retrying(once)


def find_party(ctx: Context, text: str) -> Party:
    """A person or an office by id or mail address. Raises ActionRefused that lists who could be
    meant.
    """
    with ctx.db.read() as tx:
        staff = staff_facts.staff_at(tx, tx.now())
    found = staff.by_id_or_email(text.strip())
    if found is None:
        names = ", ".join(sorted(staff.parties))
        raise ActionRefused(f"{text!r} is nobody in people.yaml; known are {names}")
    return found


def find_person(ctx: Context, text: str) -> Party:
    """The same, but an office cannot make a call. Raises ActionRefused."""
    found = find_party(ctx, text)
    if found.kind != "person":
        raise ActionRefused(f"{found.name} is an office; name a person")
    return found


def entries(ctx: Context, case_id: int) -> list[RecordedEntry]:
    """The case's audit entries, oldest first."""
    with ctx.db.read() as tx:
        return audit_entries.entries_of(tx, "case", str(case_id))
