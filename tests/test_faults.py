"""The promises under bad input and faults: real processes on Apache Kafka, PostgreSQL and SMTP with STARTTLS and login."""

import base64
import json
import sqlite3
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import psycopg
import pytest
from confluent_kafka import Consumer, Producer
from kafka import KafkaProducer

from alerting.entrypoints.deliver import SENDERS
from tests.running import (
    Install,
    Installation,
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
from tests.services.smtp import SmtpServer

pytestmark = pytest.mark.apache_kafka


# Bad input


def dead_letters_in_topic(place: Installation, count: int) -> dict[str, dict[str, Any]]:
    """The first `count` records of the topic, by place."""
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


def test_bad_input_ends_as_told_and_the_next_good_event_is_handled(install: Install) -> None:
    place = install()
    consume = place.run("consume")
    place.run("deliver")
    place.begun(consume)
    a, b = survey("twice", id="same-id"), survey("twice", id="same-id", score=9)
    unreadable: list[tuple[str, bytes | None, list[tuple[str, bytes]]]] = [
        ("not UTF-8", b'{"specversion": "1.0", "id": "\xff"}', []),
        ("not JSON", b'{"specversion": "1.0", ', []),
        ("not JSON", b"", []),
        ("invalid", b"[1, 2]", []),
        ("invalid", json.dumps(survey("c", "two")).encode(), []),  # type: ignore[arg-type]
        ("invalid", json.dumps(survey("c") | {"specversion": "0.3"}).encode(), []),
        ("invalid", json.dumps(survey("c", time="yesterday")).encode(), []),
        ("unknown type", json.dumps(envelope("survey.started", {"customer_id": "c"})).encode(), []),
        ("too large", json.dumps(survey("c", comment="x" * 2_000_000)).encode(), []),
        ("empty", None, []),
        ("not UTF-8", b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")]),
        ("invalid", b"{}", [("ce_specversion", b"1.0"), ("ce_id\x00", b"\x00")]),
    ]
    for _, value, headers in unreadable:
        place.produce("surveys", value, "bad", headers)
    for event in (a, a, b):
        place.produce("surveys", json.dumps(event).encode(), "bad")
    nul = survey("nul", comment="before\0after")
    place.produce("surveys", json.dumps(nul).encode(), "bad")
    future = survey("future", time=(datetime.now(UTC) + timedelta(days=30)).isoformat())
    place.produce("surveys", json.dumps(future).encode(), "bad")
    data = json.dumps(survey("binary")["data"]).encode()
    attributes = {"specversion": "1.0", "id": "binary-1", "source": "/binary", "type": "survey.answered"}
    place.produce("surveys", data, "bad", [(f"ce_{k}", v.encode()) for k, v in attributes.items()])
    place.flush()
    wait_until(lambda: place.count("dead_letter") >= len(unreadable) + 1)
    began = time.monotonic()
    good = place.survey("good-customer")
    place.flush()
    wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", good), 30)
    print(f"\nthe good event after all the bad ones was handled in {time.monotonic() - began:.2f} s")

    letters = place.sql("SELECT * FROM dead_letter ORDER BY id")
    reasons = [row["reason"] for row in letters]
    assert reasons == [reason for reason, _, _ in unreadable] + ["conflicting duplicate"]
    assert [bytes(row["raw"]) for row in letters] == [value or b"" for _, value, _ in unreadable] + [
        json.dumps(b).encode()
    ]
    published = dead_letters_in_topic(place, len(letters))
    for row in letters:
        letter = published[row["place"]]
        assert row["place"].startswith("surveys/")
        assert base64.b64decode(letter["value"]) == bytes(row["raw"])
        assert (letter["reason"], letter["detail"]) == (row["reason"], row["detail"])

    place.wait_for_sent(5)
    assert place.smtp.wait_for(5)
    assert [who for who, _ in told(place.smtp.messages)] == ["service.desk"] * 5
    subjects = " ".join(subject for _, subject in told(place.smtp.messages))
    assert all(name in subjects for name in ("twice", "nul", "future", "binary", "good-customer"))
    assert place.one("SELECT clamped FROM event WHERE id = %s", future["id"]) is True
    assert place.one("SELECT payload->>'comment' FROM event WHERE id = %s", nul["id"]) == "beforeafter"
    assert b"\\u0000" in bytes(place.one("SELECT raw FROM event WHERE id = %s", nul["id"]))
    assert place.one("SELECT segment FROM case_file WHERE customer_key = 'good-customer'") == "unverified"
    assert place.count("position_gap") == 0


def test_what_no_table_or_topic_takes_as_it_is_stops_nobody(install: Install) -> None:
    """Header names with NUL or without end, from a producer that allows them; a dead letter no topic would take whole."""
    place = install()
    consume = place.run("consume")
    place.begun(consume)
    odd = [("ce_\0x", b"1"), ("ce_" + "y" * 3000, b"\xff"), ("ce_specversion", b"1.0")]
    producer = KafkaProducer(bootstrap_servers=place.broker.bootstrap)
    try:
        producer.send("surveys", b"{}", headers=odd).get(10)
    finally:
        producer.close()
    place.produce("surveys", b"x" * 5_000_000)
    good = place.survey("after-the-odd-ones")
    place.flush()
    wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", good))
    wait_until(lambda: place.count("dead_letter") == 2)
    published = dead_letters_in_topic(place, 2)
    (large,) = [letter for letter in published.values() if letter["reason"] == "too large"]
    assert base64.b64decode(large["value"]) == b"x" * 500_000
    assert large["cut_from"] == 5_000_000
    assert place.one("SELECT length(raw) FROM dead_letter WHERE reason = 'too large'") == 5_000_000
    assert consume.said("loop failed") == []


# Mail


BROKEN = {
    "unknown field": "{{ v.customer.state.nothing.like.this }}",
    "endless recursion": "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
}


@pytest.mark.parametrize("words", BROKEN.values(), ids=BROKEN)
def test_a_template_that_fails_at_render_ends_in_a_plain_mail_and_an_audit_entry(install: Install, words: str) -> None:
    def break_template(folder: Path) -> None:
        template = folder / "templates/mail/en/call.txt"
        template.write_text(template.read_text() + words)

    place = install(rules=break_template)
    place.run("consume", "deliver")
    place.survey("plain", comment="{{ 1/0 }} <b>")
    place.flush()
    place.wait_for_sent(1)
    (mail,) = place.smtp.messages
    assert "This mail is plain because its template failed (call" in mail.email.get_content()
    assert "/a/" in mail.email.get_content()
    assert "template.failed" in [row["action"] for row in place.sql("SELECT action FROM audit_entry")]


def test_mails_wait_while_the_server_is_down_and_then_arrive_once_each(install: Install) -> None:
    place = install()
    deliver = place.run("consume", "deliver")
    place.begun(deliver)
    place.smtp.stop()
    for number in range(20):
        place.survey(f"patient-{number}")
    place.flush()
    wait_until(lambda: place.count("delivery", "outcome = 'deferred'") >= 25, 30)
    place.smtp.start()
    began = time.monotonic()
    place.wait_for_sent(20, 60)
    print(f"\nall mails arrived {time.monotonic() - began:.1f} s after the server was back")
    assert len(place.smtp.messages) == 20
    assert not sent_twice(place.smtp.messages)
    assert deliver.said("waiting for a service") == []


def test_a_refused_address_is_replaced_by_the_next_responsible_and_the_audit_says_so(install: Install) -> None:
    place = install()
    place.smtp.refuse["service.desk@example.com"] = "550 5.1.1 no such user"
    place.run("consume", "deliver")
    place.survey("refused")
    place.flush()
    place.wait_for_sent(1)
    ((who, subject),) = told(place.smtp.messages)
    assert who == "head.of.service"
    assert "refused" in subject
    actions = [json.loads(bytes(r["body"])) for r in place.sql("SELECT body FROM audit_entry ORDER BY id")]
    (refusal,) = [a for a in actions if a["action"] == "notification.refused"]
    assert refusal["facts"]["refused"] == "service_desk_lead"
    assert refusal["facts"]["to"] == "head_of_service"
    assert refusal["facts"]["code"] == 550
    assert place.count("notification", "status = 'failed'") == 1


def test_a_connection_lost_after_the_final_dot_is_a_doubt_and_brings_the_same_message_id_again(
    install: Install,
) -> None:
    place = install()
    place.smtp.drop_after_data = True
    place.run("consume", "deliver")
    place.survey("doubt")
    place.flush()
    place.smtp.wait_for(1)
    place.smtp.drop_after_data = False
    place.wait_for_sent(1)
    assert list(message_ids(place.smtp.messages).values()) == [2]
    outcomes = [row["outcome"] for row in place.sql("SELECT outcome FROM delivery ORDER BY n")]
    assert outcomes == ["unknown", "sent"]


def test_a_deferred_mail_comes_later_and_once(install: Install) -> None:
    place = install()
    place.smtp.defer = True
    place.run("consume", "deliver")
    place.survey("later")
    place.flush()
    wait_until(lambda: place.count("delivery", "outcome = 'deferred' AND code = 451"))
    place.smtp.defer = False
    place.wait_for_sent(1)
    assert list(message_ids(place.smtp.messages).values()) == [1]


# Broker, database and processes


def assert_nothing_lost_or_sent_twice(place: Installation, events: list[str]) -> None:
    """Every event is stored, every customer has one unresolved case, every notification's mail was accepted.

    And by nobody twice, but for those whose attempt is on record as `unknown`: the documented doubt.
    """
    stored = {row["id"] for row in place.sql("SELECT id FROM event")}
    assert [i for i in events if i not in stored] == [], "events are lost"
    cases = place.sql("SELECT customer_key FROM case_file WHERE status <> 'resolved'")
    assert len({row["customer_key"] for row in cases}) == len(cases)
    notes = place.sql("SELECT message_id, status, reason FROM notification")
    assert {row["status"] for row in notes} <= {"sent"}, [row for row in notes if row["status"] != "sent"][:5]
    accepted = message_ids(place.smtp.messages)
    assert set(accepted) == {row["message_id"] for row in notes}
    doubtful = {
        row["message_id"]
        for row in place.sql(
            "SELECT message_id FROM notification n JOIN delivery d ON d.notification_id = n.id WHERE d.outcome = 'unknown'"
        )
    }
    assert set(sent_twice(place.smtp.messages)) <= doubtful
    assert place.count("position_gap") == 0


def test_kill_9_of_every_role_in_the_middle_loses_nothing(install: Install) -> None:
    place = install()
    roles = {"consume": place.run("consume"), "deliver": place.run("deliver"), "follow-up": place.run("follow-up")}
    other = place.run("consume")
    place.begun(roles["consume"], other)
    events: list[str] = []

    def stream(count: int) -> None:
        for number in range(count):
            events.append(place.survey(f"crowd-{number % 40}", comment=f"number {len(events)}"))
            events.append(place.call(f"crowd-{number % 40}"))
            time.sleep(0.005)
        place.flush()

    for name in ("consume", "deliver", "follow-up", "consume"):
        stream(60)
        roles[name].kill()
        stream(20)
        roles[name] = place.run(name)
    began = time.monotonic()
    place.wait_for_events(len(events), 60)
    print(f"all events handled {time.monotonic() - began:.1f} s after the last kill")
    place.wait_for_sent(320, 120)
    print(f"all mails sent {time.monotonic() - began:.1f} s after the last kill")
    assert_nothing_lost_or_sent_twice(place, events)


def test_a_broker_that_stops_and_comes_back_loses_nothing(install: Install) -> None:
    place = install()
    consume, _, web = place.run("consume"), place.run("deliver"), place.run("web")
    place.begun(consume)
    place.wait_for_web()
    assert place.http("/readyz")[0] == 200
    events = [place.survey(f"before-{number}") for number in range(20)]
    place.flush()
    place.wait_for_events(10)
    place.broker.stop()
    began = time.monotonic()
    status, answer = place.http("/readyz")
    print(f"\n/readyz said {status} {answer['problems']} after {time.monotonic() - began:.1f} s")
    assert status == 503 and "event_log" in answer["problems"]
    began = time.monotonic()
    status, answer = place.http("/v1/events", survey("refused-at-the-door"))
    print(f"the door said {status} after {time.monotonic() - began:.1f} s")
    assert status == 503
    place.broker.start()
    began = time.monotonic()
    posted = survey("after-the-door")

    def taken() -> bool:
        return place.http("/v1/events", posted)[0] == 202

    wait_until(taken, 30)
    print(f"the door took an event again {time.monotonic() - began:.1f} s after the start")
    events += [str(posted["id"]), *(place.survey(f"after-{number}") for number in range(20))]
    place.flush()
    place.wait_for_events(41, 60)
    print(f"all was handled {time.monotonic() - began:.1f} s after the start")
    wait_until(lambda: place.http("/readyz")[0] == 200, 30)
    place.wait_for_sent(41)
    assert_nothing_lost_or_sent_twice(place, events)
    assert web.exit_code() is None


def test_a_database_restart_in_the_middle_loses_nothing(install: Install, postgres_server: Any) -> None:
    place = install()
    consume = place.run("consume")
    place.run("deliver", "follow-up")
    place.begun(consume)
    events = []
    for number in range(150):
        events += [place.survey(f"restart-{number % 30}"), place.call(f"restart-{number % 30}")]
        if number in {40, 80, 120}:
            place.flush()
            postgres_server.stop()
            time.sleep(0.5)
            postgres_server.start()
    place.flush()
    place.wait_for_events(300, 60)
    place.wait_for_sent(150, 60)
    assert_nothing_lost_or_sent_twice(place, events)


def test_a_database_that_turns_read_only_is_waited_for(install: Install) -> None:
    place = install()
    consume = place.run("consume")
    place.begun(consume)
    name = place.database.rpartition("/")[2]
    place.sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    place.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", name
    )
    events = [place.survey(f"patient-{number}") for number in range(10)]
    place.flush()
    time.sleep(3)
    on_again = f"SET default_transaction_read_only = off; ALTER DATABASE {name} SET default_transaction_read_only = off"
    with psycopg.connect(plain(place.database), autocommit=True) as connection:
        for statement in on_again.split("; "):
            connection.execute(statement)
    place.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()", name
    )
    place.wait_for_events(10)
    assert place.count("dead_letter") == 0
    assert len(events) == 10


