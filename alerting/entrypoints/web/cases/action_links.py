"""/a/{token}: action links. GET shows, POST acts: a mail scanner that follows links changes
nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from alerting.database.cases import case_records
from alerting.domain.cases.cases import CHANNELS, OUTCOMES, Case
from alerting.domain.errors import ActionRefused
from alerting.domain.people.people import Party
from alerting.entrypoints.web.cases.act_forms import FIELDS, form_fields, read_act
from alerting.entrypoints.web.parts import WebParts
from alerting.services.cases import respond
from alerting.services.cases.acts import perform
from alerting.services.cases.case_view import CaseView, case_view
from alerting.services.cases.respond import Actor, Purpose, Ticket

_NOTHING: Mapping[str, str] = MappingProxyType(dict.fromkeys(FIELDS, ""))
_OTHERS: tuple[Purpose, ...] = (
    "acknowledge",
    "contact",
    "hand_over",
    "assign",
    "wait",
    "correct",
    "note",
)
"""What the page of one link leads to besides."""

Given = Annotated[dict[str, str], Depends(form_fields)]


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
    def act(token: str, given: Given) -> Response:
        try:
            ticket = parts.read_ticket(token)
            person = respond.find_party(parts.ctx, ticket.person)
            if given["take_over"] and ticket.purpose != "fixed":
                case = respond.acknowledge_case(
                    parts.ctx, ticket.case_id, Actor(party=person.id, door="link")
                )
                return _taken(parts, ticket, case)
            if ticket.purpose == "acknowledge":
                actor = Actor(party=person.id, door="link")
                return _taken(
                    parts,
                    ticket,
                    respond.acknowledge_case(parts.ctx, ticket.case_id, actor, ticket),
                )
            return _act(parts, ticket, person, given)
        except ActionRefused as error:
            return _refused(parts, token, str(error), given)

    return router


_PURPOSES = {
    "contact": "contact",
    "hand_over": "hand_over",
    "assign": "assign",
    "correct": "correct",
    "fixed": "resolve",
    "wait": "wait",
    "note": "note",
    "review": "review",
    "decide": "decide",
}
"""What a link is for -> the act."""


def _act(parts: WebParts, ticket: Ticket, person: Party, given: Mapping[str, str]) -> Response:
    """What the link is for, other than taking the call. Raises ActionRefused."""
    asked = (
        "go_on"
        if ticket.purpose == "wait" and given["act"] == "go_on"
        else _PURPOSES[ticket.purpose]
    )
    said = {
        **given,
        "act": asked,
        "reason": given["reason"] or given["note"],
        "text": given["text"] or given["note"],
    }
    actor = Actor(party=person.id, door="link")
    case, text = perform(
        parts.ctx,
        ticket.case_id,
        actor,
        read_act({"channel": "phone", **said}, person.zone),
        ticket,
    )
    if asked == "contact":
        text = "Noted as an attempt. The customer has not been reached yet, so the clock runs on."
        if OUTCOMES[given["outcome"]]:
            text = "Noted: you have spoken with the customer. Thank you."
    if asked == "hand_over":
        text = f"{text[:-1]}, and gets a mail at once."
    if asked == "resolve":
        text = "Noted: the cause is removed."
    if case is None:
        return _message(parts, 200, "Thank you", text)
    return _done(parts, ticket, case, text)


def _shown(
    parts: WebParts,
    ticket: Ticket,
    status: int,
    error: str | None = None,
    given: Mapping[str, str] = _NOTHING,
) -> Response:
    """The page of a link; after a refusal with what was `given` still in it."""
    with parts.ctx.db.read() as tx:
        rulebook = parts.ctx.shelf.active(tx)
        view, resolutions = case_view(tx, rulebook, ticket.case_id), rulebook.resolutions
    person = view.staff.get(ticket.person)
    if person is None:
        return _message(parts, 400, "This link does not work", "Its owner is not with us any more.")
    facts = {
        **_offered(parts, ticket, view, person),
        "error": error,
        "given": given,
        "resolutions": resolutions,
        "corrections": _corrections(parts, ticket),
    }
    return HTMLResponse(parts.render("action.html", facts), status_code=status)


def _offered(parts: WebParts, ticket: Ticket, view: CaseView, person: Party) -> dict[str, object]:
    """Who reads the page, and what they may choose from."""
    everybody = view.staff.parties.values()
    newest = replace(ticket, assignment=view.case.assignment, cycle=view.case.cycle)
    return {
        "v": view,
        "me": person,
        "zone": person.zone,
        "ticket": ticket,
        "stale": respond.is_stale(ticket, view.case),
        "channels": CHANNELS,
        "outcomes": OUTCOMES,
        "everybody": sorted(everybody, key=lambda p: (p.kind != "person", p.name)),
        "colleagues": [p for p in everybody if p.kind == "person" and p.id != view.case.caller],
        "others": {
            purpose: parts.make_link(replace(newest, purpose=purpose)) for purpose in _OTHERS
        },
    }


def _corrections(parts: WebParts, ticket: Ticket) -> list[object]:
    """What waits for somebody else's approval, where the link is for that."""
    if ticket.purpose != "decide":
        return []
    with parts.ctx.db.read() as tx:
        return [
            row
            for row in case_records.corrections_of(tx, [ticket.case_id])
            if row.decided_at is None
        ]


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
        parts.render("message.html", {"title": title, "text": text, "links": links or []}),
        status_code=status,
    )
