"""The web role's application."""

import logging
from http import HTTPStatus
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from alerting.domain.errors import Temporary
from alerting.domain.intake.events import MAX_BODY
from alerting.entrypoints.web import health, staff_pages
from alerting.entrypoints.web.cases import action_links, case_pages
from alerting.entrypoints.web.customers import customer_api, segment_lists
from alerting.entrypoints.web.guard import (
    LargeBodies,
    NeedsLogin,
    SecurityHeaders,
    is_admin,
    problem,
)
from alerting.entrypoints.web.intake import events, survey_forms
from alerting.entrypoints.web.parts import WebParts

log = logging.getLogger(__name__)

_TITLES = {404: "There is no such page", 422: "This cannot be shown"}


def create_app(parts: WebParts) -> FastAPI:
    """All doors: events, forms, action links, pages, health."""
    app = FastAPI(
        title="Satisfaction alerting",
        version=parts.version,
        redoc_url=None,
        docs_url=None,
        openapi_url=None,
    )
    for module in (
        events,
        customer_api,
        survey_forms,
        action_links,
        health,
        segment_lists,
        staff_pages,
    ):
        app.include_router(module.routes(parts))
    app.include_router(case_pages.api_routes(parts))
    _describe(app, parts)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    app.add_middleware(LargeBodies, limit=MAX_BODY)
    app.add_middleware(SecurityHeaders)
    _answer_failures(app, parts)
    _answer_mistakes(app, parts)
    return app


def _answer_failures(app: FastAPI, parts: WebParts) -> None:
    """Who must sign in first, and what cannot be done just now."""

    @app.exception_handler(NeedsLogin)
    async def login(request: Request, _error: NeedsLogin) -> Response:
        if request.method == "GET" and _wants_page(request):
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(target)}", status_code=303)
        return problem(
            401,
            "Admin token needed",
            "Send it as `Authorization: Bearer TOKEN`, or sign in at /login.",
        )

    @app.exception_handler(Temporary)
    async def unavailable(request: Request, error: Temporary) -> Response:
        log.warning(
            "not available",
            extra={"path": request.scope.get("route_path", ""), "error": type(error).__name__},
        )
        if _wants_page(request):
            return _page(
                parts, 503, "One moment", "A service we need does not answer. Please try again."
            )
        return problem(503, "Not available", "A service we need does not answer; try again.")


def _answer_mistakes(app: FastAPI, parts: WebParts) -> None:
    """What cannot be found or understood: a page for a browser, problem+json for a program."""

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        phrase, detail = HTTPStatus(error.status_code).phrase, str(error.detail)
        if _wants_page(request):
            title = _TITLES.get(error.status_code, phrase)
            return _page(
                parts,
                error.status_code,
                title,
                "Please check the address." if detail == phrase else detail,
            )
        return problem(error.status_code, phrase, detail)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        message, field = (
            str(first["msg"]).removeprefix("Value error, "),
            ".".join(str(part) for part in first["loc"]),
        )
        if _wants_page(request):
            return _page(parts, 422, _TITLES[422], f"{first['loc'][-1]}: {message}.")
        return problem(422, "invalid", message, field=field)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _page(parts: WebParts, status: int, title: str, text: str) -> Response:
    headers = {"retry-after": "5"} if status == 503 else {}
    facts = {"title": title, "text": text, "links": []}
    return HTMLResponse(parts.render("message.html", facts), status_code=status, headers=headers)


def _describe(app: FastAPI, parts: WebParts) -> None:
    """The API's own description, for insiders like every page."""

    def admin(request: Request) -> None:
        if not is_admin(request, parts.admin_token):
            raise NeedsLogin

    @app.get("/openapi.json", include_in_schema=False, dependencies=[Depends(admin)])
    def openapi() -> Response:
        return JSONResponse(app.openapi())

    @app.get("/docs", include_in_schema=False, dependencies=[Depends(admin)])
    def docs() -> Response:
        return get_swagger_ui_html(openapi_url="/openapi.json", title=app.title)
