"""The work on a case by the links of the mails."""

import re

from fastapi.testclient import TestClient

from alerting.services.cases.respond import Purpose, Ticket
from tests.support.cases.doors import ADMIN, actors, seen
from tests.support.world import World


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
