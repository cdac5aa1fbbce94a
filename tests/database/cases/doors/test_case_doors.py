"""The work on a case by its page and by the API."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.entrypoints.web.app import create_app
from tests.support.cases.doors import ADMIN, actors, seen
from tests.support.world import World


def test_the_page_acts_as_whoever_is_chosen_on_it(client: TestClient, unhappy: World) -> None:
    given = {"act": "assign", "by": "ceo", "to": "lead_central", "duty": "caller", **seen(unhappy)}
    assert client.post("/cases/1", data=given).status_code == 401
    assert client.post("/cases/1", data=given, headers=ADMIN).status_code == 303
    assert unhappy.case("ACME-AERO").caller == "lead_central"
    assert ("ceo by page", "case.handed_over") in actors(unhappy)
    late = client.post("/cases/1", data={**given, "to": "owner_north"}, headers=ADMIN)
    assert late.status_code == 409
    assert "C-1 has changed since you looked" in late.text
    nobody = client.post("/cases/1", data={**given, "by": ""}, headers=ADMIN)
    assert (nobody.status_code, "is nobody in people.yaml" in nobody.text) == (409, True)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"act": "nonsense"},
        {"act": "wait"},
        {"act": "contact", "outcome": "telepathy"},
        {"act": "wait", "waiting_for": "customer", "reason": "x", "until": "soon"},
    ],
)
def test_what_the_page_cannot_read_it_says(
    client: TestClient, unhappy: World, given: dict[str, str]
) -> None:
    before = unhappy.case("ACME-AERO")
    page = client.post("/cases/1", data={"by": "vp_sales", **given}, headers=ADMIN)
    assert page.status_code == 409
    assert 'role="alert"' in page.text
    assert unhappy.case("ACME-AERO") == before


def test_the_api_shows_a_case_and_acts_on_it(client: TestClient, unhappy: World) -> None:
    assert client.get("/v1/cases/1").status_code == 401
    found = client.get("/v1/cases/1", headers=ADMIN).json()
    assert (found["number"], found["status"], found["caller"]) == ("C-1", "open", "vp_sales")
    assert {c["clock"]: c["within"] for c in found["clocks"]}["1.contact.1"] == "24h"
    body: dict[str, Any] = {
        "act": "wait",
        "by": "vp_sales",
        "waiting_for": "customer",
        "reason": "away",
    }
    after = client.post("/v1/cases/1/acts", json={**body, "seen": found["revision"]}, headers=ADMIN)
    assert (after.status_code, after.json()["status"]) == (200, "waiting")
    again = client.post("/v1/cases/1/acts", json=body, headers=ADMIN)
    assert (again.status_code, "waits already" in again.json()["detail"]) == (409, True)
    assert ("vp_sales by api", "case.waiting") in actors(unhappy)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"act": "wait", "by": "vp_sales"}, 422, "waiting_for is missing"),
        (
            {"act": "note", "by": "vp_sales", "text": "x", "more": 1},
            422,
            "more: extra inputs are not permitted",
        ),
        ({"act": "fly", "by": "vp_sales"}, 422, "act is one of acknowledge"),
        ({"act": "note", "by": "nobody", "text": "x"}, 409, "is nobody in people.yaml"),
        (
            {"act": "note", "by": "vp_sales", "text": "x", "seen": {"a": 1}},
            422,
            "seen: is the revision",
        ),
        (
            {
                "act": "contact",
                "by": "vp_sales",
                "outcome": "reached",
                "happened_at": "2026-03-06T10:00:00",
            },
            422,
            "happened_at",
        ),
        ({"act": "decide", "by": "ceo", "correction": 10**30, "approve": True}, 422, "correction"),
        ({"act": "decide", "by": "ceo", "correction": -5, "approve": True}, 422, "correction"),
        (
            {
                "act": "correct",
                "by": "ceo",
                "call": 0,
                "becomes": "2026-03-06T10:00:00Z",
                "reason": "x",
            },
            422,
            "call",
        ),
        (
            {"act": "hand_over", "by": "vp_sales", "to": "ceo", "reason": "x", "seen": 77},
            409,
            "has changed since",
        ),
    ],
)
def test_the_api_says_what_is_wrong(
    client: TestClient, unhappy: World, body: dict[str, Any], status: int, detail: str
) -> None:
    before = actors(unhappy)
    answer = client.post("/v1/cases/1/acts", json=body, headers=ADMIN)
    assert answer.status_code == status
    assert detail in answer.json()["detail"]
    assert actors(unhappy) == before
    assert client.post("/v1/cases/99/acts", json=body, headers=ADMIN).status_code == 404
    assert client.get("/v1/cases/99", headers=ADMIN).status_code == 404


def test_texts_with_nul_are_kept_without_it(client: TestClient, world_client: TestClient) -> None:
    for one in (client, world_client):
        body = {"act": "note", "by": "ceo", "text": "pasted\x00words"}
        assert one.post("/v1/cases/1/acts", json=body, headers=ADMIN).status_code == 200


@pytest.fixture
def world_client(world: World) -> Iterator[TestClient]:
    world.known_customers()
    world.take(world.survey(score=2))
    with TestClient(create_app(web_parts(world.app)), follow_redirects=False) as opened:
        yield opened


@pytest.mark.parametrize("number", ["0", "7", str(10**17)])
def test_there_is_no_such_case(client: TestClient, number: str) -> None:
    given = {"act": "note", "by": "ceo", "text": "x"}
    assert client.post(f"/cases/{number}", data=given, headers=ADMIN).status_code == 404
    assert client.get(f"/cases/{number}", headers=ADMIN).status_code == 404


@pytest.mark.parametrize("number", ["-1", str(10**30), "x"])
def test_what_is_no_number_of_a_case_is_refused(client: TestClient, number: str) -> None:
    assert client.post(f"/cases/{number}", data={"act": "note"}, headers=ADMIN).status_code in {
        404,
        422,
    }


def test_two_people_who_saw_the_same_page_do_not_undo_each_other(
    client: TestClient, unhappy: World
) -> None:
    given = {"act": "assign", "by": "ceo", "to": "office_munich", "duty": "fixer", **seen(unhappy)}
    assert client.post("/cases/1", data=given, headers=ADMIN).status_code == 303
    assert (
        client.post("/cases/1", data={**given, "to": "office_berlin"}, headers=ADMIN).status_code
        == 409
    )
    assert unhappy.case("ACME-AERO").fixer == "office_munich"


def test_events_without_words_are_explained_on_their_page_too(
    client: TestClient, unhappy: World
) -> None:
    unhappy.take(unhappy.call("ACME-AERO", id="wordless"), unhappy.survey(id="mute", comment=None))
    for event in ("wordless", "mute"):
        assert client.get(f"/explain?event={event}", headers=ADMIN).status_code == 200
    assert client.get("/cases/1", headers=ADMIN).status_code == 200
