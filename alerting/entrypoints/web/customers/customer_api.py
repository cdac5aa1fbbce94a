"""/v1/customers/{id}: one customer put, and asked for as of any time."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from alerting.domain.errors import RecordTooLarge, Temporary, UnreadableEvent
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.domain.times.moments import read_moment
from alerting.entrypoints.web.guard import NeedsLogin, is_admin, problem, refuse_ingest
from alerting.entrypoints.web.parts import WebParts
from alerting.services.customers.customer_as_of import life_of
from alerting.services.intake.accept_events import accept
from alerting.services.intake.put_customer import VALID_FROM, read_put


def _body_schema() -> dict[str, object]:
    """The fields of `customer.updated`, and since when they hold."""
    schema = CustomerUpdated.model_json_schema(
        ref_template="#/components/schemas/CustomerUpdated/$defs/{model}"
    )
    definitions = schema.pop("$defs", {})
    contact = definitions.get("Contact", {})
    fields = {name: value for name, value in schema["properties"].items() if name != "customer_id"}
    fields["contacts"] = {
        **fields["contacts"],
        "anyOf": [{"type": "array", "items": contact}, {"type": "null"}],
    }
    fields[VALID_FROM] = {
        "type": "string",
        "format": "date-time",
        "description": "Since when; now if left out.",
    }
    return {"type": "object", "properties": fields, "additionalProperties": False}


_PUT = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _body_schema()}}}
}


def routes(parts: WebParts) -> APIRouter:
    """Customers as programs say and ask for them."""
    router = APIRouter()
    _put_route(router, parts)
    _get_route(router, parts)
    return router


def _put_route(router: APIRouter, parts: WebParts) -> None:
    @router.put(
        "/v1/customers/{customer_id:path}",
        status_code=202,
        summary="Say what is known of one customer",
        responses={401: {}, 413: {}, 422: {}, 503: {}},
        openapi_extra=_PUT,
    )
    async def put_customer(customer_id: str, request: Request) -> Response:
        """Fields that are given replace, `null` clears, absent ones stay: as `customer.updated`
        does.

        202 means: durable in the event log (`accepted` 1), or known already (`accepted` 0). Putting
        the same again changes nothing.
        """
        refused = refuse_ingest(request, parts.ingest_keys)
        if refused is not None:
            return refused
        body = await request.body()
        return await run_in_threadpool(_put, parts, customer_id, body)


def _get_route(router: APIRouter, parts: WebParts) -> None:
    @router.get(
        "/v1/customers/{customer_id:path}",
        summary="A customer as of any time: facts, segment, tags, and every change",
        responses={401: {}, 404: {}, 422: {}},
    )
    def get_customer(
        customer_id: str,
        request: Request,
        at: Annotated[str | None, Query()] = None,
        rules: Annotated[Literal["then", "active"], Query()] = "then",
    ) -> Response:
        """`at` is a time with its zone, or a day (its end, in UTC); now if left out. Needs the
        admin token.

        `rules=active`: by the rulebook that is active now, instead of the one of that time.
        """
        if not is_admin(request, parts.admin_token):
            raise NeedsLogin
        try:
            moment = read_moment(at) if at else None
        except ValueError as error:
            return problem(422, "invalid", str(error), field="at")
        try:
            found = life_of(
                parts.ctx, customer_id.replace("\x00", ""), moment, by_active=rules == "active"
            )
        except LookupError as error:
            return problem(404, "Not Found", f"{error}.")
        return JSONResponse(found.as_json())


def _put(parts: WebParts, customer_id: str, body: bytes) -> Response:
    try:
        put = read_put(parts.ctx, customer_id.replace("\x00", ""), body)
    except UnreadableEvent as error:
        return problem(
            422, error.reason, error.detail, **({"field": error.field} if error.field else {})
        )
    except Temporary as error:
        return problem(
            503,
            "Not taken",
            f"The database does not answer ({type(error).__name__}); send it again.",
        )
    if put.record is None:
        return JSONResponse({"accepted": 0, "unchanged": True}, status_code=202)
    try:
        accept(parts.event_log, [put.record])
    except RecordTooLarge:
        return problem(413, "Too large", "The event log does not take a record of this size.")
    except Temporary:
        return problem(503, "Not taken", "The event log does not answer; send it again.")
    return JSONResponse(
        {"accepted": 1, "event": {"source": put.event.source, "id": put.event.id}}, status_code=202
    )