class KillingServer(SmtpServer):
    """Kills the sender after it has accepted the first message, before it says so."""

    victim: Role | None = None

    def record(self, envelope: Any) -> None:
        super().record(envelope)
        if self.victim is not None:
            victim, self.victim = self.victim, None
            victim.kill()


def test_a_sender_killed_between_acceptance_and_record_is_the_documented_doubt(install: Install) -> None:
    place = install(smtp=KillingServer)
    assert isinstance(place.smtp, KillingServer)
    place.run("consume")
    place.smtp.victim = place.run("deliver")
    events = [place.survey(f"doubt-{number}") for number in range(5)]
    place.flush()
    place.smtp.wait_for(1)
    wait_until(lambda: place.count("notification") == 5)
    place.run("deliver")
    place.wait_for_sent(5)
    times = sorted(message_ids(place.smtp.messages).values())
    assert len(times) == 5
    assert set(times) <= {1, 2}
    assert 1 <= times.count(2) <= SENDERS  # every mail that was under way when the process died may come twice
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


def test_a_sender_that_stood_still_past_its_lease_does_not_undo_what_another_did(install: Install) -> None:
    place = install()
    place.run("consume")
    frozen = place.run("deliver")
    place.smtp.refuse = refusals = FreezingRefusals()
    refusals.victim = frozen
    events = [place.survey("frozen")]
    place.flush()
    wait_until(lambda: refusals.victim is None)
    place.run("deliver")
    place.wait_for_sent(1)
    frozen.resume()
    wait_until(lambda: frozen.said("attempt ended"))
    time.sleep(1)
    assert [row["outcome"] for row in place.sql("SELECT outcome FROM delivery ORDER BY n")] == ["deferred", "sent"]
    assert place.count("notification", "status = 'sent'") == 1
    assert_nothing_lost_or_sent_twice(place, events)


