"""The doors by HTTP: events, forms, action links, pages, health."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from alerting.bootstrap import web_parts
from alerting.database.customers import customers
from alerting.database.tables import contact_attempt, event
from alerting.domain.customers.customers import CustomerChange
from alerting.domain.errors import LogUnavailable
from alerting.entrypoints.web.app import create_app
from alerting.services.intake.consumer import Consumption
from alerting.services.intake.event_log import NewRecord
from tests.support.world import World

KEY = {"x-api-key": "test-ingest-key-0123"}
ADMIN = {"authorization": "Bearer test-admin-token-0123"}


@pytest.fixture
def client(small_world: World) -> Iterator[TestClient]:
    with TestClient(create_app(web_parts(small_world.app)), follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def dead_log_client(small_world: World) -> Iterator[TestClient]:
    """The same doors in front of an event log that does not answer."""

    class DeadLog:
        def append(self, records: object) -> None:
            raise LogUnavailable("connection refused")

        def ends(self) -> dict[tuple[str, int], int]:
            raise LogUnavailable("connection refused")

    parts = replace(web_parts(small_world.app), event_log=DeadLog())  # type: ignore[arg-type]
    with TestClient(create_app(parts), follow_redirects=False) as opened:
        yield opened


def _consume(world: World) -> None:
    consumption = Consumption(ctx=world.app.ctx, consumer=world.app.event_log.consumer())
    for _ in range(3):
        consumption.step(0.0)


def _stored(world: World) -> list[Any]:
    _consume(world)
    return world.rows(select(event).order_by(event.c.seq))


# Events


def test_an_event_is_taken_with_202_and_reaches_intake(
    client: TestClient, small_world: World
) -> None:
    answer = client.post("/v1/events", json=small_world.survey("KIOSK-7", score=9), headers=KEY)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert [e.customer_key for e in _stored(small_world)] == ["KIOSK-7"]


def test_binary_mode_puts_the_attributes_into_headers(
    client: TestClient, small_world: World
) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-type": "survey.answered",
        "ce-source": "/crm",
        "ce-id": "b1",
        **KEY,
    }
    data = {"customer_id": "KIOSK-7", "survey_id": "s", "metric": "csat", "score": 5}
    assert client.post("/v1/events", json=data, headers=headers).status_code == 202
    (stored,) = _stored(small_world)
    assert (stored.source, stored.id, stored.payload["score"]) == ("/crm", "b1", 5)


def test_a_batch_is_taken_whole_or_not_at_all(client: TestClient, small_world: World) -> None:
    good, bad = small_world.survey("KIOSK-7", score=9), small_world.survey("KIOSK-7", score=99)
    refused = client.post("/v1/events", json=[good, bad], headers=KEY)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.json()["index"], refused.json()["field"]) == (1, "data.score")
    assert _stored(small_world) == []
    assert client.post(
        "/v1/events", json=[good, small_world.survey(score=8)], headers=KEY
    ).json() == {"accepted": 2}
    assert len(_stored(small_world)) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"specversion": "1.0"', None),
        (b'{"specversion": "1.0", "x": "\xff"}', None),
        (b"", None),
        (b"[]", None),
        (
            b'{"specversion": "1.0", "id": "1", "source": "s", "type": "no.such.type", "data": {}}',
            "type",
        ),
        (b'{"specversion": "1.0", "id": "1", "source": "s", "type": "survey.answered"}', "data"),
        (b'{"id": "1", "source": "s", "type": "survey.answered", "data": {}}', "specversion"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_field_that_is_wrong(
    client: TestClient, small_world: World, body: bytes, field: str | None
) -> None:
    answer = client.post("/v1/events", content=body, headers=KEY)
    assert answer.status_code == 422
    assert answer.json().get("field") == field
    assert answer.json()["detail"]
    assert _stored(small_world) == []


def test_two_megabytes_are_too_much(client: TestClient) -> None:
    answer = client.post("/v1/events", content=b" " * 2_000_000, headers=KEY)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Content Too Large",
        "status": 413,
        "detail": "At most 1048576 bytes are taken.",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_large_body_without_a_length_is_stopped_while_it_comes(
    client: TestClient, small_world: World
) -> None:
    chunks = (b" " * 100_000 for _ in range(20))
    answer = client.post("/v1/events", content=chunks, headers=KEY)
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert _stored(small_world) == []


@pytest.mark.parametrize(
    "headers", [{}, {"x-api-key": "wrong"}, {"authorization": "Bearer wrong"}, ADMIN]
)
def test_events_need_an_api_key(
    client: TestClient, small_world: World, headers: dict[str, str]
) -> None:
    assert client.post("/v1/events", json=small_world.survey(), headers=headers).status_code == 401


def test_a_missing_key_and_an_unknown_one_are_told_apart(
    client: TestClient, small_world: World
) -> None:
    missing = client.post("/v1/events", json=small_world.survey())
    unknown = client.post("/v1/events", json=small_world.survey(), headers={"x-api-key": "wrong"})
    assert (missing.status_code, missing.json()["title"]) == (401, "API key needed")
    assert (unknown.status_code, unknown.json()["title"]) == (401, "API key not known")


def test_a_log_that_does_not_answer_is_503_with_a_time_to_come_back(
    dead_log_client: TestClient, small_world: World
) -> None:
    answer = dead_log_client.post("/v1/events", json=small_world.survey(), headers=KEY)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


# The hosted form


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
    stored = [e for e in _stored(small_world) if e.type == "survey.answered"]
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
    assert _stored(small_world) == []


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
    (stored,) = _stored(small_world)
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


# Action links


@pytest.fixture
def links(small_world: World) -> dict[str, str]:
    """The VP's action links after the key account complained: by label, without the host."""
    small_world.known_customers()
    small_world.take(small_world.survey(score=2))
    mail = next(m for m in small_world.deliver() if "vp.sales" in m.to)
    found = re.findall(
        r"^(I'll call|I called\.\.\.|Hand over):\s+http://[^/]+(/a/\S+)", mail.text, re.MULTILINE
    )
    return dict(found)


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


