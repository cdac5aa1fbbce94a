"""Health, metrics, headers and the description of the API."""

import json

from fastapi.testclient import TestClient

from alerting.services.intake.event_log import NewRecord
from tests.support.web import ADMIN
from tests.support.world import World


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