def test_two_consumers_meeting_the_same_customers_from_two_topics_open_one_case_each(install: Install) -> None:
    place = install()
    one, other = place.run("consume"), place.run("consume")
    place.begun(one, other)
    known = [{"customer_id": f"both-{n}", "name": f"Both {n}", "revenue_with_us": 400_000} for n in range(60)]
    for data in known:
        place.produce("customers", json.dumps(envelope("customer.updated", data)).encode(), data["customer_id"])
    place.flush()
    place.wait_for_events(60)
    for _ in range(4):
        for number in range(60):
            # Each consumer has one partition of each topic: so these two events are with different processes.
            place.produce("surveys", json.dumps(survey(f"both-{number}")).encode(), partition=0)
            place.produce("interactions", json.dumps(call(f"both-{number}")).encode(), partition=1)
    place.flush()
    place.wait_for_events(60 + 480, 90)
    cases = place.sql("SELECT customer_key, count(*) AS n FROM case_file GROUP BY 1")
    assert sorted(row["customer_key"] for row in cases) == sorted(data["customer_id"] for data in known)
    assert {row["n"] for row in cases} == {1}
    assert place.count("alert") == 240 + 120
    assert place.count("alert", "case_id IS NULL") == 0
    assert place.count("dead_letter") == 0
    for role in (one, other):
        assert any(line["alerts"] for line in role.said("batch taken")), "one process had all of them"
        assert [line for line in role.lines if "deadlock" in str(line)] == []


