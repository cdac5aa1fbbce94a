"""Events by HTTP: taken whole, refused with the field, or to be sent again."""

import pytest
from fastapi.testclient import TestClient

from tests.support.web import ADMIN, stored_events
from tests.support.world import World

KEY = {"x-api-key": "test-ingest-key-0123"}


def test_an_event_is_taken_with_202_and_reaches_intake(
    client: TestClient, small_world: World
) -> None:
    answer = client.post("/v1/events", json=small_world.survey("KIOSK-7", score=9), headers=KEY)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1})
    assert [e.customer_key for e in stored_events(small_world)] == ["KIOSK-7"]


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
    (stored,) = stored_events(small_world)
    assert (stored.source, stored.id, stored.payload["score"]) == ("/crm", "b1", 5)


def test_a_batch_is_taken_whole_or_not_at_all(client: TestClient, small_world: World) -> None:
    good, bad = small_world.survey("KIOSK-7", score=9), small_world.survey("KIOSK-7", score=99)
    refused = client.post("/v1/events", json=[good, bad], headers=KEY)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.json()["index"], refused.json()["field"]) == (1, "data.score")
    assert stored_events(small_world) == []
    assert client.post(
        "/v1/events", json=[good, small_world.survey(score=8)], headers=KEY
    ).json() == {"accepted": 2}
    assert len(stored_events(small_world)) == 2


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
    assert stored_events(small_world) == []


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
    assert stored_events(small_world) == []


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
