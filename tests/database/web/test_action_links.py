"""The links of the mails: looking changes nothing, pressing does."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alerting.bootstrap import web_parts
from alerting.database.tables import contact_attempt
from alerting.entrypoints.web.app import create_app
from tests.support.web import ADMIN
from tests.support.world import World


def test_looking_at_a_link_changes_nothing(
    client: TestClient, small_world: World, links: dict[str, str]
) -> None:
    for link in links.values():
        page = client.get(link)
        assert page.status_code == 200
        assert "Acme Aerospace" in page.text
    assert small_world.case("ACME-AERO").status == "open"
    assert small_world.rows(select(contact_attempt)) == []


def test_links_acknowledge_record_a_call_and_hand_over(
    client: TestClient, small_world: World, links: dict[str, str]
) -> None:
    assert client.post(links["I'll call"]).status_code == 200
    assert small_world.case("ACME-AERO").status == "acknowledged"
    voicemail = client.post(links["I called..."], data={"outcome": "voicemail", "channel": "phone"})
    assert "attempt" in voicemail.text
    assert small_world.clocks("ACME-AERO")["contact"].running
    refused = client.post(links["Hand over"], data={"to": "ceo", "note": " "})
    assert refused.status_code == 409
    assert (
        client.post(links["Hand over"], data={"to": "ceo", "note": "on a plane"}).status_code == 200
    )
    assert small_world.case("ACME-AERO").caller == "ceo"


def test_a_call_can_be_dated_in_the_readers_own_zone(
    client: TestClient, small_world: World, links: dict[str, str]
) -> None:
    small_world.pass_time(hours=2)
    sent = {
        "outcome": "reached",
        "channel": "phone",
        "happened_at": "2026-03-06T10:00",
        "note": "Spoke for long.",
    }
    assert client.post(links["I called..."], data=sent).status_code == 200
    (attempt,) = small_world.rows(select(contact_attempt))
    assert attempt.happened_at.isoformat() == "2026-03-06T09:00:00+00:00"  # ten o'clock in Berlin


@pytest.mark.parametrize(
    "happened_at",
    [
        "2026-03-09T10:00",
        "yesterday",
        "2026-03-01T10:00",
        "0001-01-01T00:00",
        "0001-01-01T00:00+14:00",
        "9999-12-31T23:59-12:00",
        "2026-03-06T\x00",
    ],
)
def test_a_call_at_an_impossible_time_is_refused_with_the_reason(
    client: TestClient, links: dict[str, str], happened_at: str
) -> None:
    sent = {"outcome": "reached", "channel": "phone", "happened_at": happened_at}
    answer = client.post(links["I called..."], data=sent)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("link", ["I called...", "Hand over"])
def test_a_note_may_hold_what_postgresql_does_not_take(world: World, link: str) -> None:
    world.known_customers()
    world.take(world.survey(score=2))
    mail = next(m for m in world.deliver() if "vp.sales" in m.to)
    found = re.search(rf"^{re.escape(link)}:\s+http://[^/]+(/a/\S+)", mail.text, re.MULTILINE)
    assert found
    sent = {"outcome": "reached", "channel": "phone", "to": "ceo", "note": "pasted\x00words"}
    with TestClient(create_app(web_parts(world.app))) as client:
        assert client.post(found[1], data=sent).status_code == 200
        assert (
            client.post(found[1], data={**sent, "to": "\x00", "outcome": "\x00"}).status_code == 409
        )
        assert "pasted\ufffdwords" in client.get("/cases/1", headers=ADMIN).text
        assert client.get("/cases?status=%00", headers=ADMIN).status_code == 422
        assert client.get("/cases/" + "9" * 20, headers=ADMIN).status_code == 404


def test_a_refused_form_comes_back_with_what_was_typed(
    client: TestClient, links: dict[str, str]
) -> None:
    words = "She will <think> about it."
    sent = {
        "outcome": "reached",
        "channel": "meeting",
        "happened_at": "2026-03-09T10:00",
        "note": words,
    }
    page = client.post(links["I called..."], data=sent).text
    assert "She will &lt;think&gt; about it.</textarea>" in page
    assert 'value="2026-03-09T10:00"' in page
    assert re.search(r'value="reached" checked', page)
    assert re.search(r'value="meeting" selected', page)
    handed = client.post(links["Hand over"], data={"to": "ceo", "note": " "}).text
    assert re.search(r'value="ceo" selected', handed)


def test_who_takes_the_call_sees_the_number_to_call_at_once(
    client: TestClient, links: dict[str, str]
) -> None:
    page = client.post(links["I'll call"]).text
    assert "you call Acme Aerospace" in page
    assert 'href="tel:' in page
    assert "I called" in page


def test_a_stale_link_offers_to_take_over_instead_of_acting(
    client: TestClient, small_world: World, links: dict[str, str]
) -> None:
    client.post(links["Hand over"], data={"to": "ceo", "note": "on a plane"})
    assert (
        client.post(
            links["I called..."], data={"outcome": "reached", "channel": "phone"}
        ).status_code
        == 409
    )
    assert small_world.clocks("ACME-AERO")["contact"].running
    assert "take_over" in client.get(links["I'll call"]).text
    assert client.post(links["I'll call"], data={"take_over": "yes"}).status_code == 200
    assert small_world.case("ACME-AERO").caller == "vp_sales"


def test_a_link_that_was_changed_does_nothing(
    client: TestClient, small_world: World, links: dict[str, str]
) -> None:
    link = links["I'll call"]
    for wrong in (link[:-1] + ("A" if link[-1] != "A" else "B"), "/a/nonsense", "/a/" + "x" * 5000):
        assert client.get(wrong).status_code == 400
        assert client.post(wrong).status_code == 400
    assert small_world.case("ACME-AERO").status == "open"