def test_a_consumer_that_stood_still_loses_its_partitions_and_harms_nothing(install: Install) -> None:
    place = install()
    one, other = place.run("consume"), place.run("consume")
    place.begun(one, other)
    events = [place.survey(f"zombie-{n}") for n in range(20)]
    one.pause()
    events += [place.survey(f"zombie-{n}") for n in range(20)]
    place.flush()
    place.wait_for_events(40)
    one.resume()
    events += [place.survey(f"zombie-{n}") for n in range(20)]
    place.flush()
    place.wait_for_events(60)
    place.run("deliver")
    place.wait_for_sent(60)
    assert_nothing_lost_or_sent_twice(place, events)


def test_partitions_assigned_while_the_database_is_down_are_read_when_it_is_back(
    install: Install, postgres_server: Any
) -> None:
    place = install()
    one, other = place.run("consume"), place.run("consume")
    place.begun(one, other)
    postgres_server.stop()
    other.kill()
    events = [place.survey(f"orphan-{n}") for n in range(30)]
    place.flush()
    time.sleep(9)
    postgres_server.start()
    place.wait_for_events(len(events), 30)


# The event log is not the one it was


def test_a_topic_deleted_and_made_anew_stops_loudly_and_is_mended_by_accepting_it(install: Install) -> None:
    place = install()
    consume, web = place.run("consume"), place.run("web")
    place.begun(consume)
    place.wait_for_web()
    old = [place.survey(f"old-{n}") for n in range(20)]
    place.flush()
    place.wait_for_events(20)
    assert place.broker is not None
    delete_topics(place.broker, "surveys")
    make_topics(place.broker, "surveys")
    # More than there were: the consumer's offset exists in the new topic, too, and nothing would look odd.
    fresh = [place.survey(f"new-{n % 5}") for n in range(50)]
    place.flush()
    wait_until(lambda: len(place.sql("SELECT 1 FROM stopped_partition WHERE topic = 'surveys'")) == 2, 60)
    assert place.count("event") == 20, "records of another topic were taken for those of the old one"
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
    consume.end()
    again = place.run("consume")
    place.begun(again)
    place.wait_for_events(20 + 50 + 1)
    assert place.http("/readyz")[0] == 200
    assert place.one("SELECT hold_reason FROM instance") is None
    place.run("deliver")
    place.wait_for_sent(70)
    assert_nothing_lost_or_sent_twice(place, [*old, *fresh, other])
    assert web.exit_code() is None


