"""The promises under bad input and faults: real processes on Apache Kafka, PostgreSQL and SMTP with
STARTTLS and login.
"""

import base64
import json
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from kafka import KafkaProducer

from tests.support.processes import (
    Installation,
    Installer,
    Role,
    call,
    copy_database,
    delete_records,
    delete_topics,
    envelope,
    make_topics,
    message_ids,
    plain,
    replace_in,
    sent_twice,
    survey,
    told,
    wait_until,
)
from tests.support.services.postgres import PostgresServer
from tests.support.services.smtp import SmtpServer

pytestmark = pytest.mark.apache_kafka


def assert_nothing_lost_or_sent_twice(place: Installation, events: list[str]) -> None:
    """Every event is stored, every customer has one unresolved case, every notification's mail was
    accepted.

    And none twice, but for those with an attempt on record as `unknown`: the documented doubt.
    """
    stored = {row["id"] for row in place.sql("SELECT id FROM event")}
    assert [i for i in events if i not in stored] == [], "events are lost"
    cases = place.sql("SELECT customer_key FROM case_file WHERE status <> 'resolved'")
    assert len({row["customer_key"] for row in cases}) == len(cases)
    notes = place.sql("SELECT message_id, status, reason FROM notification")
    assert [row for row in notes if row["status"] != "sent"] == []
    assert set(message_ids(place.smtp.messages)) == {row["message_id"] for row in notes}
    doubtful = {row["message_id"] for row in place.sql(DOUBTFUL)}
    assert set(sent_twice(place.smtp.messages)) <= doubtful
    assert place.count("position_gap") == 0


DOUBTFUL = """
    SELECT message_id FROM notification JOIN delivery ON delivery.notification_id = notification.id
    WHERE delivery.outcome = 'unknown'
"""


@pytest.fixture(scope="class")
def place(new_installer: Callable[[], Installer]) -> Iterator[Installation]:
    """All roles in one process."""
    installer = new_installer()
    place = installer()
    place.begun(place.run("all"))
    yield place
    installer.end()


