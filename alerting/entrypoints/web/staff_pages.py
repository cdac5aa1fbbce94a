"""Pages for insiders: cases, one case with its timeline, response times, the mailbox. They need the
admin token.
"""

import hmac
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from alerting.database.cases import cases
from alerting.database.rows.cases import CaseRow
from alerting.domain.cases.cases import CASE_STATUSES
from alerting.entrypoints.web.cases import case_pages
from alerting.entrypoints.web.customers import segment_lists
from alerting.entrypoints.web.guard import COOKIE, NeedsLogin, cookie_value, is_admin
from alerting.entrypoints.web.parts import KeptMail, WebParts
from alerting.entrypoints.web.reports import report_pages
from alerting.services.alerts.explain_event import explain
from alerting.services.alerts.explanation import Explanation
from alerting.services.cases.case_list import case_list
from alerting.services.customers.segment_report import as_json as segments_as_json
from alerting.services.customers.segment_report import segment_report


def routes(parts: WebParts) -> APIRouter:
    def admin(request: Request) -> None:
        if not is_admin(request, parts.admin_token):
            raise NeedsLogin

    inside = APIRouter(include_in_schema=False, dependencies=[Depends(admin)])
    _case_pages(inside, parts)
    case_pages.page_routes(inside, parts)
    report_pages.routes(inside, parts)
    _segment_pages(inside, parts)
    segment_lists.inside_routes(inside, parts)
    _explain_page(inside, parts)
    if parts.mailbox is not None:
        _mailbox_pages(inside, parts, parts.mailbox)
    router = APIRouter(include_in_schema=False)
    _login(router, parts)
    router.include_router(inside)
    return router


def _login(router: APIRouter, parts: WebParts) -> None:
    @router.get("/login", response_class=HTMLResponse)
    def login_form(next: str = "/cases") -> Response:
        return HTMLResponse(parts.render("login.html", {"next": _local(next), "error": None}))

    @router.post("/login", response_class=HTMLResponse)
    def login(
        token: Annotated[str, Form()] = "", next: Annotated[str, Form()] = "/cases"
    ) -> Response:
        if not hmac.compare_digest(token.strip().encode(), parts.admin_token.encode()):
            facts = {
                "next": _local(next),
                "error": "This is not the admin token. It is printed when the web role starts.",
            }
            return HTMLResponse(parts.render("login.html", facts), status_code=403)
        found = RedirectResponse(_local(next), status_code=303)
        found.set_cookie(
            COOKIE,
            cookie_value(parts.admin_token),
            httponly=True,
            samesite="lax",
            secure=parts.secure_cookies,
        )
        return found

    @router.get("/")
    def home() -> Response:
        return RedirectResponse("/cases", status_code=303)


def _local(path: str) -> str:
    """Only our own pages: a login must not send people elsewhere."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/cases"


def _case_pages(router: APIRouter, parts: WebParts) -> None:
    @router.get("/cases", response_class=HTMLResponse)
    def all_cases(status: str = "unresolved") -> Response:
        if status not in CASE_STATUSES:
            raise HTTPException(
                422, f"No case has the status {status!r}; known are {', '.join(CASE_STATUSES)}."
            )
        found = case_list(
            parts.ctx,
            lambda tx: _found(cases.list_cases(tx, status=None if status == "all" else status)),
        )
        facts = {
            "l": found,
            "status": status,
            "statuses": CASE_STATUSES,
            "title": "",
            "page": "cases",
        }
        return HTMLResponse(parts.render("cases.html", facts))


def _found(rows: list[CaseRow]) -> tuple[int, list[CaseRow]]:
    return len(rows), rows


def _explain_page(router: APIRouter, parts: WebParts) -> None:
    @router.get("/explain")
    def why(event: str, source: str | None = None, format: str = "html") -> Response:
        try:
            found = explain(parts.ctx, _clean(event), _clean(source) if source else None)
        except LookupError as error:
            raise HTTPException(404, f"{error}.") from error
        if not isinstance(found, Explanation):
            text = f"{found.reason}: {found.field + ': ' if found.field else ''}{found.detail}"
            if format == "json":
                return JSONResponse(
                    {"dead_letter": {"id": found.id, "place": found.place, "reason": text}}
                )
            return HTMLResponse(
                parts.render("message.html", {"title": f"Dead letter {found.id}", "text": text})
            )
        if format == "json":
            return JSONResponse(found.as_json())
        return HTMLResponse(parts.render("explain.html", {"x": found, "page": "explain"}))


def _clean(text: str) -> str:
    return text.replace("\x00", "")


def _segment_pages(router: APIRouter, parts: WebParts) -> None:
    @router.get("/segments")
    def segments(format: str = "html") -> Response:
        found = segment_report(parts.ctx)
        if format == "json":
            return JSONResponse(segments_as_json(found))
        facts = {"r": found, "pictures": parts.draw_segments(found), "page": "segments"}
        return HTMLResponse(parts.render("segments.html", facts))


def _mailbox_pages(
    router: APIRouter, parts: WebParts, mails: Callable[[], Sequence[KeptMail]]
) -> None:
    @router.get("/mailbox", response_class=HTMLResponse)
    def mailbox(show: str = "") -> Response:
        kept = mails()
        chosen = next((mail for mail in kept if mail.name == show), kept[0] if kept else None)
        return HTMLResponse(
            parts.render("mailbox.html", {"mails": kept, "chosen": chosen, "page": "mailbox"})
        )

    @router.get("/mailbox/{name}.html", response_class=HTMLResponse)
    def mail_body(name: str) -> Response:
        found = next((mail for mail in mails() if mail.name == name), None)
        if found is None:
            return HTMLResponse("", status_code=404)
        return HTMLResponse(found.html or f"<pre>{_escape(found.text)}</pre>")


def _escape(text: str) -> str:
    import html

    return html.escape(text)