def test_accepting_a_topic_that_is_the_same_reads_it_again_and_sends_nothing_twice(install: Install) -> None:
    place = install()
    consume = place.run("consume", "deliver")
    events = [place.survey(f"same-{n}") for n in range(10)]
    place.flush()
    place.wait_for_sent(10)
    assert place.cli("positions", "accept", "surveys").returncode == 0
    consume.end()
    again = place.run("consume", "deliver")
    place.begun(again)
    events.append(place.survey("same-again"))
    place.flush()
    place.wait_for_sent(11)
    assert_nothing_lost_or_sent_twice(place, events)


def test_a_database_restored_to_an_older_state_holds_all_sending_until_released(install: Install) -> None:
    place = install()
    consume = place.run("consume", "deliver")
    events = [place.survey(f"restored-{n}") for n in range(5)]
    place.flush()
    place.wait_for_sent(5)
    consume.end()
    backup = copy_database(place.database)
    consume = place.run("consume", "deliver")
    events += [place.survey(f"restored-{n}") for n in range(5, 10)]
    place.flush()
    place.wait_for_sent(10)
    consume.end()
    copy_database(backup, place.database)
    again = place.run("consume", "deliver")
    place.begun(again)
    events.append(place.survey("restored-new"))
    place.flush()
    place.wait_for_events(11)
    time.sleep(1)
    assert "restored" in place.one("SELECT hold_reason FROM instance")
    assert place.count("notification", "status = 'pending'") == 6
    assert len(place.smtp.messages) == 10
    assert [row["actor"] for row in place.sql("SELECT actor FROM audit_entry WHERE action = 'sending.held'")] == [
        "intake"
    ]
    assert place.cli("hold", "release").returncode == 0
    place.wait_for_sent(11)
    assert len(place.smtp.messages) == 16


