"""Why somebody was told, and why nobody was: for events that alerted, did not, came too late, or
could not be read.
"""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select
from starlette.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.cli.alerts.explain import _tell
from alerting.database.tables import dead_letter
from alerting.entrypoints.web.app import create_app
from alerting.services.alerts.explain_event import explain
from alerting.services.alerts.explanation import Explanation
from alerting.services.alerts.mutes import add_mute
from alerting.services.cases.fire_timers import fire_due
from alerting.services.mail.deliver import hold_sends
from tests.support.world import BEGIN, World

ADMIN = {"authorization": "Bearer test-admin-token-0123"}


def explained(world: World, reference: str, source: str | None = None) -> Explanation:
    found = explain(world.app.ctx, reference, source)
    assert isinstance(found, Explanation)
    json.dumps(found.as_json())
    return found


def told(found: Explanation) -> str:
    import click

    @click.command()
    def show() -> None:
        _tell(found)

    return CliRunner().invoke(show, catch_exceptions=False).output


def truths(found: Explanation, rule: str) -> dict[str, str]:
    (line,) = [line for line in found.rules if line.rule == rule]
    return {condition.name: condition.truth for condition in line.conditions}


def test_an_event_that_alerted_is_explained_from_its_facts_to_its_mails_and_timers(
    world: World,
) -> None:
    world.known_customers()
    world.take(world.survey(score=2, id="bad"))
    world.deliver()
    world.pass_time(hours=21)
    fire_due(world.app.ctx, timedelta(seconds=5))
    found = explained(world, "bad")
    assert found.event["fields"]["sentiment"] == "negative"
    assert (found.customer["segment"], found.customer["segment_why"]) == ("key", "is on its list")
    assert set(truths(found, "key-account-unhappy").values()) == {"true"}
    assert "false" in truths(found, "unhappy-customer").values()
    (alert,) = found.alerts
    assert alert["case"] == "C-1"
    roles = {person["role"]: person for person in alert["people"]}
    assert roles["vp_sales"]["party"] == "vp_sales"
    assert roles["account_owner"]["why"] == ["account owner: Olga Sample"]
    assert {mail["to"]: mail["status"] for mail in alert["mails"]} == {
        "vp_sales": "sent",
        "office_berlin": "sent",
        "owner_north": "sent",
    }
    assert all(mail["attempts"][0]["outcome"] == "sent" for mail in alert["mails"])
    assert {timer["state"] for timer in alert["timers"]} == {"fired", "waiting"}
    assert found.notes == []
    text = told(found)
    assert "FIRES key-account-unhappy" in text
    assert "vp_sales is Vera Sample" in text
    assert "mail call to Vera Sample: sent" in text


def test_an_event_that_did_not_alert_shows_which_condition_was_not_true(world: World) -> None:
    world.known_customers()
    world.take(
        world.survey(score=9, id="good"), world.survey(score=None, metric=None, id="no-score")
    )  # type: ignore[arg-type]
    happy = explained(world, "good")
    assert truths(happy, "key-account-unhappy") == {
        "gave a negative answer": "false",
        "is a key account": "true",
    }
    assert (happy.alerts, happy.notes) == (
        [],
        ["nobody was told: no rule had all its conditions true"],
    )
    silent = explained(world, "no-score")
    assert truths(silent, "key-account-unhappy")["gave a negative answer"] == "unknown"
    assert "unknown gave a negative answer (sentiment = unknown)" in told(silent)


def test_events_that_were_too_old_or_from_before_go_live_say_so(small_world: World) -> None:
    small_world.known_customers()
    old = (BEGIN - timedelta(days=20)).isoformat()
    small_world.take(
        small_world.survey(id="old", time=old),
        small_world.survey(id="older", time="2025-12-31T12:00:00Z"),
    )
    assert "older than notify_max_age" in explained(small_world, "old").notes[0]
    found = explained(small_world, "older")
    assert "from before go_live" in found.notes[0]
    assert found.alerts[0]["suppressed"] == "before_go_live"
    assert "no case: before_go_live" in told(found)


def test_what_was_unknown_then_and_is_known_now_is_said(small_world: World) -> None:
    for number in range(3):
        small_world.pass_time(hours=1)
        small_world.take(small_world.call(id=f"call-{number}"))
    assert explained(small_world, "call-2").customer["known"] is False
    small_world.known_customers()
    found = explained(small_world, "call-2")
    assert [one["rule"] for one in found.alerts] == [
        "calls-in-vain"
    ]  # within the declared lateness it is judged again


def test_what_became_known_after_the_declared_lateness_is_said_and_changes_nothing(
    small_world: World,
) -> None:
    for number in range(3):
        small_world.pass_time(hours=1)
        small_world.take(small_world.call(id=f"call-{number}"))
    small_world.pass_time(days=8)
    small_world.known_customers()
    found = explained(small_world, "call-2")
    assert found.alerts == []
    assert (
        "with what is known today, calls-in-vain would fire; the facts it needs arrived later"
        in found.notes
    )


