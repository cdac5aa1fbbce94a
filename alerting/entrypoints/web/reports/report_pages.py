"""The report for insiders: as a page, as JSON, as a table of clocks; and the clocks behind a
figure.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BeforeValidator
from starlette.exceptions import HTTPException

from alerting.domain.errors import ActionRefused, ExtraMissing
from alerting.domain.reports.attainment import STATES
from alerting.domain.reports.selection import NARROWED, Selection, selection
from alerting.entrypoints.web.parts import WebParts
from alerting.services.cases.case_list import case_list
from alerting.services.reports.report import as_json, report, unknown_names
from alerting.services.reports.report_clocks import clock_rows, clocks_behind
from alerting.services.reports.report_population import FIGURES, behind_figure


def _day(text: str | None) -> date | None:
    if not text:
        return None
    with suppress(ValueError):
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
            return date.fromisoformat(text)
    raise ValueError(f"{text!r} is no day; write 2026-10-01")


Day = Annotated[date | None, BeforeValidator(_day)]
"""A day, or nothing: a form sends an empty field along."""


def _selected(
    request: Request,
    begin: Annotated[Day, Query(alias="from")] = None,
    end: Annotated[Day, Query(alias="to")] = None,
) -> Selection:
    narrowed = {name: request.query_params.get(name, "") for name in NARROWED}
    try:
        return selection(begin, end, narrowed)
    except ActionRefused as error:
        raise HTTPException(422, f"{error}.") from error


Selected = Annotated[Selection, Depends(_selected)]


def routes(router: APIRouter, parts: WebParts) -> None:
    """For insiders, as the router says."""

    @router.get("/reports")
    def page(request: Request, which: Selected, format: str = "html") -> Response:
        if format in parts.report_files:
            return _file(parts, which, format)
        if format not in {"html", "json"}:
            raise HTTPException(
                422, f"No report is a {format!r}; write json, {', '.join(parts.report_files)}."
            )
        found = report(parts.ctx, which)
        if format == "json":
            return JSONResponse(as_json(found))
        facts = {
            "r": found,
            "last_day": request.query_params.get("to", ""),
            "url": _links(request),
            "week": _days_of(which),
            "pictures": parts.draw_report(found),
            "unknown": unknown_names(parts.ctx, which),
            "page": "reports",
        }
        return HTMLResponse(parts.render("report.html", facts))

    @router.get("/reports/cases", response_class=HTMLResponse)
    def cases_behind(request: Request, which: Selected, of: str = "cases") -> Response:
        if of not in FIGURES:
            raise HTTPException(422, f"No figure is called {of!r}; known are {', '.join(FIGURES)}.")
        found = case_list(parts.ctx, lambda tx: behind_figure(tx, which, of))
        title, back = FIGURES[of], _links(request)()
        facts = {"l": found, "title": title, "which": which, "back": back, "page": "reports"}
        return HTMLResponse(parts.render("cases.html", facts))

    @router.get("/reports/clocks", response_class=HTMLResponse)
    def behind(request: Request, which: Selected, state: str = "") -> Response:
        states = state.split(",") if state else list(STATES)
        if unknown := sorted({*states} - {*STATES}):
            raise HTTPException(422, f"No clock is {unknown[0]!r}; known are {', '.join(STATES)}.")
        found = clocks_behind(parts.ctx, which, states)
        facts = {
            "c": found,
            "which": which,
            "states": states,
            "url": _links(request),
            "page": "reports",
        }
        return HTMLResponse(parts.render("report_clocks.html", facts))


def _file(parts: WebParts, which: Selection, format: str) -> Response:
    try:
        body = parts.report_files[format](clock_rows(parts.ctx, which))
    except ExtraMissing as error:
        raise HTTPException(501, f"{error}.") from error
    headers = {"content-disposition": f'attachment; filename="clocks.{format}"'}
    return Response(body, media_type=_MEDIA[format], headers=headers)


_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}


def _days_of(which: Selection) -> Callable[[str], dict[str, str]]:
    """What narrows a report to one of its weeks, given by its Monday."""

    def days(monday: str) -> dict[str, str]:
        first = date.fromisoformat(monday)
        last = first + timedelta(days=6)
        if which.begin:
            first = max(first, which.begin.date())
        if which.end:
            last = min(last, which.end.date() - timedelta(days=1))
        return {"from_": first.isoformat(), "to": last.isoformat()}

    return days


def _links(request: Request) -> Callable[..., str]:
    """Makes addresses with the same filters and some of them changed; an empty one is left out."""
    kept = {name: request.query_params.get(name, "") for name in ("from", "to", *NARROWED)}

    def url(path: str = "/reports", /, **changed: str) -> str:
        asked: Mapping[str, str] = {
            **kept,
            **{name.rstrip("_"): value for name, value in changed.items()},
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"{path}?{query}" if query else path

    return url