# Pages and health


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


def test_health_is_open_and_readiness_names_what_is_missing(
    client: TestClient, dead_log_client: TestClient
) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").status_code == 200
    not_ready = dead_log_client.get("/readyz")
    assert not_ready.status_code == 503
    assert "event_log" in not_ready.json()["problems"]


def test_metrics_show_lag_outbox_timers_dead_letters_and_unknown_conditions(
    client: TestClient, small_world: World
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey(score=2), b"{")
    no_score = {"customer_id": "ACME-AERO", "survey_id": "s", "comment": "?"}
    small_world.take(small_world.envelope("survey.answered", no_score))
    waiting = small_world.record(small_world.survey("KIOSK-7", score=9)).value or b""
    small_world.app.event_log.append([NewRecord(topic="surveys", key="k", value=waiting)])
    small_world.pass_time(hours=5)
    text = client.get("/metrics", headers=ADMIN).text
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(figures['alerting_lag_records{partition="0",topic="surveys"}']) == 1
    assert float(figures["alerting_outbox_waiting"]) == 3
    assert float(figures["alerting_outbox_oldest_seconds"]) >= 5 * 3600
    assert float(figures["alerting_timers_overdue"]) >= 1
    assert float(figures["alerting_dead_letters"]) == 1
    assert float(figures['alerting_unknown_conditions{rule="key-account-unhappy"}']) == 1
    assert float(figures["alerting_event_log_up"]) == 1


def test_every_answer_forbids_framing_caching_and_leaking_its_address(client: TestClient) -> None:
    for path in ("/f/relationship", "/login", "/a/x", "/healthz"):
        headers = client.get(path).headers
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "script-src" not in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]


def test_the_api_describes_itself(client: TestClient) -> None:
    described = client.get("/openapi.json", headers=ADMIN).json()
    assert list(described["paths"]) == [
        "/v1/events",
        "/v1/customers/{customer_id}",
        "/v1/cases/{case_id}",
        "/v1/cases/{case_id}/acts",
    ]
    assert json.dumps(described)