class TestOneInstallation:
    """What one running installation goes through. Its tests speak of customers of their own, and
    clear up.
    """

    def test_bad_input_ends_as_told_and_the_next_good_event_is_handled(
        self, place: Installation
    ) -> None:
        one, other = survey("twice", id="same-id"), survey("twice", id="same-id", score=9)
        wrong_type: dict[str, Any] = {"score": "two"}
        unreadable: list[tuple[str, bytes | None, list[tuple[str, bytes]]]] = [
            ("not UTF-8", b'{"specversion": "1.0", "id": "\xff"}', []),
            ("not JSON", b'{"specversion": "1.0", ', []),
            ("not JSON", b"", []),
            ("invalid", b"[1, 2]", []),
            ("invalid", json.dumps(survey("c", **wrong_type)).encode(), []),
            ("invalid", json.dumps(survey("c") | {"specversion": "0.3"}).encode(), []),
            ("invalid", json.dumps(survey("c", time="yesterday")).encode(), []),
            (
                "unknown type",
                json.dumps(envelope("survey.started", {"customer_id": "c"})).encode(),
                [],
            ),
            ("too large", json.dumps(survey("c", comment="x" * 2_000_000)).encode(), []),
            ("empty", None, []),
            ("not UTF-8", b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")]),
        ]
        for _, value, headers in unreadable:
            place.produce("surveys", value, "bad", headers)
        for event in (one, one, other):
            place.produce("surveys", json.dumps(event).encode(), "bad")
        nul = survey("nul", comment="before\0after")
        future = survey("future", time=(datetime.now(UTC) + timedelta(days=30)).isoformat())
        for event in (nul, future):
            place.produce("surveys", json.dumps(event).encode(), "bad")
        attributes = {
            "specversion": "1.0",
            "id": "binary-1",
            "source": "/binary",
            "type": "survey.answered",
        }
        binary = json.dumps(survey("binary")["data"]).encode()
        place.produce(
            "surveys",
            binary,
            "bad",
            [(f"ce_{name}", value.encode()) for name, value in attributes.items()],
        )
        place.flush()
        wait_until(lambda: place.count("dead_letter") >= len(unreadable) + 1)
        began = time.monotonic()
        good = place.survey("nobody-owns-me")
        place.flush()
        wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", good), 30)
        print(
            "\nafter all the bad input the next good event was handled in "
            f"{time.monotonic() - began:.2f} s"
        )

        letters = place.sql("SELECT * FROM dead_letter ORDER BY id")
        sent = [
            *((reason, value or b"") for reason, value, _ in unreadable),
            (CONFLICT, json.dumps(other).encode()),
        ]
        assert [(row["reason"], bytes(row["raw"])) for row in letters] == sent
        published = dead_letters_in_topic(place, len(letters))
        for row in letters:
            letter = published[row["place"]]
            assert row["place"].startswith("surveys/")
            assert base64.b64decode(letter["value"]) == bytes(row["raw"])
            assert (letter["reason"], letter["detail"]) == (row["reason"], row["detail"])
        assert place.one("SELECT clamped FROM event WHERE id = %s", future["id"]) is True
        assert (
            place.one("SELECT payload->>'comment' FROM event WHERE id = %s", nul["id"])
            == "beforeafter"
        )
        assert b"\\u0000" in bytes(place.one("SELECT raw FROM event WHERE id = %s", nul["id"]))
        assert (
            place.one("SELECT segment FROM case_file WHERE customer_key = 'nobody-owns-me'")
            == "unverified"
        )
        place.wait_for_sent(5)
        mails = told(place.smtp.wait_for(5))
        assert [who for who, _ in mails] == ["service.desk"] * 5
        for customer in ("twice", "nul", "future", "binary", "nobody-owns-me"):
            assert [words for _, words in mails if customer in words]

    def test_what_no_table_or_topic_takes_as_it_is_stops_nobody(self, place: Installation) -> None:
        """Header names with NUL or of any length, from a producer that allows them; a dead letter
        too large for its topic.
        """
        assert place.broker is not None
        known = place.count("dead_letter")
        producer = KafkaProducer(bootstrap_servers=place.broker.bootstrap)
        try:
            odd = [("ce_\0x", b"1"), ("ce_" + "y" * 3000, b"\xff"), ("ce_specversion", b"1.0")]
            producer.send("surveys", b"{}", headers=odd).get(10)
        finally:
            producer.close()
        place.produce("surveys", b"x" * 5_000_000)
        good = place.survey("after-the-odd-ones")
        place.flush()
        wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", good))
        wait_until(lambda: place.count("dead_letter") == known + 2)
        published = dead_letters_in_topic(place, known + 2)
        (large,) = [letter for letter in published.values() if letter.get("cut_from") == 5_000_000]
        assert base64.b64decode(large["value"]) == b"x" * 500_000
        assert place.one("SELECT max(length(raw)) FROM dead_letter") == 5_000_000
        assert place.roles[0].said("loop failed") == []

    def test_records_are_read_however_they_are_compressed(self, place: Installation) -> None:
        assert place.broker is not None
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            producer = Producer(
                {
                    "bootstrap.servers": place.broker.bootstrap,
                    "compression.type": codec,
                    "linger.ms": 50,
                }
            )
            for number in range(20):
                made = survey(f"packed-{codec}-{number}", 10, comment="x" * 30_000)
                producer.produce("surveys", json.dumps(made).encode())
            assert producer.flush(10) == 0
        packed = "customer_key LIKE 'packed-%'"
        wait_until(
            lambda: place.count("event", packed) == 80, 20, lambda: place.count("event", packed)
        )

    def test_a_refused_address_is_replaced_by_the_next_responsible_and_the_audit_says_so(
        self, place: Installation
    ) -> None:
        place.smtp.clear()
        place.smtp.refuse["service.desk@example.com"] = "550 5.1.1 no such user"
        place.survey("refused")
        place.flush()
        ((who, _),) = told(place.smtp.wait_for(1, 20))
        place.smtp.refuse.clear()
        assert who == "head.of.service"
        (body,) = place.sql("SELECT body FROM audit_entry WHERE action = 'notification.refused'")
        refusal = json.loads(bytes(body["body"]))["facts"]
        assert (refusal["refused"], refusal["to"], refusal["code"]) == (
            "service_desk_lead",
            "head_of_service",
            550,
        )
        assert place.count("notification", "status = 'failed'") == 1

    def test_a_connection_lost_after_the_final_dot_is_a_doubt_and_brings_the_same_message_id_again(
        self, place: Installation
    ) -> None:
        place.smtp.clear()
        place.smtp.drop_after_data = True
        place.survey("doubt")
        place.flush()
        place.smtp.wait_for(1, 20)
        place.smtp.drop_after_data = False
        place.smtp.wait_for(2, 20)
        wait_until(lambda: attempts_about(place, "doubt") == [("unknown", None), ("sent", 250)])
        assert list(message_ids(place.smtp.messages).values()) == [2]

    def test_a_deferred_mail_comes_later_and_once(self, place: Installation) -> None:
        place.smtp.clear()
        place.smtp.defer = True
        place.survey("later")
        place.flush()
        wait_until(lambda: attempts_about(place, "later")[:1] == [("deferred", 451)])
        place.smtp.defer = False
        wait_until(lambda: attempts_about(place, "later")[-1] == ("sent", 250))
        assert list(message_ids(place.smtp.messages).values()) == [1]

    def test_mails_wait_while_the_server_is_down_and_then_arrive_once_each(
        self, place: Installation
    ) -> None:
        place.smtp.clear()
        place.smtp.stop()
        for number in range(15):
            place.survey(f"patient-{number}")
        place.flush()
        deferred = "outcome = 'deferred' AND code IS NULL"
        wait_until(lambda: place.count("delivery", deferred) >= 25)
        place.smtp.start()
        began = time.monotonic()
        place.smtp.wait_for(15, 40)
        print(f"\nall mails arrived {time.monotonic() - began:.1f} s after the server was back")
        wait_until(lambda: place.count("notification", "status IN ('pending', 'claimed')") == 0)
        assert list(message_ids(place.smtp.messages).values()) == [1] * 15

    def test_accepting_a_topic_that_is_still_the_same_reads_it_again_and_sends_nothing_twice(
        self, place: Installation
    ) -> None:
        place.smtp.clear()
        events = place.count("event")
        assert place.cli("positions", "accept", "surveys").returncode == 0
        new = place.survey("after-the-acceptance")
        place.flush()
        wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", new))
        wait_until(
            lambda: place.one("SELECT sum(next) FROM position WHERE topic = 'surveys'") > events - 5
        )
        place.smtp.wait_for(1)
        wait_until(lambda: place.count("notification", "status IN ('pending', 'claimed')") == 0)
        assert place.count("event") == events + 1
        assert len(place.smtp.messages) == 1
        assert place.one("SELECT hold_reason FROM instance") is None

    def test_a_database_that_turns_read_only_is_waited_for(self, place: Installation) -> None:
        dead = place.count("dead_letter")
        set_read_only(place, "on")
        events = [place.survey(f"read-only-{number}", 10) for number in range(10)]
        place.flush()
        time.sleep(2)
        set_read_only(place, "off")
        wait_until(lambda: place.count("event", "customer_key LIKE 'read-only-%'") == len(events))
        assert place.count("dead_letter") == dead

    def test_a_database_that_restarts_in_the_middle_costs_nothing(
        self, place: Installation, postgres_server: PostgresServer
    ) -> None:
        place.smtp.clear()
        before = place.count("event")
        for number in range(100):
            place.survey(f"restart-{number % 20}")
            place.call(f"restart-{number % 20}")
            if number in {30, 70}:
                place.flush()
                postgres_server.stop()
                time.sleep(0.3)
                postgres_server.start()
        place.flush()
        place.wait_for_events(before + 200, 60)
        wait_until(lambda: place.count("notification", "status IN ('pending', 'claimed')") == 0, 60)
        assert place.count("case_file", "customer_key LIKE 'restart-%'") == 20
        assert (
            place.count("notification", "customer_key LIKE 'restart-%' AND status = 'sent'") == 100
        )
        assert len(message_ids(place.smtp.messages)) == 100
        assert set(sent_twice(place.smtp.messages)) <= {
            row["message_id"] for row in place.sql(DOUBTFUL)
        }
        assert place.count("position_gap") == 0


CONFLICT = "conflicting duplicate"


def dead_letters_in_topic(place: Installation, count: int) -> dict[str, dict[str, Any]]:
    """The first `count` dead letters of the topic, by place."""
    assert place.broker is not None
    consumer = Consumer(
        {
            "bootstrap.servers": place.broker.bootstrap,
            "group.id": uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": 8_000_000,
        }
    )
    consumer.subscribe(["alerting.dead-letters"])
    found: dict[str, dict[str, Any]] = {}
    give_up = time.monotonic() + 30
    try:
        while len(found) < count:
            assert time.monotonic() < give_up, f"{len(found)} of {count} dead letters in the topic"
            record = consumer.poll(0.2)
            if record is not None and not record.error():
                letter = json.loads(record.value())
                found[letter["place"]] = letter
    finally:
        consumer.close()
    return found


def attempts_about(place: Installation, customer: str) -> list[tuple[str, int | None]]:
    """(outcome, code) of every attempt to send a mail about a customer."""
    attempts = place.sql(
        "SELECT outcome, code FROM delivery JOIN notification ON notification.id = notification_id"
        " WHERE customer_key = %s ORDER BY n",
        customer,
    )
    return [(row["outcome"], row["code"]) for row in attempts] or [("none yet", None)]


def set_read_only(place: Installation, value: str) -> None:
    """As after a failover to a standby: every connection is cut, and the new ones cannot write."""
    name = place.database.rpartition("/")[2]
    with psycopg.connect(plain(place.database), autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> "
            "pg_backend_pid()",
            (name,),
        )


# Templates


def test_templates_that_fail_at_render_end_in_plain_mails_and_audit_entries(
    install: Installer,
) -> None:
    def break_templates(folder: Path) -> None:
        mails = folder / "templates/mail/en"
        broken = {
            "call.txt": "{{ v.customer.state.nothing.like.this }}",
            "fix.txt": "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
            "informed.subject.txt": "{{ 1 // 0 }}",
        }
        for name, words in broken.items():
            (mails / name).write_text((mails / name).read_text() + words)

    place = install(edit=break_templates)
    place.run("consume", "deliver")
    place.customer(
        "ACME-AERO",
        name="Acme Aerospace",
        country="DE",
        owner="owner_north",
        revenue_with_us=1_000_000,
    )
    place.flush()
    place.wait_for_events(1)
    place.survey("ACME-AERO", comment="{{ 1/0 }} <b>")
    place.flush()
    mails = place.smtp.wait_for(3, 30)
    place.wait_for_sent(3)
    assert sorted(mail.rcpt_tos[0].split("@")[0] for mail in mails) == [
        "office.berlin",
        "owner.north",
        "vp.sales",
    ]
    for mail in mails:
        assert "This mail is plain because its template failed (" in mail.email.get_content()
    (call_her,) = [
        mail.email.get_content() for mail in mails if mail.rcpt_tos == ("vp.sales@example.com",)
    ]
    assert "/a/" in call_her, "the caller can act from the plain mail, too"
    assert place.count("audit_entry", "action = 'template.failed'") == 3


# Senders that die or stand still


class KillingServer(SmtpServer):
    """Kills the sender after it has accepted the first message, before it says so."""

    victim: Role | None = None

    def record(self, envelope: Any) -> None:
        super().record(envelope)
        if self.victim is not None:
            victim, self.victim = self.victim, None
            victim.kill()


def test_a_sender_killed_between_acceptance_and_record_is_the_documented_doubt(
    install: Installer,
) -> None:
    place = install(smtp=KillingServer)
    assert isinstance(place.smtp, KillingServer)
    place.run("consume")
    place.smtp.victim = place.run("deliver")
    events = [place.survey(f"doubt-{number}") for number in range(8)]
    place.flush()
    place.smtp.wait_for(1, 20)
    wait_until(lambda: place.count("notification") == 8)
    place.run("deliver")
    place.wait_for_sent(8)
    assert 2 in message_ids(place.smtp.messages).values()
    assert_nothing_lost_or_sent_twice(place, events)


class FreezingRefusals(dict[str, str]):
    """Asked about the first recipient, stop the sender's process, and defer that attempt."""

    victim: Role | None = None

    def get(self, address: str, default: Any = None) -> Any:
        if self.victim is None:
            return default
        victim, self.victim = self.victim, None
        victim.pause()
        return "451 4.7.1 Try again later"


def test_a_sender_that_stood_still_past_its_lease_does_not_undo_what_another_did(
    install: Installer,
) -> None:
    place = install()
    frozen = place.run("deliver")
    place.run("consume")
    place.smtp.refuse = refusals = FreezingRefusals()
    refusals.victim = frozen
    events = [place.survey("frozen")]
    place.flush()
    wait_until(lambda: refusals.victim is None)
    place.run("deliver")
    place.wait_for_sent(1)
    frozen.resume()
    wait_until(lambda: frozen.said("attempt ended"))
    time.sleep(0.5)
    assert attempts_about(place, "frozen")[-1] == ("sent", 250)
    assert place.count("notification", "status = 'sent'") == 1
    assert_nothing_lost_or_sent_twice(place, events)


# Processes that die


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


# Consumers among themselves


def test_two_consumers_meeting_the_same_customers_from_two_topics_open_one_case_each(
    install: Installer,
) -> None:
    place = install()
    one, other = place.run("consume"), place.run("consume")
    place.begun(one, other)
    customers = [f"both-{number}" for number in range(40)]
    for customer in customers:
        place.customer(customer, revenue_with_us=400_000)
    place.flush()
    place.wait_for_events(40)
    for _ in range(4):
        for customer in customers:
            # Each consumer has one partition of each topic: so these two events are with different
            # processes.
            place.produce("surveys", json.dumps(survey(customer)).encode(), partition=0)
            place.produce("interactions", json.dumps(call(customer)).encode(), partition=1)
    place.flush()
    place.wait_for_events(40 + 320, 60)
    cases = place.sql("SELECT customer_key, count(*) AS n FROM case_file GROUP BY 1")
    assert {row["customer_key"]: row["n"] for row in cases} == dict.fromkeys(customers, 1)
    assert (
        place.count("alert") == 4 * 40 + 2 * 40
    )  # each survey, and the third and the fourth call in vain
    assert place.count("alert", "case_id IS NULL") == 0
    assert place.count("dead_letter") == 0
    for role in (one, other):
        assert any(line["alerts"] for line in role.said("batch taken")), (
            "one process had all of them"
        )
        assert [line for line in role.lines if "deadlock" in str(line)] == []


def test_a_consumer_frozen_while_the_database_is_down_harms_nothing_when_both_are_back(
    install: Installer, postgres_server: PostgresServer
) -> None:
    """The other one is given its partitions when it cannot store where they begin; then the first
    one wakes up.
    """
    place = install()
    frozen, other = place.run("consume"), place.run("consume")
    place.begun(frozen, other)
    mine = partitions_only_of(frozen, other)
    events = [place.survey(f"frozen-{number}") for number in range(20)]
    frozen.pause()
    postgres_server.stop()
    events += [place.survey(f"frozen-{number}") for number in range(20)]
    place.flush()
    wait_until(lambda: "waiting for a service" in str(other.lines), 20)
    time.sleep(7)  # Kafka's session of the frozen one runs out
    postgres_server.start()
    place.wait_for_events(40)
    assert mine <= {str(line["partition"]) for line in other.said("partition begun")}
    frozen.resume()
    events += [place.survey(f"frozen-{number}") for number in range(20)]
    place.flush()
    place.wait_for_events(60)
    place.run("deliver")
    place.wait_for_sent(60)
    assert_nothing_lost_or_sent_twice(place, events)


def partitions_only_of(one: Role, other: Role) -> set[str]:
    last: dict[str, tuple[str, str]] = {}
    for name, role in (("one", one), ("other", other)):
        for line in role.said("partition begun"):
            last[line["partition"]] = max(
                last.get(line["partition"], ("", "")), (line["time"], name)
            )
    return {partition for partition, (_, name) in last.items() if name == "one"}


# The broker, and a log that is not the one it was


def test_a_broker_that_stops_and_comes_back_costs_nothing(install: Installer) -> None:
    place = install()
    assert place.broker is not None
    web, consume = place.run("web"), place.run("consume", "deliver")
    place.begun(consume)
    place.wait_for_web(web)
    assert place.http("/readyz")[0] == 200
    events = [place.survey(f"before-{number}") for number in range(20)]
    place.flush()
    place.broker.stop()
    began = time.monotonic()
    status, answer = place.http("/readyz")
    assert (status, list(answer["problems"])) == (503, ["event_log"])
    assert time.monotonic() - began < 5
    assert place.http("/v1/events", survey("refused-at-the-door"))[0] == 503
    late = place.run("consume")  # starts while there is no broker
    place.broker.start()
    began = time.monotonic()
    posted = survey("after-the-door")
    wait_until(lambda: place.http("/v1/events", posted)[0] == 202, 30)
    print(
        f"\nthe door took an event again {time.monotonic() - began:.1f} s after the broker's start"
    )
    events += [str(posted["id"]), *(place.survey(f"after-{number}") for number in range(20))]
    place.flush()
    wait_until(lambda: place.count("event", "customer_key <> 'refused-at-the-door'") >= 41, 60)
    print(f"all was taken in {time.monotonic() - began:.1f} s after the broker's start")
    wait_until(lambda: place.http("/readyz")[0] == 200)
    place.begun(consume, late)
    place.wait_for_sent(41)
    assert_nothing_lost_or_sent_twice(place, events)


def test_a_topic_deleted_and_made_anew_stops_loudly_and_is_mended_by_accepting_it(
    install: Installer,
) -> None:
    place = install()
    assert place.broker is not None
    role = place.run("web", "consume")
    place.begun(role)
    place.wait_for_web(role)
    old = [place.survey(f"old-{number}") for number in range(10)]
    place.flush()
    place.wait_for_events(10)
    delete_topics(place.broker, "surveys")
    make_topics(place.broker, "surveys")
    # More than there were: the consumer's offset exists in the new topic, too, and would not look
    # odd.
    fresh = [place.survey(f"new-{number % 5}") for number in range(30)]
    place.flush()
    wait_until(lambda: place.count("stopped_partition", "topic = 'surveys'") == 2, 60)
    assert place.count("event") == 10, (
        "records of another topic were taken for those of the old one"
    )
    status, answer = place.http("/readyz")
    assert status == 503
    assert "a topic made anew" in str(answer["problems"])
    listed = place.cli("positions", "list").stdout
    assert "a topic made anew" in listed
    assert "alerting positions accept" in listed
    other = place.call("meanwhile")
    place.flush()
    wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", other))
    done = place.cli("positions", "accept", "surveys")
    assert done.returncode == 0, done.stderr
    role.end(signal.SIGTERM)
    again = place.run("web", "consume", "deliver")
    place.wait_for_events(10 + 30 + 1)
    place.wait_for_web(again)
    assert place.http("/readyz")[0] == 200
    assert place.one("SELECT hold_reason FROM instance") is None
    place.wait_for_sent(40)
    assert_nothing_lost_or_sent_twice(place, [*old, *fresh, other])


def test_a_database_restored_to_an_older_state_holds_all_sending_until_released(
    install: Installer,
) -> None:
    """Under a running consumer, which has seen more than the database now knows. After a start it
    is the same.
    """
    place = install()
    first = place.run("consume", "deliver")
    place.survey("restored-1")
    place.flush()
    place.wait_for_sent(1)
    first.end(signal.SIGTERM)
    backup = copy_database(place.database)
    place.run("consume", "deliver")
    place.survey("restored-2")
    place.flush()
    place.wait_for_sent(2)
    copy_database(backup, place.database)
    place.produce("surveys", json.dumps(survey("restored-3")).encode(), "restored-2")
    place.flush()
    place.wait_for_events(3)
    assert "restored: surveys/" in str(place.one("SELECT hold_reason FROM instance"))
    assert place.one("SELECT actor FROM audit_entry WHERE action = 'sending.held'") == "intake"
    time.sleep(1)
    assert place.count("notification", "status = 'pending'") == 2
    assert len(place.smtp.messages) == 2
    assert place.cli("hold", "release").returncode == 0
    place.wait_for_sent(3)
    assert len(place.smtp.messages) == 4, (
        "what the restored database does not know comes once more; hence the hold"
    )


def test_records_deleted_before_they_were_read_are_a_recorded_gap(install: Installer) -> None:
    place = install()
    assert place.broker is not None
    consume = place.run("consume")
    for _ in range(5):
        place.produce("surveys", json.dumps(survey("gap", 10)).encode(), partition=0)
    place.flush()
    place.wait_for_events(5)
    consume.end(signal.SIGTERM)
    for _ in range(5):
        place.produce("surveys", json.dumps(survey("gap", 10)).encode(), partition=0)
    place.flush()
    delete_records(place.broker, "surveys", 0, before=8)
    place.wait_for_web(place.run("web", "consume"))
    place.wait_for_events(7)
    (gap,) = place.sql("SELECT * FROM position_gap")
    assert (gap["topic"], gap["partition"], gap["expected"], gap["found"]) == ("surveys", 0, 5, 8)
    assert "alerting_log_gaps 1.0" in place.http("/metrics")[1]


# Starting


def test_run_refuses_the_database_of_a_demo(install: Installer) -> None:
    place = install(kafka=False)
    place.sql("UPDATE instance SET kind = 'demo'")
    for roles in (["consume", "deliver", "follow-up"], ["all"]):
        refused = place.cli("run", *roles)
        assert refused.returncode == 2
        assert "this database was made by `alerting demo`" in refused.stderr


def test_a_broken_rulebook_stops_the_first_start_with_all_errors_and_no_event_is_lost(
    install: Installer, new_database: Callable[[], str]
) -> None:
    place = install()
    place.database = place.environment["ALERTING_DATABASE_URL"] = new_database()
    rules = place.folder / "rules"
    condition = replace_in(
        rules / "escalations/key_accounts.yaml", "sentiment = 'negative'", "sentimnt = 'negative'"
    )
    person = replace_in(
        rules / "routing.yaml", "vp_sales: {person: vp_sales}", "vp_sales: {person: vp_sale}"
    )
    duration = replace_in(rules / "sla.yaml", "within: 24h", "within: 24 hours")
    failed = place.cli("migrate")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert f"rules/escalations/key_accounts.yaml:{condition}:" in failed.stderr
    assert "did you mean 'sentiment'?" in failed.stderr
    assert f"rules/routing.yaml:{person}:" in failed.stderr
    assert "did you mean 'vp_sales'?" in failed.stderr
    assert f"rules/sla.yaml:{duration}:" in failed.stderr
    assert "write 30m, 24h or 7d" in failed.stderr
    assert "3 problems" in failed.stderr
    place.survey("waits-for-a-rulebook")
    place.flush()
    refused = place.cli("run", "consume")
    assert refused.returncode == 1
    assert "no rulebook is active; run `alerting rules activate` first" in refused.stderr
    replace_in(rules / "escalations/key_accounts.yaml", "sentimnt", "sentiment")
    replace_in(rules / "routing.yaml", "person: vp_sale}", "person: vp_sales}")
    replace_in(rules / "sla.yaml", "24 hours", "24h")
    mended = place.cli("rules", "activate")
    assert mended.returncode == 0, mended.stderr
    place.run("consume")
    place.wait_for_events(1)
    assert place.count("dead_letter") == 0


def test_a_broken_rules_folder_does_not_stop_a_later_start(install: Installer) -> None:
    place = install()
    replace_in(place.folder / "rules/sla.yaml", "within: 24h", "within: 24 hours")
    place.run("all")
    place.survey("as-before")
    place.flush()
    place.wait_for_sent(1)
