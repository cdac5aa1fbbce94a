"""/a/{token}: action links. GET shows, POST acts: a mail scanner that follows links changes nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse, Response

from alerting.domain.cases import CHANNELS, OUTCOMES, Attempt, Case
from alerting.domain.errors import ActionRefused
from alerting.domain.people import Party
from alerting.entrypoints.web.parts import WebParts
from alerting.services import response
from alerting.services.response import Actor, Ticket
from alerting.services.views import CaseView, case_view

_NOTHING: Mapping[str, str] = MappingProxyType(dict.fromkeys(("channel", "outcome", "happened_at", "note", "to"), ""))


def routes(parts: WebParts) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/a/{token}", response_class=HTMLResponse)
    def show(token: str) -> Response:
        try:
            ticket = parts.read_ticket(token)
            return _shown(parts, ticket, 200)
        except (ActionRefused, LookupError) as error:
            return _message(parts, 400, "This link does not work", str(error))

    @router.post("/a/{token}", response_class=HTMLResponse)
    def act(
        token: str,
        channel: Annotated[str, Form()] = "phone",
        outcome: Annotated[str, Form()] = "",
        happened_at: Annotated[str, Form()] = "",
        note: Annotated[str, Form()] = "",
        to: Annotated[str, Form()] = "",
        take_over: Annotated[str, Form()] = "",
    ) -> Response:
        typed = {"channel": channel, "outcome": outcome, "happened_at": happened_at, "note": note[:5000], "to": to}
        given = {name: _storable(text) for name, text in typed.items()}
        try:
            ticket = parts.read_ticket(token)
            person = response.find_party(parts.ctx, ticket.person)
            if take_over and ticket.purpose != "fixed":
                case = response.acknowledge_case(parts.ctx, ticket.case_id, Actor(party=person.id, door="link"))
                return _taken(parts, ticket, case)
            if ticket.purpose == "acknowledge":
                actor = Actor(party=person.id, door="link")
                return _taken(parts, ticket, response.acknowledge_case(parts.ctx, ticket.case_id, actor, ticket))
            case, text = _act(parts, ticket, person, given)
            return _done(parts, ticket, case, text)
        except ActionRefused as error:
            return _refused(parts, token, str(error), given)

    return router


def _act(parts: WebParts, ticket: Ticket, person: Party, given: dict[str, str]) -> tuple[Case, str]:
    """What the link is for, other than taking the call. Raises ActionRefused."""
    actor = Actor(party=person.id, door="link")
    if ticket.purpose == "hand_over":
        to = response.find_person(parts.ctx, given["to"])
        case = response.hand_over_case(parts.ctx, ticket.case_id, actor, to.id, given["note"], ticket)
        return case, f"{case.number} is handed over to {to.name}, who gets a mail now."
    if ticket.purpose == "fixed":
        case = response.remove_cause_of(parts.ctx, ticket.case_id, actor, given["note"], ticket)
        return case, "Noted: the cause is removed."

    def make(now: datetime) -> Attempt:
        return Attempt(
            by=person.id,
            channel=given["channel"],
            outcome=given["outcome"],
            happened_at=_moment(given["happened_at"], person, now),
            note=given["note"].strip(),
        )

    case = response.record_attempt(parts.ctx, ticket.case_id, actor, make, ticket)
    if OUTCOMES[given["outcome"]]:
        return case, "Noted: you have spoken with the customer. Thank you."
    return case, "Noted as an attempt. The customer has not been reached yet, so the clock runs on."


def _storable(text: str) -> str:
    """PostgreSQL takes no NUL in a text; what somebody pasted along with one is kept without it."""
    return text.replace("\x00", "\ufffd")


def _moment(text: str, person: Party, now: datetime) -> datetime:
    """A time as the browser's field gives it, in the person's own zone; empty means just now."""
    if not text.strip():
        return now
    try:
        local = datetime.fromisoformat(text.strip())
        return (local if local.tzinfo else local.replace(tzinfo=person.zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # the first and the last day of all have no UTC in every zone
        raise ActionRefused(f"{text!r} is not a time; write it as 2026-03-06T14:30") from error


def _view(parts: WebParts, case_id: int) -> CaseView:
    with parts.ctx.db.read() as tx:
        return case_view(tx, parts.ctx.shelf.active(tx), case_id)


def _shown(
    parts: WebParts,
    ticket: Ticket,
    status: int,
    error: str | None = None,
    given: Mapping[str, str] = _NOTHING,
) -> Response:
    """The page of a link; after a refusal with what was `given` still in it."""
    view = _view(parts, ticket.case_id)
    person = view.staff.get(ticket.person)
    if person is None:
        return _message(parts, 400, "This link does not work", "Its owner is not with us any more.")
    facts: dict[str, Any] = {
        "v": view,
        "me": person,
        "zone": person.zone,
        "ticket": ticket,
        "stale": response.is_stale(ticket, view.case),
        "error": error,
        "given": given,
        "channels": CHANNELS,
        "outcomes": OUTCOMES,
        "colleagues": [p for p in view.staff.parties.values() if p.kind == "person" and p.id != view.case.caller],
        "others": {
            purpose: parts.make_link(
                replace(ticket, purpose=purpose, assignment=view.case.assignment, cycle=view.case.cycle)
            )
            for purpose in ("acknowledge", "contact", "hand_over")
        },
    }
    return HTMLResponse(parts.render("action.html", facts), status_code=status)


def _refused(parts: WebParts, token: str, text: str, given: Mapping[str, str]) -> Response:
    """The same page once more with the reason, so that what to do instead is at hand."""
    try:
        return _shown(parts, parts.read_ticket(token), 409, text, given)
    except (ActionRefused, LookupError) as error:
        return _message(parts, 400, "This link does not work", str(error))


def _taken(parts: WebParts, ticket: Ticket, case: Case) -> Response:
    """You are the caller: the same page, which now has the number to call and what comes next."""
    fresh = replace(ticket, purpose="acknowledge", assignment=case.assignment, cycle=case.cycle)
    return _shown(parts, fresh, 200)


def _done(parts: WebParts, ticket: Ticket, case: Case, text: str) -> Response:
    fresh = replace(ticket, assignment=case.assignment, cycle=case.cycle)
    links = []
    if ticket.purpose == "contact" and case.contacted_at is None:
        links = [("I called…", parts.make_link(replace(fresh, purpose="contact")))]
    elif ticket.purpose == "contact" and case.fixer is None and case.cause_removed_at is None:
        text += " If nothing is left to do, say what was wrong, and the case ends."
        links = [("The cause is removed", parts.make_link(replace(fresh, purpose="fixed")))]
    return _message(parts, 200, "Thank you", text, links)


def _message(
    parts: WebParts, status: int, title: str, text: str, links: list[tuple[str, str]] | None = None
) -> HTMLResponse:
    return HTMLResponse(
        parts.render("message.html", {"title": title, "text": text, "links": links or []}), status_code=status
    )
