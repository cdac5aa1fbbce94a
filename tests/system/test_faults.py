"""Processes that are killed, on Apache Kafka, PostgreSQL and SMTP with STARTTLS and login."""

import sqlite3
import time
from contextlib import closing
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import assert_nothing_lost_or_sent_twice
from tests.support.system.events import survey
from tests.support.system.installer import Installer
from tests.support.system.roles import wait_until

pytestmark = pytest.mark.apache_kafka


def test_kill_9_of_every_role_in_the_middle_loses_nothing(install: Installer) -> None:
    place = install()
    roles = {
        "consume": place.run("consume"),
        "deliver": place.run("deliver"),
        "follow-up": place.run("follow-up"),
    }
    other = place.run("consume")
    place.begun(roles["consume"], other)
    events: list[str] = []

    def stream(count: int) -> None:
        for _ in range(count):
            customer = f"crowd-{len(events) % 31}"
            events.extend([place.survey(customer), place.call(customer)])
            time.sleep(0.003)
        place.flush()

    for name in ("deliver", "consume", "follow-up"):
        stream(30)
        roles[name].kill()
        stream(15)
        roles[name] = place.run(name)
    began = time.monotonic()
    place.wait_for_events(len(events), 60)
    place.wait_for_sent(len(events) // 2, 60)
    print(f"\nall was handled {time.monotonic() - began:.1f} s after the last kill")
    assert_nothing_lost_or_sent_twice(place, events)


def test_timers_survive_kill_9_and_catch_up_each_once(install: Installer) -> None:
    def quick_policy(folder: Path) -> None:
        (folder / "rules/sla.yaml").write_text("""
policies:
  call_in_24h: {starts: received, contact: {by: caller, within: 1h}}
  call_in_3d:
    starts: case_opened
    contact:
      by: caller
      within: 4s
      steps:
        - {before: 2s, notify: caller}
        - {before: 1s, notify: substitute}
        - {after: 0s, notify: manager of caller}
        - {after: 2s, notify: default}
""")

    place = install(edit=quick_policy)
    first = place.run("follow-up")
    place.run("consume", "deliver")
    events = [place.survey(f"late-{number}") for number in range(6)]
    place.flush()
    wait_until(lambda: place.count("timer", "fired_at IS NOT NULL") >= 6)
    first.kill()
    wait_until(lambda: place.count("timer", "fired_at IS NULL AND due_at < now()") >= 12)
    second, _third = place.run("follow-up"), place.run("follow-up")
    wait_until(lambda: place.count("timer", "fired_at IS NOT NULL") >= 12)
    second.kill()
    wait_until(lambda: place.count("timer", "fired_at IS NULL") == 0, 30)
    assert place.count("timer") == 30
    assert place.count("timer", "fired_at < due_at") == 0
    wait_until(lambda: place.count("notification", "status IN ('pending', 'claimed')") == 0, 30)
    steps = place.sql(
        "SELECT count(*) AS n FROM notification GROUP BY case_id, template, recipient"
    )
    assert {row["n"] for row in steps} == {1}
    assert place.count("notification", "cause_kind = 'timer'") == 24
    assert place.count("clock", "missed_at IS NOT NULL") == 6
    assert place.count("clock_entry", "what = 'missed'") == 6
    assert place.count("audit_entry", "action = 'step.fired'") == 24
    assert_nothing_lost_or_sent_twice(place, events)


def test_everything_in_one_process_on_sqlite_survives_kill_9(install: Installer) -> None:
    place = install(kafka=False)
    for name in ("DATABASE_URL", "SMTP_HOST", "SMTP_USER", "SMTP_PASSWORD"):
        del place.environment[f"ALERTING_{name}"]
    data = Path(place.environment["ALERTING_DATA"])
    events = [survey(f"embedded-{number % 10}") for number in range(40)]
    for part in (events[:20], events[20:]):
        role = place.run("all")
        place.wait_for_web(role)
        for event in part:
            assert place.http("/v1/events", [event])[0] == 202
        role.kill()
    place.run("all")

    def rows(statement: str) -> list[Any]:
        with closing(sqlite3.connect(data / "alerting.db")) as connection:
            return connection.execute(statement).fetchall()

    wait_until(lambda: rows("SELECT count(*) FROM event") == [(40,)])
    wait_until(lambda: rows("SELECT DISTINCT status FROM notification") == [("sent",)], 40)
    assert {i for (i,) in rows("SELECT id FROM event")} == {event["id"] for event in events}
    assert rows("SELECT count(*), count(DISTINCT customer_key) FROM case_file") == [(10, 10)]
    expected = {i for (i,) in rows("SELECT message_id FROM notification")}
    assert len(expected) == 40
    mails = [message_from_bytes(path.read_bytes()) for path in (data / "mailbox").glob("*.eml")]
    assert sorted(str(mail["Message-ID"]) for mail in mails) == sorted(expected)


def test_postgresql_alone_survives_kill_9_of_two_consumers_that_read_the_same_log(
    install: Installer,
) -> None:
    place = install(kafka=False)
    web = place.run("web", "deliver")
    one, other = place.run("consume"), place.run("consume")
    place.wait_for_web(web)
    events = [survey(f"small-{number % 12}") for number in range(60)]
    for number in range(0, 60, 4):
        assert place.http("/v1/events", events[number : number + 4])[0] == 202
        if number == 20:
            one.kill()
            place.run("consume")
        if number == 40:
            other.kill()
    place.wait_for_events(60)
    place.wait_for_sent(60)
    assert_nothing_lost_or_sent_twice(place, [str(event["id"]) for event in events])
