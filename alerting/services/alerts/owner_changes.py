"""Customers that get another owner: their open cases go along, or stay, as routing.yaml
declares.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from alerting.database.alerts import alert_records
from alerting.database.audit import audit_entries
from alerting.database.cases import cases
from alerting.database.intake import events
from alerting.database.mail import notifications
from alerting.domain.audit.entries import Action, Machine
from alerting.domain.cases.case_ownership import keep_with_caller, move_to_owner
from alerting.domain.cases.cases import Case
from alerting.domain.customers.customers import Customer, History, states_after
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.routing import OWNER
from alerting.domain.routing.staff import Staff
from alerting.services.cases.apply_decision import Cause, apply_decision
from alerting.services.cases.load_case import clocks_of
from alerting.services.judging_round import Round
from alerting.services.mail.records import skip


@dataclass(frozen=True, kw_only=True)
class _Change:
    """A customer whose owner is another one now than before these events, or between them; `event`
    is the last of them.
    """

    customer: Customer
    formers: Collection[str]
    owner: str | None
    event: Event


def follow_owners(
    round_: Round,
    fresh: Sequence[events.Arrived],
    seqs: Mapping[tuple[str, str], int],
    histories: Mapping[str, History],
) -> None:
    """After the events are judged, and judged again where they came late: what has moved by that
    moves no second time.
    """
    for change in _owner_changes((arrived.event for arrived in fresh), histories):
        if {_person(round_.staff, former) for former in change.formers} == {
            _person(round_.staff, change.owner)
        }:
            continue  # an id in place of a mail address is no other owner
        case = cases.unresolved_cases(round_.tx, [change.customer.key]).get(change.customer.key)
        if case is not None and _held_as_owner(round_, case):
            _follow(round_, case, change, seqs[(change.event.source, change.event.id)])


def _owner_changes(fresh: Iterable[Event], histories: Mapping[str, History]) -> list[_Change]:
    telling: dict[str, list[Event]] = {}
    for event in fresh:
        if isinstance(event.payload, CustomerUpdated) and "owner" in event.payload.model_fields_set:
            telling.setdefault(event.customer_key, []).append(event)
    found = []
    for key, given in telling.items():
        new = {(event.source, event.id) for event in given}
        history, owner = histories[key], histories[key].newest.owner
        formers = _former_owners(history, new) - {owner}
        if formers:
            found.append(
                _Change(customer=history.newest, formers=formers, owner=owner, event=given[-1])
            )
    return found


def _former_owners(history: History, new: Collection[tuple[str, str]]) -> set[str]:
    """The owner before these events and, where the newest of them counts, those in between: a case
    may be theirs, too.
    """
    named = [change for change, _ in history.versions if "owner" in change.changes]
    old = [change for change, _ in history.versions if (change.source, change.event_id) not in new]
    states: list[Mapping[str, object]] = [*states_after(old)[-1:]]
    if (named[-1].source, named[-1].event_id) in new:
        states += [
            state for change, state in history.versions if (change.source, change.event_id) in new
        ]
    return {str(state["owner"]) for state in states if state.get("owner")}


def _person(staff: Staff, text: str | None) -> str | None:
    """Who is meant, whether here or not."""
    party = staff.by_id_or_email(text)
    if party is not None or text is None:
        return party.id if party else None
    gone = (
        one.id
        for one in staff.former.values()
        if text == one.id or text.casefold() == (one.email or "").casefold()
    )
    return next(gone, text)


def _held_as_owner(round_: Round, case: Case) -> bool:
    """Whether the caller, or whoever the caller stands in for, has the case for owning the
    customer. Whoever took it over or was handed it has it as a person.
    """
    moves = [
        e for e in audit_entries.entries_of(round_.tx, "case", str(case.id)) if e.action in _MOVES
    ]
    if (
        moves
        and moves[-1].action != Action.CASE_CALLER_CHANGED
        and moves[-1].facts.get("to") == case.caller
    ):
        return moves[-1].action == Action.CASE_OWNER_CHANGED
    people = alert_records.people_of_alerts(round_.tx, case.id)
    return (case.caller, OWNER) in {
        (one["party"], one["through"]) for one in people if one["duty"] == "caller"
    }


_MOVES = {
    Action.CASE_OWNER_CHANGED,
    Action.CASE_TAKEN_OVER,
    Action.CASE_HANDED_OVER,
    Action.CASE_CALLER_CHANGED,
}
"""Whatever gives a case another caller."""


def _follow(round_: Round, case: Case, change: _Change, seq: int) -> None:
    routing, rule = round_.rulebook.routing, round_.rulebook.rule(case.rule)
    if rule is None or rule.caller not in routing.roles:
        return
    new = fill_role(rule.caller, change.customer, case.segment, routing, round_.staff, to_call=True)
    if new.party.id == case.caller:
        return
    owner = _person(round_.staff, change.owner) or "nobody"
    if case.contacted_at is not None:
        decision = keep_with_caller(case, owner, "the customer has been reached", round_.now)
    elif routing.owner_change.open_cases == "keep":
        decision = keep_with_caller(case, owner, "open cases stay with their caller", round_.now)
    else:
        _unsay(round_, case, new.party.id)
        still_here = round_.staff.get(case.caller) is not None
        decision = move_to_owner(
            case,
            clocks_of(round_.tx, round_.ctx, case.id),
            new,
            tell_former=still_here,
            now=round_.now,
        )
    apply_decision(
        round_.tx, round_.ctx, decision, Machine.JUDGE, Cause(kind="event", id=seq), round_.now
    )


def _unsay(round_: Round, case: Case, caller: str) -> None:
    """Who is about to be asked to call need not be told first that there is nothing to do."""
    for note in notifications.of_case(round_.tx, case.id):
        if (note.recipient, note.template, note.status) == (caller, "informed", "pending"):
            skip(round_.tx, note, "is asked to call instead", round_.now)
