"""POST /v1/events: events from survey tools, CRM and telephone systems."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response

from alerting.domain.errors import RecordTooLarge, Temporary
from alerting.entrypoints.web.guard import problem, refuse_ingest
from alerting.entrypoints.web.parts import WebParts
from alerting.services.intake.accept_events import RefusedItem, accept, read_request


def routes(parts: WebParts) -> APIRouter:
    router = APIRouter()

    @router.post(
        "/v1/events",
        status_code=202,
        summary="Take one CloudEvent, or a batch",
        responses={401: {}, 413: {}, 422: {}, 503: {}},
    )
    async def post_events(request: Request) -> Response:
        """Structured or binary CloudEvents 1.0, or a JSON array of structured ones (all are taken,
        or none).

        202 means: durable in the event log. Repeating an event (same source and id) does no harm.
        """
        refused = refuse_ingest(request, parts.ingest_keys)
        if refused is not None:
            return refused
        body = await request.body()
        return await run_in_threadpool(_take, parts, body, dict(request.headers))

    return router


def _take(parts: WebParts, body: bytes, headers: dict[str, str]) -> Response:
    try:
        with parts.ctx.db.read() as tx:
            now = tx.now()
        records = read_request(body, headers, now)
    except RefusedItem as refused:
        extra = {"field": refused.error.field} if refused.error.field else {}
        place = {"index": refused.index} if refused.index is not None else {}
        return problem(422, refused.error.reason, refused.error.detail, **extra, **place)
    except Temporary as error:
        return problem(
            503,
            "Not taken",
            f"The database does not answer ({type(error).__name__}); send it again.",
        )
    try:
        accept(parts.event_log, records)
    except RecordTooLarge:
        return problem(413, "Too large", "The event log does not take a record of this size.")
    except Temporary:
        return problem(503, "Not taken", "The event log does not answer; send it again.")
    return JSONResponse({"accepted": len(records)}, status_code=202)
