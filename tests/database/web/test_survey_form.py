"""The survey form, invited and not."""

import re

import pytest
from fastapi.testclient import TestClient

from tests.support.web import stored_events
from tests.support.world import World


def _fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_the_form_turns_an_invited_answer_into_an_event_of_that_customer(
    client: TestClient, small_world: World
) -> None:
    small_world.known_customers()
    link = small_world.app.links.invitation("relationship", "ACME-AERO", "Ada Example").split(
        "8080", 1
    )[1]
    page = client.get(link)
    assert page.status_code == 200
    sent = {
        **_fields(page.text),
        "score": "2",
        "comment": "Still <b>leaks</b>",
        "contact_me": "yes",
    }
    for _ in range(2):  # a double click is one answer
        answer = client.post("/f/relationship", data=sent)
        assert (answer.status_code, answer.headers["location"]) == (303, "/f/relationship/thanks")
    stored = [e for e in stored_events(small_world) if e.type == "survey.answered"]
    assert [(e.customer_key, e.payload["score"], e.payload["contact_me"]) for e in stored] == [
        ("ACME-AERO", 2, True)
    ]
    assert "vp.sales" in " ".join(mail.to for mail in small_world.deliver())


@pytest.mark.parametrize("score", ["", "11", "-1", "²", "٣", "9" * 5000, "1e0", "2.0"])
def test_a_score_that_is_none_is_asked_for_again(
    client: TestClient, small_world: World, score: str
) -> None:
    answer = client.post(
        "/f/relationship", data={"score": score, "email": "someone@example.com", "nonce": "n"}
    )
    assert answer.status_code == 422
    assert "Please choose a number." in answer.text
    assert stored_events(small_world) == []


def test_without_an_invitation_the_form_asks_who_is_answering(
    client: TestClient, small_world: World
) -> None:
    page = client.get("/f/relationship")
    sent = {**_fields(page.text), "score": "9", "comment": "fine"}
    refused = client.post("/f/relationship", data=sent)
    assert refused.status_code == 422
    assert "e-mail" in refused.text
    assert "fine" in refused.text  # what was written is still there
    assert (
        client.post("/f/relationship", data={**sent, "email": "ann@example.com"}).status_code == 303
    )
    (stored,) = stored_events(small_world)
    assert stored.customer_key.startswith("respondent:")


def test_an_invitation_cannot_be_changed_or_used_for_another_survey(
    client: TestClient, small_world: World
) -> None:
    link = small_world.app.links.invitation("relationship", "ACME-AERO")
    assert client.get(link.split("8080", 1)[1][:-2] + "xx").status_code == 400
    token = link.split("i=")[1]
    assert (
        client.post(
            "/f/relationship", data={"i": token + "x", "score": "1", "nonce": "n"}
        ).status_code
        == 400
    )
    assert client.get("/f/no-such-survey").status_code == 404


def test_a_form_sent_while_the_log_is_down_keeps_the_words(dead_log_client: TestClient) -> None:
    sent = {"nonce": "n", "score": "1", "comment": "My long story", "email": "ann@example.com"}
    answer = dead_log_client.post("/f/relationship", data=sent)
    assert answer.status_code == 503
    assert "My long story" in answer.text
