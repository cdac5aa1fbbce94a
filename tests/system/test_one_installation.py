"""What one running installation goes through: bad input, and faults of what it leans on."""

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from confluent_kafka import Producer
from kafka import KafkaProducer

from tests.support.bad_input import (
    CONFLICT,
    check_dead_letters,
    dead_letters_in_topic,
    produce_in_binary_mode,
    set_read_only,
    unreadable,
)
from tests.support.faults import DOUBTFUL, attempts_about
from tests.support.services.postgres import PostgresServer
from tests.support.system.events import survey
from tests.support.system.installation import Installation
from tests.support.system.installer import Installer
from tests.support.system.mails import message_ids, sent_twice, told
from tests.support.system.roles import wait_until

pytestmark = pytest.mark.apache_kafka


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
        nul = survey("nul", comment="before\0after")
        future = survey("future", time=(datetime.now(UTC) + timedelta(days=30)).isoformat())
        bad = unreadable()
        for _, value, headers in bad:
            place.produce("surveys", value, "bad", headers)
        for event in (one, one, other, nul, future):
            place.produce("surveys", json.dumps(event).encode(), "bad")
        produce_in_binary_mode(place, "binary")
        place.flush()
        wait_until(lambda: place.count("dead_letter") >= len(bad) + 1)
        began = time.monotonic()
        good = place.survey("nobody-owns-me")
        place.flush()
        wait_until(lambda: place.one("SELECT 1 FROM event WHERE id = %s", good), 30)
        print(
            "\nafter all the bad input the next good event was handled in "
            f"{time.monotonic() - began:.2f} s"
        )
        sent = [(reason, value or b"") for reason, value, _ in bad]
        check_dead_letters(place, [*sent, (CONFLICT, json.dumps(other).encode())])
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