def test_a_database_restored_under_a_running_consumer_holds_sending_too(install: Install) -> None:
    place = install()
    first = place.run("consume")
    place.begun(first)
    place.produce("surveys", json.dumps(survey("under-1")).encode(), partition=0)
    place.flush()
    place.wait_for_events(1)
    first.end()
    backup = copy_database(place.database)
    running = place.run("consume")
    place.begun(running)
    place.produce("surveys", json.dumps(survey("under-2")).encode(), partition=0)
    place.flush()
    place.wait_for_events(2)
    copy_database(backup, place.database)
    place.produce("surveys", json.dumps(survey("under-3")).encode(), partition=0)
    place.flush()
    place.wait_for_events(3)
    assert "restored" in str(place.one("SELECT hold_reason FROM instance"))


def test_records_deleted_before_they_were_read_are_a_recorded_gap(install: Install) -> None:
    place = install()
    consume = place.run("consume")
    place.begun(consume)
    for _ in range(5):
        place.produce("surveys", json.dumps(survey("gap")).encode(), partition=0)
    place.flush()
    place.wait_for_events(5)
    consume.end()
    for _ in range(5):
        place.produce("surveys", json.dumps(survey("gap")).encode(), partition=0)
    place.flush()
    delete_records(place.broker, "surveys", 0, 8)
    place.run("consume")
    place.wait_for_events(7)
    (gap,) = place.sql("SELECT * FROM position_gap")
    assert (gap["topic"], gap["partition"], gap["expected"], gap["found"]) == ("surveys", 0, 5, 8)
    place.run("web")
    place.wait_for_web()
    assert "alerting_log_gaps 1.0" in place.http("/metrics")[1]


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_records_are_read(install: Install, codec: str) -> None:
    place = install()
    consume = place.run("consume")
    place.begun(consume)
    producer = Producer({"bootstrap.servers": place.broker.bootstrap, "compression.type": codec, "linger.ms": 50})
    for number in range(100):
        producer.produce("surveys", json.dumps(survey(f"packed-{number}", comment="x" * 30_000)).encode())
    producer.flush(10)
    place.survey("plain")
    place.flush()
    place.wait_for_events(101)


# Without Kafka


def test_postgresql_alone_survives_kill_9_of_two_consumers_that_read_the_same_log(install: Install) -> None:
    place = install(kafka=False)
    place.run("web")
    one, other = place.run("consume"), place.run("consume")
    place.run("deliver")
    place.wait_for_web(place.roles[0])
    events = [survey(f"small-{n % 12}") for n in range(120)]
    for number in range(0, 120, 4):
        assert place.http("/v1/events", events[number : number + 4])[0] == 202
        if number == 40:
            one.kill()
            one = place.run("consume")
        if number == 80:
            other.kill()
    place.wait_for_events(120)
    place.wait_for_sent(120)
    assert_nothing_lost_or_sent_twice(place, [str(event["id"]) for event in events])


# Starting


def test_run_refuses_the_database_of_a_demo(install: Install) -> None:
    place = install()
    place.sql("UPDATE instance SET kind = 'demo'")
    for roles in (["consume"], ["deliver", "follow-up"], ["all"]):
        refused = place.cli("run", *roles)
        assert refused.returncode == 2
        assert "this database was made by `alerting demo`" in refused.stderr


def test_a_broken_rulebook_stops_the_first_start_with_all_errors_and_nothing_is_lost(
    install: Install, new_database: Callable[[], str]
) -> None:
    place = install()
    place.database = place.environment["ALERTING_DATABASE_URL"] = new_database()
    rules = place.folder / "rules"
    condition = replace_in(rules / "escalations/key_accounts.yaml", "sentiment = 'negative'", "sentimnt = 'negative'")
    person = replace_in(rules / "routing.yaml", "vp_sales: {person: vp_sales}", "vp_sales: {person: vp_sale}")
    duration = replace_in(rules / "sla.yaml", "within: 24h", "within: 24 hours")
    for command in (["migrate"], ["run", "all"]):
        failed = place.cli(*command)
        assert failed.returncode == 1
        assert "Traceback" not in failed.stderr
        problems = failed.stderr
        assert f"rules/escalations/key_accounts.yaml:{condition}:" in problems
        assert "did you mean 'sentiment'?" in problems
        assert f"rules/routing.yaml:{person}:" in problems
        assert "did you mean 'vp_sales'?" in problems
        assert f"rules/sla.yaml:{duration}:" in problems
        assert "write 30m, 24h or 7d" in problems
        assert "3 problems" in problems
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


