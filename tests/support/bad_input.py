"""Records nobody can read, and the dead letters that become of them."""

import base64
import json
import time
import uuid
from typing import Any

import psycopg
from confluent_kafka import Consumer

from tests.support.system.events import envelope, survey
from tests.support.system.installation import Installation, plain

CONFLICT = "conflicting duplicate"


def unreadable() -> list[tuple[str, bytes | None, list[tuple[str, bytes]]]]:
    """Records nobody can read, as (reason, value, headers)."""
    wrong_type: dict[str, Any] = {"score": "two"}
    unknown = envelope("survey.started", {"customer_id": "c"})
    return [
        ("not UTF-8", b'{"specversion": "1.0", "id": "\xff"}', []),
        ("not JSON", b'{"specversion": "1.0", ', []),
        ("not JSON", b"", []),
        ("invalid", b"[1, 2]", []),
        ("invalid", json.dumps(survey("c", **wrong_type)).encode(), []),
        ("invalid", json.dumps(survey("c") | {"specversion": "0.3"}).encode(), []),
        ("invalid", json.dumps(survey("c", time="yesterday")).encode(), []),
        ("unknown type", json.dumps(unknown).encode(), []),
        ("too large", json.dumps(survey("c", comment="x" * 2_000_000)).encode(), []),
        ("empty", None, []),
        ("not UTF-8", b"{}", [("ce_specversion", b"1.0"), ("ce_id", b"\xff")]),
    ]


def produce_in_binary_mode(place: Installation, customer: str) -> None:
    """The attributes stand in headers, the data alone is the value."""
    attributes = {
        "specversion": "1.0",
        "id": "binary-1",
        "source": "/binary",
        "type": "survey.answered",
    }
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    place.produce("surveys", json.dumps(survey(customer)["data"]).encode(), "bad", headers)


def check_dead_letters(place: Installation, sent: list[tuple[str, bytes]]) -> None:
    """Each is kept with its reason and bytes, and published to its topic."""
    letters = place.sql("SELECT * FROM dead_letter ORDER BY id")
    assert [(row["reason"], bytes(row["raw"])) for row in letters] == sent
    published = dead_letters_in_topic(place, len(letters))
    for row in letters:
        letter = published[row["place"]]
        assert row["place"].startswith("surveys/")
        assert base64.b64decode(letter["value"]) == bytes(row["raw"])
        assert (letter["reason"], letter["detail"]) == (row["reason"], row["detail"])


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
