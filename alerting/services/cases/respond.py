"""Response: what people do about a case, by link, page or command line; all through the same use
cases.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal, get_args

from alerting.database.audit import audit_entries
from alerting.database.cases import case_records, cases
from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.domain.audit.entries import RecordedEntry
from alerting.domain.cases.case_responses import (
    acknowledge,
    hand_over,
    record_contact,
    remove_cause,
)
from alerting.domain.cases.cases import Attempt, Case, Decision
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.resolutions import Resolution, after_resolution
from alerting.domain.cases.waits import deciding
from alerting.domain.errors import ActionRefused
from alerting.domain.people.people import Party
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.grade_contacts import prove
from alerting.services.cases.load_clocks import clocks_of, complaints_of, with_the_strictest
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

Act = Callable[[Transaction, Case, list[Clock], datetime], Decision]


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


def acknowledge_case(ctx: Context, case_id: int, actor: Actor, ticket: Basis | None = None) -> Case:
    """`actor` takes the call. Raises ActionRefused, naming why, when the case has moved on."""

    def act(tx: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        must_be_a_person(tx, actor.party, now)
        return acknowledge(case, clocks, actor.party, now)

    return respond(ctx, case_id, actor, ticket, act)


def record_attempt(
    ctx: Context,
    case_id: int,
    actor: Actor,
    make: Callable[[datetime], Attempt],
    ticket: Basis | None = None,
) -> Case:
    """Record a contact or an attempt; `make` gets the database's now, so that 'just now' is never
    ahead of it.
    """

    def act(tx: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        must_be_a_person(tx, actor.party, now)
        complaints = complaints_of(tx, ctx, case, clocks)
        return record_contact(
            case, clocks, make(now), now, complaints, ctx.shelf.active(tx).policies
        )

    def remember(tx: Transaction, case: Case, now: datetime) -> None:
        attempt = make(now)
        cases.add_attempt(tx, case, attempt, now)
        prove(tx, [case.customer_key], attempt.happened_at, attempt.happened_at)

    return respond(ctx, case_id, actor, ticket, act, remember)


def hand_over_case(
    ctx: Context, case_id: int, actor: Actor, to: str, reason: str, ticket: Basis | None = None
) -> Case:
    """The call becomes the duty of `to` (an id or a mail address of somebody in people.yaml)."""

    def act(_: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        return hand_over(case, clocks, to, actor.party, reason, now)

    return respond(ctx, case_id, actor, ticket, act)


def remove_cause_of(
    ctx: Context, case_id: int, actor: Actor, given: Resolution, ticket: Basis | None = None
) -> Case:
    """The cause is removed; with the customer spoken to, this resolves the case."""

    def act(tx: Transaction, case: Case, clocks: list[Clock], now: datetime) -> Decision:
        return remove_cause(case, clocks, actor.party, given, ctx.shelf.active(tx).resolutions, now)

    def remember(tx: Transaction, case: Case, now: datetime) -> None:
        case_records.keep_resolution(tx, case, given)

    return respond(ctx, case_id, actor, ticket, act, remember)


def must_be_a_person(tx: Transaction, party_id: str, now: datetime) -> None:
    party = staff_facts.staff_at(tx, now).get(party_id)
    if party is not None and party.kind != "person":
        raise ActionRefused(f"{party.name} is an office; a call is somebody's own: say who")


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


def respond(
    ctx: Context,
    case_id: int,
    actor: Actor,
    ticket: Basis | None,
    act: Act,
    remember: Callable[[Transaction, Case, datetime], None] | None = None,
) -> Case:
    """What every response does: lock the customer, read the case as it is now, check the link
    against it, decide, write.
    """

    def once() -> Case:
        with ctx.db.write() as tx:
            key = cases.customer_of_case(tx, case_id)
            if key is None:
                raise ActionRefused(f"there is no case C-{case_id}")
            customers.lock_customers(tx, [key])
            case, now = cases.case_by_id(tx, case_id), tx.now()
            assert case is not None
            stale = is_stale(ticket, case) if ticket else None
            if stale is not None:
                raise ActionRefused(stale)
            clocks = clocks_of(tx, ctx, case_id)
            decision = deciding(case, clocks, partial(_acted, act, tx, now), actor.party, now)
            decision = with_the_strictest(tx, ctx, decision, clocks, now)
            decision = after_resolution(case, decision, ctx.shelf.active(tx).resolutions)
            apply_decision(tx, ctx, decision, str(actor), Cause(kind="response"), now)
            if remember is not None:
                remember(tx, case, now)
            return decision.case

    return ctx.db.retrying(once)


def _acted(act: Act, tx: Transaction, now: datetime, case: Case, clocks: list[Clock]) -> Decision:
    return act(tx, case, clocks, now)


def entries(ctx: Context, case_id: int) -> list[RecordedEntry]:
    """The case's audit entries, oldest first."""
    with ctx.db.read() as tx:
        return audit_entries.entries_of(tx, "case", str(case_id))
