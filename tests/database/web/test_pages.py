"""Pages for insiders."""

import re

import pytest
from fastapi.testclient import TestClient

from alerting.database.customers import customers
from alerting.domain.customers.customers import CustomerChange
from tests.support.web import ADMIN
from tests.support.world import World


@pytest.mark.parametrize(
    "path",
    [
        "/cases",
        "/cases/1",
        "/reports",
        "/reports?format=json",
        "/mailbox",
        "/metrics",
        "/docs",
        "/openapi.json",
    ],
)
def test_pages_need_the_admin_token(client: TestClient, links: dict[str, str], path: str) -> None:
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get(path, headers=ADMIN).status_code == 200


def test_signing_in_sets_a_cookie_that_is_not_the_token_and_leads_back(client: TestClient) -> None:
    asked = client.get("/reports", headers={"accept": "text/html"})
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=/reports")
    assert client.post("/login", data={"token": "wrong", "next": "/reports"}).status_code == 403
    signed = client.post("/login", data={"token": "test-admin-token-0123", "next": "/reports"})
    assert signed.headers["location"] == "/reports"
    assert "test-admin-token-0123" not in signed.headers["set-cookie"]
    assert client.get("/reports").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_signing_in_never_leads_elsewhere(client: TestClient, target: str) -> None:
    signed = client.post("/login", data={"token": "test-admin-token-0123", "next": target})
    assert signed.headers["location"] == "/cases"


def test_the_case_page_tells_the_story_and_escapes_the_customers_words(
    client: TestClient, small_world: World
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey(score=2, comment="<script>alert(1)</script>"))
    small_world.deliver()
    small_world.reached("ACME-AERO", by="vp_sales")
    page = client.get("/cases/1", headers=ADMIN).text
    assert "<script>" not in page
    for words in (
        "Vera Sample reached the customer",
        "contact in time",
        "asked to call",
        "gave a negative answer",
    ):
        assert words in page
    assert client.get("/cases/99", headers=ADMIN).status_code == 404


def _state_of(page: str, promise: str) -> list[str]:
    """The states of a promise's plans on a case page, oldest first, without tags."""
    rows = re.findall(
        rf'<td class="head">{promise}.*?data-label="State">(.*?)</td></tr>', page, re.DOTALL
    )
    return [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in rows]


def test_the_case_page_shows_a_promise_that_a_stricter_one_replaced(
    client: TestClient, small_world: World
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey("ALPENWERK", score=3))
    small_world.pass_time(hours=1)
    small_world.take(*(small_world.call() for _ in range(3)))
    page = client.get("/cases/1", headers=ADMIN)
    assert page.status_code == 200
    first, second = _state_of(page.text, "contact")
    assert first.startswith("replaced by a stricter promise Fri")
    assert second.endswith("left")


def test_the_case_page_shows_a_case_that_was_opened_again(
    client: TestClient, small_world: World
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey(score=2))
    small_world.pass_time(hours=1)
    small_world.reached("ACME-AERO", by="vp_sales")
    small_world.pass_time(hours=1)
    small_world.take(small_world.survey(score=1))
    page = client.get("/cases/1", headers=ADMIN)
    assert page.status_code == 200
    kept, running = _state_of(page.text, "contact")
    assert kept.startswith("kept Fri")
    assert running.endswith("left")
    assert _state_of(page.text, "resolve")[0].startswith("taken over by cycle 2 Fri")


@pytest.mark.parametrize("revenue", [1e15, 1e40, 1e300])
def test_the_case_page_shows_a_revenue_nobody_has(
    client: TestClient, small_world: World, revenue: float
) -> None:
    """The door refuses such a number by now; one that was stored before must not take the page
    away.
    """
    small_world.known_customers()
    small_world.take(small_world.survey(score=2))
    with small_world.app.ctx.db.write() as tx:
        now = tx.now()
        given = {"revenue_with_us": revenue}
        change = CustomerChange(valid_from=now, source="/crm", event_id="1", changes=given)
        customers.add_changes(tx, {"ACME-AERO": [change]}, now)
    assert f"{revenue:.2e} EUR" in client.get("/cases/1", headers=ADMIN).text


@pytest.mark.parametrize(
    "path", ["/nope", "/cases/abc", "/cases/99", "/cases/²", "/cases/" + "9" * 20]
)
def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(
    client: TestClient, path: str
) -> None:
    page = client.get(path, headers={**ADMIN, "accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is no such page" in page.text
    answer = client.get(path, headers=ADMIN)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("status", ["foo", "", "%00", "OPEN"])
def test_cases_of_a_status_there_is_none_are_refused_with_the_known_ones(
    client: TestClient, status: str
) -> None:
    page = client.get(f"/cases?status={status}", headers={**ADMIN, "accept": "text/html"})
    assert page.status_code == 422
    assert "unresolved, open, acknowledged, contacted, waiting, resolved, all" in page.text
    for known in ("all", "open"):
        assert client.get(f"/cases?status={known}", headers=ADMIN).status_code == 200


def test_a_report_that_ends_before_it_begins_is_refused(client: TestClient) -> None:
    answer = client.get("/reports?from=2026-03-31&to=2026-03-01", headers=ADMIN)
    assert answer.status_code == 422
    assert "swap the two days" in answer.json()["detail"]
    page = client.get("/reports?from=nonsense", headers={**ADMIN, "accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert (
        client.get("/reports?from=0001-01-01&to=9999-12-31&format=json", headers=ADMIN).status_code
        == 200
    )


def test_the_report_as_json_has_the_figures_of_the_page(
    client: TestClient, links: dict[str, str], small_world: World
) -> None:
    small_world.reached("ACME-AERO", by="vp_sales")
    found = client.get("/reports?format=json&from=2026-03-01&to=2026-03-31", headers=ADMIN).json()
    contact = next(line for line in found["overall"] if line["clock"] == "contact")
    assert (found["cases"], contact["met"], contact["in_target"]) == (1, 1, 1.0)
    assert client.get("/reports?from=2026-04-01&format=json", headers=ADMIN).json()["cases"] == 0
    assert client.get("/reports?from=nonsense", headers=ADMIN).status_code == 422
