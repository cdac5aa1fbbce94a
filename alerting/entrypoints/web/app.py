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
from alerting.domain.events import MAX_BODY
from alerting.entrypoints.web import actions, events, forms, health, pages
from alerting.entrypoints.web.guard import LargeBodies, NeedsLogin, SecurityHeaders, is_admin, problem
from alerting.entrypoints.web.parts import WebParts

log = logging.getLogger(__name__)


def create_app(parts: WebParts) -> FastAPI:
    """All doors: events, forms, action links, pages, health."""
    app = FastAPI(
        title="Satisfaction alerting",
        version=parts.version,
        redoc_url=None,
        docs_url=None,
        openapi_url=None,
    )
    for module in (events, forms, actions, health, pages):
        app.include_router(module.routes(parts))
    _describe(app, parts)
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY)
    app.add_middleware(LargeBodies, limit=MAX_BODY)
    app.add_middleware(SecurityHeaders)

    @app.exception_handler(NeedsLogin)
    async def login(request: Request, _error: NeedsLogin) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        if request.method == "GET" and wants_page:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/login?next={quote(target)}", status_code=303)
        return problem(401, "Admin token needed", "Send it as `Authorization: Bearer TOKEN`, or sign in at /login.")

    @app.exception_handler(Temporary)
    async def unavailable(request: Request, error: Temporary) -> Response:
        log.warning("not available", extra={"path": request.scope.get("route_path", ""), "error": type(error).__name__})
        if "text/html" in request.headers.get("accept", ""):
            facts = {"title": "One moment", "text": "A service we need does not answer. Please try again.", "links": []}
            return HTMLResponse(parts.render("message.html", facts), status_code=503, headers={"retry-after": "5"})
        return problem(503, "Not available", "A service we need does not answer; try again.")

    @app.exception_handler(HTTPException)
    async def refused(_request: Request, error: HTTPException) -> Response:
        return problem(error.status_code, HTTPStatus(error.status_code).phrase, str(error.detail))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return problem(422, "invalid", str(first["msg"]), field=".".join(str(part) for part in first["loc"]))

    return app


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
