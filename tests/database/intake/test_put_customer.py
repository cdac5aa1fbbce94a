"""PUT /v1/customers/{id}: one customer said in the way of HTTP, durable when it is answered."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from alerting.adapters.intake.local_log import LocalLog
from alerting.bootstrap import web_parts
from alerting.database.customers import customers
from alerting.database.engine import Database
from alerting.database.tables import customer_version
from alerting.entrypoints.web.app import create_app
from alerting.services.intake.take_records import take_records
from tests.support.world import BEGIN, World

KEY = {"X-API-Key": "test-ingest-key-0123"}


@pytest.fixture
def client(world: World) -> Iterator[TestClient]:
    with TestClient(create_app(web_parts(world.app))) as made:
        yield made


def put(client: TestClient, key: str, body: Any) -> Any:
    return client.put(f"/v1/customers/{key}", json=body, headers=KEY)


def consume(world: World) -> int:
    """Bring what the log has to intake, as the consumer does; returns how many records there
    were.
    """
    consumer = world.app.event_log.consumer()
    for partition in consumer.poll(0).assigned:
        consumer.seek(partition, 0)
    records = [record for fetched in consumer.poll(0).fetched for record in fetched.records]
    take_records(world.app.ctx, records)
    return len(records)


def state(world: World, key: str) -> dict[str, Any]:
    with world.app.ctx.db.read() as tx:
        return dict(customers.customer_now(tx, key).state)


def test_a_customer_put_is_durable_then_known_and_putting_it_again_changes_nothing(
    world: World, client: TestClient
) -> None:
    body = {
        "name": "Acme",
        "revenue_with_us": 5,
        "contacts": [{"name": "Ada"}],
        "attributes": {"tier": "gold"},
    }
    answer = put(client, "ACME 1/2", body)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    assert world.app.event_log.ends()[("customers", 0)] == 1
    assert consume(world) == 1
    assert state(world, "ACME 1/2")["name"] == "Acme"
    again = put(client, "ACME 1/2", body)
    assert (again.status_code, again.json()) == (202, {"accepted": 0, "unchanged": True})
    assert put(client, "ACME 1/2", {"name": "Acme"}).json()["accepted"] == 0
    assert (
        put(client, "ACME 1/2", {"name": None, "attributes": {"tier": None}}).json()["accepted"]
        == 1
    )
    assert consume(world) == 2
    assert "name" not in state(world, "ACME 1/2")
    assert len(world.rows(customer_version.select())) == 2


def test_a_value_that_returns_is_a_change_and_the_last_put_counts(
    world: World, client: TestClient
) -> None:
    for city in ("Ulm", "Bonn", "Ulm"):
        assert put(client, "A", {"city": city}).json()["accepted"] == 1
    consume(world)
    assert state(world, "A")["city"] == "Ulm"


def test_what_was_true_earlier_is_put_into_the_past_and_a_correction_of_it_counts(
    world: World, client: TestClient
) -> None:
    put(client, "A", {"name": "Ay", "city": "Ulm"})
    since = (BEGIN - timedelta(days=100)).isoformat()
    put(client, "A", {"city": "Bonn", "valid_from": since})
    put(client, "A", {"city": "Graz", "valid_from": since})
    consume(world)
    with world.app.ctx.db.read() as tx:
        history = customers.histories(tx, ["A"])["A"]
    assert history.as_of(BEGIN - timedelta(days=50)).state == {"city": "Graz"}
    assert history.as_of(world.now()).state == {"name": "Ay", "city": "Ulm"}
    assert put(client, "A", {"city": "Graz", "valid_from": since}).json()["accepted"] == 0
    earlier = (BEGIN - timedelta(days=200)).isoformat()
    assert put(client, "A", {"city": "Graz", "valid_from": earlier}).json()["accepted"] == 1


@pytest.mark.parametrize(
    ("body", "field", "detail"),
    [
        (
            {"country": "Germany"},
            "country",
            "'Germany' is no ISO 3166 alpha-2 code; did you mean 'DE'?",
        ),
        ({"revenue_with_us": -1}, "revenue_with_us", "greater than or equal to 0"),
        (
            {"contacts": [{"name": "Ada", "call_from": "9:00"}]},
            "contacts.0.call_from",
            "written 09:00",
        ),
        ({"nmae": "x"}, "nmae", "is no field of a customer; did you mean 'name'?"),
        ({"customer_id": "B"}, "customer_id", "is not 'A', whose address this is"),
        ({"valid_from": "yesterday"}, "valid_from", "must be a time with its zone"),
        ({"valid_from": "2026-03-01T00:00:00"}, "valid_from", "timezone"),
        ({"valid_from": "2030-01-01T00:00:00Z"}, "valid_from", "lies in the future"),
        ({"valid_from": 5}, "valid_from", "must be a time with its zone"),
        ([], None, "must be a JSON object"),
    ],
)
def test_a_body_that_is_wrong_is_refused_with_its_field(
    world: World, client: TestClient, body: Any, field: str | None, detail: str
) -> None:
    answer = put(client, "A", body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json().get("field") == field
    assert detail in answer.json()["detail"]
    assert world.app.event_log.ends().get(("customers", 0), 0) == 0


def test_who_has_no_key_what_is_no_json_and_ids_nobody_may_have_are_refused(
    world: World, client: TestClient
) -> None:
    assert client.put("/v1/customers/A", json={}).status_code == 401
    assert client.put("/v1/customers/A", json={}, headers={"X-API-Key": "wrong"}).status_code == 401
    broken = client.put("/v1/customers/A", content=b"{", headers=KEY)
    assert (broken.status_code, broken.json()["title"]) == (422, "not JSON")
    reserved = put(client, "respondent:abc", {"name": "x"})
    assert (reserved.status_code, reserved.json()["field"]) == (422, "customer_id")


def test_a_log_that_does_not_answer_is_a_503_to_be_repeated(world: World) -> None:
    nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/nothing", has_instance=False)
    parts = replace(web_parts(world.app), event_log=LocalLog(nowhere))
    with TestClient(create_app(parts)) as client:
        answer = put(client, "A", {"name": "Ay"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
