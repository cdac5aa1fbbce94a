"""The work on a case from its page and by API: both do what links and the command line do. They
need the admin token.
"""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException

from alerting.database.cases import case_records, cases
from alerting.domain.cases.cases import CHANNELS
from alerting.domain.errors import ActionRefused
from alerting.entrypoints.web.cases.act_forms import FIELDS, form_fields, read_act, refusal
from alerting.entrypoints.web.guard import is_admin, problem
from alerting.entrypoints.web.parts import WebParts
from alerting.services.cases import respond
from alerting.services.cases.acts import Act, perform
from alerting.services.cases.case_json import case_as_json, case_record
from alerting.services.cases.case_view import case_view
from alerting.services.cases.respond import Actor, Seen
from alerting.services.cases.timeline import timeline

_ACTS: TypeAdapter[Act] = TypeAdapter(Act)
Number = Annotated[int, Field(ge=1, le=10**15)]
PathNumber = Annotated[int, Field(ge=0, le=10**18)]


def page_routes(router: APIRouter, parts: WebParts) -> None:
    """`router` asks for the admin token."""

    @router.get("/cases/{case_id}", response_class=HTMLResponse)
    def case_page(case_id: str) -> Response:
        number = (
            int(case_id) if case_id.isascii() and case_id.isdecimal() and len(case_id) <= 18 else 0
        )
        try:
            return show_case(parts, number)
        except LookupError as error:
            raise HTTPException(404, f"There is no case {case_id[:40]!r}.") from error

    @router.post("/cases/{case_id}")
    def act(
        case_id: PathNumber, given: Annotated[dict[str, str], Depends(form_fields)]
    ) -> Response:
        """Who acts is chosen on the page: the token is shared, and the audit names a person."""
        try:
            person = respond.find_party(parts.ctx, given["by"])
            seen = None
            if given["revision"].isascii() and given["revision"].isdecimal():
                seen = Seen(revision=int(given["revision"]))
            actor = Actor(party=person.id, door="page")
            perform(parts.ctx, case_id, actor, read_act(given, person.zone), seen)
        except ActionRefused as error:
            try:
                return show_case(parts, case_id, error=str(error), given=given)
            except LookupError:
                raise HTTPException(404, f"There is no case {case_id!s:.40}.") from error
        return RedirectResponse(f"/cases/{case_id}", status_code=303)


def show_case(
    parts: WebParts, case_id: int, error: str = "", given: Mapping[str, str] | None = None
) -> Response:
    """The page of a case; after a refusal with the reason, and what was `given` still in it. Raises
    LookupError.
    """
    with parts.ctx.db.read() as tx:
        rulebook = parts.ctx.shelf.active(tx)
        view, record = case_view(tx, rulebook, case_id), case_record(tx, case_id)
        facts = {
            "v": view,
            "owed_by": record.owed_by,
            "moments": timeline(tx, view),
            "zone": view.caller.zone,
            "page": "cases",
            "error": error,
            "given": {**dict.fromkeys(FIELDS, ""), **(given or {})},
            "resolutions": rulebook.resolutions,
            "corrections": [row for row in record.corrections if row.decided_at is None],
            "reviews": case_records.reviews_of(tx, case_id),
            "people": sorted(
                (p for p in view.staff.parties.values() if p.kind == "person"), key=lambda p: p.name
            ),
            "offices": sorted(
                (p for p in view.staff.parties.values() if p.kind != "person"), key=lambda p: p.name
            ),
            "channels": CHANNELS,
        }
    return HTMLResponse(parts.render("case.html", facts), status_code=409 if error else 200)


def api_routes(parts: WebParts) -> APIRouter:
    router = APIRouter()

    @router.get(
        "/v1/cases/{case_id}",
        summary="A case with its clocks and its story",
        responses={401: {}, 404: {}},
    )
    def get_case(case_id: Number, request: Request) -> Response:
        """Instants are UTC, durations seconds. Needs the admin token."""
        if not is_admin(request, parts.admin_token):
            return problem(
                401, "Unauthorized", "Send the admin token: Authorization: Bearer <token>."
            )
        return _case(parts, case_id, 200)

    @router.post(
        "/v1/cases/{case_id}/acts",
        summary="Do something about a case",
        responses={401: {}, 404: {}, 409: {}, 422: {}},
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _schema()}},
            }
        },
    )
    def act(
        case_id: Number, request: Request, body: Annotated[dict[str, object], Body()]
    ) -> Response:
        """`by` is who acts, an id or mail address. With `seen`, the `revision` that was read,
        nothing is done where somebody has changed the case since: 409; notes, reviews and
        corrections are taken all the same. Needs the admin token.
        """
        if not is_admin(request, parts.admin_token):
            return problem(
                401, "Unauthorized", "Send the admin token: Authorization: Bearer <token>."
            )
        return _act(parts, case_id, body)

    return router


def _act(parts: WebParts, case_id: int, body: Mapping[str, object]) -> Response:
    with parts.ctx.db.read() as tx:
        if cases.case_by_id(tx, case_id) is None:
            return problem(404, "Not Found", f"There is no case C-{case_id}.")
    said = dict(body)
    by, seen = str(said.pop("by", "")), said.pop("seen", None)
    try:
        given = _ACTS.validate_python(said)
    except ValidationError as error:
        return problem(422, "Unprocessable Content", refusal(error))
    if seen is not None and (not isinstance(seen, int) or isinstance(seen, bool)):
        return problem(
            422,
            "Unprocessable Content",
            "seen: is the revision of the case that was read, a whole number",
        )
    claim = Seen(revision=seen) if seen is not None else None
    try:
        actor = Actor(party=respond.find_party(parts.ctx, by).id, door="api")
        perform(parts.ctx, case_id, actor, given, claim)
    except ActionRefused as error:
        return problem(409, "Conflict", str(error))
    return _case(parts, case_id, 200)


def _case(parts: WebParts, case_id: int, status: int) -> Response:
    with parts.ctx.db.read() as tx:
        try:
            view = case_view(tx, parts.ctx.shelf.active(tx), case_id)
        except LookupError as error:
            return problem(404, "Not Found", f"{error}.")
        record, moments = case_record(tx, case_id), timeline(tx, view)
    return JSONResponse(jsonable_encoder(case_as_json(view, record, moments)), status_code=status)


def _schema() -> dict[str, object]:
    """The acts, each with who does it and what was seen."""
    found = _ACTS.json_schema(ref_template="#/components/schemas/Act/$defs/{model}")
    definitions = found.pop("$defs", {})
    seen = {"type": "integer"}
    kinds = []
    for one in found["oneOf"]:
        kind = dict(definitions[one["$ref"].rsplit("/", 1)[1]])
        own = {name: _inlined(one, definitions) for name, one in kind["properties"].items()}
        kind["properties"] = {"by": {"type": "string"}, "seen": seen, **own}
        kind["required"] = sorted({"act", "by", *kind.get("required", ())})
        kinds.append(kind)
    return {"oneOf": kinds}


def _inlined(value: object, definitions: dict[str, object]) -> object:
    if isinstance(value, dict):
        if "$ref" in value:
            return _inlined(definitions[str(value["$ref"]).rsplit("/", 1)[1]], definitions)
        return {name: _inlined(one, definitions) for name, one in value.items()}
    return [_inlined(one, definitions) for one in value] if isinstance(value, list) else value