def test_calls_in_vain_are_explained_with_the_signal_as_it_was(small_world: World) -> None:
    small_world.known_customers()
    for number in range(3):
        small_world.pass_time(hours=1)
        small_world.take(small_world.call(id=f"call-{number}"))
    small_world.pass_time(hours=1)
    small_world.take(small_world.call(outcome="resolved", id="solved"))
    assert [
        explained(small_world, f"call-{n}").customer["signals"]["calls_in_vain"] for n in range(3)
    ] == [1, 2, 3]
    assert explained(small_world, "solved").customer["signals"]["calls_in_vain"] == 0
    assert [bool(explained(small_world, f"call-{n}").alerts) for n in range(3)] == [
        False,
        False,
        True,
    ]


def test_a_dead_letter_an_unknown_event_and_one_of_several_sources(small_world: World) -> None:
    small_world.take(
        b"{", small_world.survey(id="twin", source="/a"), small_world.survey(id="twin", source="/b")
    )
    letter = explain(
        small_world.app.ctx, next(row.place for row in small_world.rows(select(dead_letter)))
    )
    assert letter.reason == "not JSON"
    with pytest.raises(LookupError, match="no event has the id 'nothing'"):
        explain(small_world.app.ctx, "nothing")
    with pytest.raises(
        LookupError, match="several sources have an event 'twin': /b, /a; add --source"
    ):
        explain(small_world.app.ctx, "twin")
    assert explained(small_world, "twin", "/a").event["source"] == "/a"
    assert explained(small_world, "#1").event["number"] == 1
    for wrong in ("#", "#²", "#99999999999999999999", "#0"):
        with pytest.raises(LookupError):
            explain(small_world.app.ctx, wrong)


@pytest.fixture
def client(small_world: World) -> Iterator[TestClient]:
    with TestClient(create_app(web_parts(small_world.app)), follow_redirects=False) as opened:
        yield opened


def test_the_page_and_the_api_say_the_same_and_escape_what_customers_wrote(
    client: TestClient, small_world: World
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey(id="<i>", comment="<script>alert(1)</script>"), b"{")
    small_world.deliver()
    page = client.get("/explain", params={"event": "<i>"}, headers=ADMIN)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "Mail <strong>call</strong> to Vera Sample: sent" in page.text
    found = client.get("/explain", params={"event": "<i>", "format": "json"}, headers=ADMIN).json()
    assert found["alerts"][0]["case"] == "C-1"
    assert "/explain?event=%23" in client.get("/cases/1", headers=ADMIN).text
    assert client.get("/explain", params={"event": "<i>"}).status_code == 401
    assert client.get("/explain", params={"event": "no\x00"}, headers=ADMIN).status_code == 404
    place = next(row.place for row in small_world.rows(select(dead_letter)))
    assert "not JSON" in client.get("/explain", params={"event": place}, headers=ADMIN).text


def test_a_mail_that_waits_is_explained_by_its_stages(world: World) -> None:
    world.known_customers()
    world.take(world.survey(id="bad"))
    hold_sends(world.app.ctx, "moving house", "ann")
    (held,) = explained(world, "bad").alerts
    assert {mail["stages"]["stopped_at"] for mail in held["mails"]} == {"hold"}
    assert {mail["stages"]["reason"] for mail in held["mails"]} == {"moving house"}
    assert "passed no stage; stopped at hold: moving house" in told(explained(world, "bad"))

    hold_sends(world.app.ctx, None, "ann")
    world.reached("ACME-AERO", "vp_sales")
    (called,) = explained(world, "bad").alerts
    (call,) = [mail for mail in called["mails"] if mail["template"] == "call"]
    assert call["stages"] == {
        "passed": ["hold", "under way", "not due"],
        "stopped_at": "reason gone",
        "reason": "the customer has been reached",
    }

    world.deliver()
    (skipped,) = explained(world, "bad").alerts
    (call,) = [mail for mail in skipped["mails"] if mail["template"] == "call"]
    assert (call["status"], call["stages"]["reason"]) == ("skipped", call["reason"])
    assert call["stages"]["stopped_at"] == "reason gone"


def test_an_alert_that_told_nobody_names_the_stage_that_kept_it(world: World) -> None:
    world.known_customers()
    add_mute(world.app.ctx, "customer", "ACME-AERO", timedelta(days=1), "ann", "trade fair")
    world.take(world.survey(id="bad"))
    (alert,) = explained(world, "bad").alerts
    assert (alert["stages"]["stopped_at"], alert["mails"]) == ("silenced", [])
    assert "silenced" not in alert["stages"]["passed"]
