"""Lists of customers, changed in the browser: upload, see who moves, ask for approval, activate.

The pages need the admin token; whoever is asked decides with the link of the mail alone.
"""

from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerting.database.people import staff_facts
from alerting.database.rulebook import rulebooks
from alerting.domain.errors import ActionRefused
from alerting.entrypoints.web.parts import WebParts
from alerting.services.rulebook import list_approval, list_changes
from alerting.services.rulebook.list_changes import ListChange

Field = Annotated[str, Form()]


def inside_routes(router: APIRouter, parts: WebParts) -> None:
    """Upload, look, ask."""
    _list_routes(router, parts)
    _change_routes(router, parts)


def _list_routes(router: APIRouter, parts: WebParts) -> None:
    @router.get("/segments/lists", response_class=HTMLResponse)
    def lists() -> Response:
        return _lists(parts, 200)

    @router.get("/segments/lists/{name}")
    def download(name: str, change: str = "") -> Response:
        with parts.ctx.db.read() as tx:
            try:
                book = (
                    list_changes.drafted(parts.ctx, tx, change)
                    if change
                    else parts.ctx.shelf.active(tx)
                )
                text = list_changes.list_text(book, name)
            except LookupError as error:
                raise HTTPException(404, f"{error}.") from error
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    @router.post("/segments/lists", response_class=HTMLResponse)
    def upload(file: Annotated[UploadFile, File()], listed_in: Field = "") -> Response:
        try:
            members = parts.read_members(file.filename or "list", file.file.read())
            drafted = list_changes.draft_list(parts.ctx, listed_in, members.ids)
        except ActionRefused as error:
            return _lists(parts, 422, f"This file is not taken: {error}.")
        said = (
            f"?{urlencode({'said': '; '.join(members.notices)[:500]})}" if members.notices else ""
        )
        return RedirectResponse(f"/segments/changes/{drafted}{said}", status_code=303)


def _change_routes(router: APIRouter, parts: WebParts) -> None:
    @router.get("/segments/changes/{content_hash}", response_class=HTMLResponse)
    def change(content_hash: str, said: str = "") -> Response:
        return _shown(parts, content_hash, 200, said=said)

    @router.post("/segments/changes/{content_hash}", response_class=HTMLResponse)
    def decide(
        content_hash: str,
        act: Field = "",
        author: Field = "",
        approver: Field = "",
        reason: Field = "",
    ) -> Response:
        typed = {"author": author, "approver": approver, "reason": reason[:2000]}
        try:
            found = list_changes.list_change(parts.ctx, content_hash)
            if act == "ask":
                list_approval.ask_for_approval(parts.ctx, found, author, approver, typed["reason"])
            else:
                list_approval.activate_list(parts.ctx, found, author, typed["reason"])
        except (ActionRefused, LookupError) as error:
            return _shown(parts, content_hash, 422, typed, str(error))
        return RedirectResponse(f"/segments/changes/{content_hash}", status_code=303)


def routes(parts: WebParts) -> APIRouter:
    """Whoever is asked decides by the link alone: GET shows, POST acts."""
    router = APIRouter(include_in_schema=False)

    def answered(token: str, act: Callable[[int, str], Response]) -> Response:
        try:
            return act(*parts.read_approval(token))
        except (ActionRefused, LookupError) as error:
            return _message(parts, 400, "There is nothing to decide here", _sentence(error))

    @router.get("/p/{token}", response_class=HTMLResponse)
    def show(token: str) -> Response:
        return answered(token, lambda number, person: _asked(parts, number, person))

    @router.post("/p/{token}", response_class=HTMLResponse)
    def act(token: str, act: Field = "", objection: Field = "") -> Response:
        def decided(number: int, person: str) -> Response:
            if act == "approve":
                list_approval.approve(parts.ctx, number, person)
                return _message(
                    parts,
                    200,
                    "It is in force",
                    "Every process follows; the moves are noted and published.",
                )
            if not objection.strip():
                return _asked(
                    parts, number, person, "say why; the mail to whoever asked you needs it"
                )
            list_approval.decline(parts.ctx, number, person, objection[:2000])
            return _message(
                parts,
                200,
                "Not approved",
                "Nothing changes. Whoever asked you gets a mail with your words.",
            )

        return answered(token, decided)

    return router


def _sentence(error: Exception | str) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"


def _message(parts: WebParts, status: int, title: str, text: str) -> Response:
    return HTMLResponse(
        parts.render("message.html", {"title": title, "text": text}), status_code=status
    )


def _lists(parts: WebParts, status: int, error: str = "") -> Response:
    with parts.ctx.db.read() as tx:
        active = parts.ctx.shelf.active(tx)
        waiting = rulebooks.proposals(tx)
    facts = {
        "segments": list_changes.listed_segments(active),
        "waiting": waiting,
        "error": error,
        "page": "segments",
    }
    return HTMLResponse(parts.render("lists.html", facts), status_code=status)


def _shown(
    parts: WebParts,
    content_hash: str,
    status: int,
    typed: Mapping[str, str] | None = None,
    error: str = "",
    said: str = "",
) -> Response:
    try:
        found = list_changes.list_change(parts.ctx, content_hash)
    except LookupError as missing:
        raise HTTPException(404, _sentence(missing)) from missing
    except ActionRefused as refused:
        return _settled(parts, content_hash, refused)
    return _change(
        parts, found, status, {"given": typed or {}, "error": error, "me": None, "said": said}
    )


def _settled(parts: WebParts, content_hash: str, why: ActionRefused) -> Response:
    """In force, or overtaken by other rules."""
    with parts.ctx.db.read() as tx:
        active = rulebooks.active_hash(tx) == content_hash
        done = next(
            (row for row in rulebooks.activations(tx) if row.rulebook == content_hash), None
        )
        book = parts.ctx.shelf.get(tx, content_hash)
    facts = {
        "active": active,
        "why": _sentence(why),
        "done": done,
        "change": content_hash,
        "lists": [segment.listed_in for segment in list_changes.listed_segments(book)],
        "page": "segments",
    }
    return HTMLResponse(parts.render("list_done.html", facts), status_code=200 if active else 409)


def _asked(parts: WebParts, number: int, person: str, error: str = "") -> Response:
    with parts.ctx.db.read() as tx:
        found, me = (
            list_approval.open_proposal(tx, number),
            staff_facts.party_at(tx, person, tx.now()),
        )
    if me is None:
        raise ActionRefused("you are not among the people in force")
    return _change(
        parts,
        list_changes.list_change(parts.ctx, found.rulebook),
        422 if error else 200,
        {"given": {}, "error": error, "me": me, "said": ""},
    )


def _change(
    parts: WebParts, found: ListChange, status: int, facts: Mapping[str, object]
) -> Response:
    with parts.ctx.db.read() as tx:
        parties = staff_facts.staff_at(tx, tx.now()).parties
    people = sorted((p for p in parties.values() if p.kind == "person"), key=lambda p: p.name)
    titles = {segment.id: segment.title for segment in found.rulebook.segments}
    error = _sentence(str(facts["error"])) if facts["error"] else None
    shown = {
        **facts,
        "error": error,
        "c": found,
        "people": people,
        "parties": parties,
        "titles": titles,
    }
    return HTMLResponse(
        parts.render("list_change.html", {**shown, "page": "segments"}), status_code=status
    )
