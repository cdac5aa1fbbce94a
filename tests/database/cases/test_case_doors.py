"""Case work by page, link and API (the command line is in test_commands.py): the same use cases,
and who did it in the audit.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.database.audit import audit_entries
from alerting.entrypoints.web.app import create_app
from alerting.services.cases.respond import Purpose, Ticket
from tests.support.world import World

ADMIN = {"authorization": "Bearer test-admin-token-0123"}


@pytest.fixture
def unhappy(small_world: World) -> World:
    small_world.known_customers()
    small_world.take(small_world.survey(score=2))
    small_world.deliver()
    return small_world


@pytest.fixture
def client(unhappy: World) -> Iterator[TestClient]:
    with TestClient(create_app(web_parts(unhappy.app)), follow_redirects=False) as opened:
        yield opened


def link(world: World, purpose: Purpose, person: str = "vp_sales") -> str:
    case = world.case("ACME-AERO")
    ticket = Ticket(
        case_id=case.id or 0,
        person=person,
        assignment=case.assignment,
        cycle=case.cycle,
        purpose=purpose,
    )
    return "/a/" + world.app.links.action(ticket).partition("/a/")[2]


def actors(world: World) -> list[tuple[str, str]]:
    with world.app.ctx.db.read() as tx:
        return [(e.actor, e.action) for e in audit_entries.entries_of(tx, "case", "1")]


def seen(world: World) -> dict[str, str]:
    case = world.case("ACME-AERO")
    return {"revision": str(case.revision)}


def test_waiting_and_going_on_by_link(client: TestClient, unhappy: World) -> None:
    page = client.get(link(unhappy, "wait"))
    assert "Wait with Acme Aerospace?" in page.text
    given = {"waiting_for": "customer", "reason": "away", "until": "2026-03-10T09:00"}
    done = client.post(link(unhappy, "wait"), data=given)
    assert (done.status_code, "C-1 waits until 2026-03-10 08:00Z at most." in done.text) == (
        200,
        True,
    )  # Berlin is an hour ahead
    assert 'until <strong class="whole">Tue 10 Mar 09:00' in client.get(link(unhappy, "wait")).text
    client.post(link(unhappy, "wait"), data={"act": "go_on"})
    assert unhappy.case("ACME-AERO").waiting_since is None
    assert ("vp_sales by link", "case.resumed") in actors(unhappy)


def test_a_refused_form_comes_back_with_what_was_typed(client: TestClient, unhappy: World) -> None:
    given = {
        "waiting_for": "third_party",
        "reason": "the carrier's answer",
        "until": "2020-01-01T09:00",
    }
    page = client.post(link(unhappy, "wait"), data=given)
    assert page.status_code == 409
    assert "which has passed" in page.text
    assert "the carrier&#39;s answer" in page.text
    assert 'value="third_party" checked' in page.text


def test_the_cause_by_link_with_root_cause_and_action(client: TestClient, unhappy: World) -> None:
    page = client.get(link(unhappy, "fixed", "office_berlin"))
    assert "A faulty product" in page.text
    client.post(
        link(unhappy, "fixed", "office_berlin"),
        data={"root_cause": "product", "action": "replaced"},
    )
    case = unhappy.case("ACME-AERO")
    assert (case.root_cause, case.action) == ("product", "replaced")
    refused = client.post(
        link(unhappy, "fixed", "office_berlin"),
        data={"root_cause": "product", "action": "replaced"},
    )
    assert refused.status_code == 409


def test_a_note_and_a_review_by_link(client: TestClient, unhappy: World) -> None:
    client.post(link(unhappy, "note"), data={"note": "Their buyer is new."})
    assert "Their buyer is new." in client.get("/cases/1", headers=ADMIN).text
    early = client.post(link(unhappy, "review"), data={"effective": "yes"})
    assert early.status_code == 409
    unhappy.reached("ACME-AERO", "vp_sales")
    unhappy.fixed("ACME-AERO")
    client.post(link(unhappy, "review"), data={"effective": "yes"})
    assert "yes, said Vera Sample" in client.get("/cases/1", headers=ADMIN).text


def test_a_correction_is_approved_from_the_managers_mail(
    client: TestClient, unhappy: World
) -> None:
    unhappy.pass_time(hours=3)
    unhappy.reached("ACME-AERO", "vp_sales")
    unhappy.deliver()
    given = {
        "act": "correct",
        "by": "vp_sales",
        "becomes": "2026-03-06T10:00",
        "reason": "The log.",
        **seen(unhappy),
    }
    assert client.post("/cases/1", data=given, headers=ADMIN).status_code == 303
    mail = next(m for m in unhappy.deliver() if "corrected time" in m.subject)
    found = re.search(r"Look and decide:\s+http://[^/]+(/a/\S+)", mail.text)
    assert found is not None
    page = client.get(found[1]).text
    assert "Fri 6 Mar 10:00" in page
    assert client.post(found[1], data={"correction": "1", "approve": "yes"}).status_code == 200
    assert unhappy.case("ACME-AERO").contacted_at is not None
    assert (
        "approved the correction: the call at 2026-03-06 09:00Z"
        in client.get("/cases/1", headers=ADMIN).text
    )


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


def test_a_link_gives_the_case_to_somebody_else_and_corrects_a_time(
    client: TestClient, unhappy: World
) -> None:
    page = client.get(link(unhappy, "acknowledge")).text
    assert "Assign" in page and "A time is wrong" not in page
    given = client.post(
        link(unhappy, "assign", "owner_north"),
        data={"duty": "caller", "to": "ceo", "reason": "Away."},
    )
    assert (given.status_code, unhappy.case("ACME-AERO").caller) == (200, "ceo")
    assert ("owner_north by link", "case.handed_over") in actors(unhappy)
    assert "no time to correct" in client.get(link(unhappy, "correct")).text
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", "ceo")
    told = {"what": "contact", "becomes": "2026-03-06T10:00", "reason": "The phone log says so."}
    proposed = client.post(link(unhappy, "correct", "ceo"), data=told)
    assert (proposed.status_code, "is proposed" in proposed.text or "approve" in proposed.text) == (
        200,
        True,
    )
    assert ("ceo by link", "correction.proposed") in actors(unhappy)