def test_a_broken_rules_folder_does_not_stop_a_later_start(install: Install) -> None:
    place = install()
    replace_in(place.folder / "rules/sla.yaml", "within: 24h", "within: 24 hours")
    place.run("all")
    place.survey("as-before")
    place.flush()
    place.wait_for_sent(1)


# Time


def quick_policy(folder: Path) -> None:
    (folder / "rules/sla.yaml").write_text("""
policies:
  call_in_24h: {starts: received, contact: {by: caller, within: 1h}}
  call_in_3d:
    starts: received
    contact:
      by: caller
      within: 6s
      steps:
        - {before: 4s, notify: caller}
        - {before: 2s, notify: substitute}
        - {after: 0s, notify: manager of caller}
        - {after: 3s, notify: default}
""")


def test_timers_survive_kill_9_and_catch_up_each_once(install: Install) -> None:
    place = install(rules=quick_policy)
    consume = place.run("consume", "deliver")
    follow_up = place.run("follow-up")
    place.begun(consume)
    customers = [f"late-{n}" for n in range(10)]
    events = [place.survey(customer) for customer in customers]
    place.flush()
    wait_until(lambda: place.count("timer", "fired_at IS NOT NULL") >= 10)
    follow_up.kill()
    time.sleep(4)
    other = place.run("follow-up")
    place.run("follow-up")
    wait_until(lambda: place.count("timer", "fired_at IS NOT NULL") >= 20)
    other.kill()
    place.run("follow-up")
    wait_until(lambda: place.count("timer", "fired_at IS NULL") == 0, 30)
    assert place.count("timer") == 50
    assert place.count("timer", "fired_at < due_at") == 0
    wait_until(lambda: place.count("notification", "status IN ('pending', 'claimed')") == 0, 30)
    steps = place.sql("SELECT case_id, template, recipient, count(*) AS n FROM notification GROUP BY 1, 2, 3")
    assert {row["n"] for row in steps} == {1}
    assert place.count("clock", "missed_at IS NOT NULL") == 10
    assert place.count("clock_entry", "what = 'missed'") == 10
    assert place.count("audit_entry", "action = 'step.fired'") == 40
    assert_nothing_lost_or_sent_twice(place, events)


# The embedded default


def test_everything_in_one_process_on_sqlite_survives_kill_9(install: Install) -> None:
    place = install(kafka=False)
    for name in ("DATABASE_URL", "SMTP_HOST", "SMTP_USER", "SMTP_PASSWORD"):
        del place.environment[f"ALERTING_{name}"]
    data = Path(place.environment["ALERTING_DATA"])
    events = [survey(f"embedded-{n % 15}") for n in range(90)]
    waiting = list(events)
    for round_ in range(3):
        role = place.run("all")
        place.wait_for_web()
        for _ in range(30):
            batch, waiting = waiting[:1], waiting[1:]
            assert place.http("/v1/events", batch)[0] == 202
        time.sleep(0.3 * round_)
        role.kill()
    place.run("all")

    def rows(statement: str) -> list[Any]:
        with closing(sqlite3.connect(data / "alerting.db")) as connection:
            return connection.execute(statement).fetchall()

    wait_until(lambda: rows("SELECT count(*) FROM event") == [(90,)])
    wait_until(lambda: rows("SELECT DISTINCT status FROM notification") == [("sent",)], 40)
    assert {i for (i,) in rows("SELECT id FROM event")} == {event["id"] for event in events}
    assert rows("SELECT count(*), count(DISTINCT customer_key) FROM case_file") == [(15, 15)]
    expected = {i for (i,) in rows("SELECT message_id FROM notification")}
    assert len(expected) == 90
    mails = [message_from_bytes(path.read_bytes()) for path in (data / "mailbox").glob("*.eml")]
    assert sorted(str(mail["Message-ID"]) for mail in mails) == sorted(expected)
