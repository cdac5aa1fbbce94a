"""The contract of the event logs: the local log on SQLite and on PostgreSQL, and Kafka, pass the
same tests."""

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaProducer

from alerting.adapters.intake.kafka import KafkaLog
from alerting.services.intake.event_log import EventLog, Fetched, LogConsumer, NewRecord

# kafka-python leaves a socket to the garbage collector when a connection is closed while it is
# made.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


def _own(tag: str, number: int) -> NewRecord:
    return NewRecord(
        topic="surveys",
        key=f"{tag}-{number % 3}",
        value=f"{tag}:{number}".encode(),
        headers={"ce_x": b"\xff"},
    )


def _read_until(
    consumer: LogConsumer, tag: str, count: int, patience: float = 30.0
) -> list[Fetched]:
    """Poll from the beginning of whatever is assigned until `count` records of this test have
    come.
    """
    found: list[Fetched] = []
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and sum(len(_values([f], tag)) for f in found) < count:
        polled = consumer.poll(0.5)
        for partition in polled.assigned:
            consumer.seek(partition, consumer.bounds(partition)[0])
        found += polled.fetched
    return found


def _values(fetched: list[Fetched], tag: str) -> list[str]:
    values = [(r.value or b"").decode("utf-8", "replace") for f in fetched for r in f.records]
    return [value for value in values if value.startswith(f"{tag}:")]


def _mine(fetched: list[Fetched], tag: str) -> list[Any]:
    records = [record for found in fetched for record in found.records]
    return [record for record in records if (record.value or b"").startswith(tag.encode())]


def test_what_was_appended_is_read_once_in_the_order_of_its_key_with_headers(
    open_log: Callable[[], EventLog],
) -> None:
    tag = uuid.uuid4().hex[:8]
    open_log().append([_own(tag, number) for number in range(20)])
    consumer = open_log().consumer()
    fetched = _read_until(consumer, tag, 20)
    consumer.close()
    values = _values(fetched, tag)
    assert sorted(values) == sorted(f"{tag}:{number}" for number in range(20))
    for key in range(3):
        mine = [int(value.split(":")[1]) for value in values if int(value.split(":")[1]) % 3 == key]
        assert mine == sorted(mine)
    records = _mine(fetched, tag)
    assert all(r.headers == {"ce_x": b"\xff"} for r in records)
    assert all(r.timestamp is not None for r in records)


def test_places_and_offsets_name_a_record_and_bounds_enclose_them(
    open_log: Callable[[], EventLog],
) -> None:
    tag = uuid.uuid4().hex[:8]
    log = open_log()
    log.append([_own(tag, number) for number in range(5)])
    consumer = open_log().consumer()
    for fetched in _read_until(consumer, tag, 5):
        first, end = consumer.bounds(fetched.partition)
        for record in fetched.records:
            assert first <= record.offset < end
            assert (
                record.place
                == f"{fetched.partition.topic}/{fetched.partition.partition}@{record.offset}"
            )
        assert log.ends()[(fetched.partition.topic, fetched.partition.partition)] == end
    consumer.close()


def test_seeking_back_hands_out_the_same_records_again(open_log: Callable[[], EventLog]) -> None:
    tag = uuid.uuid4().hex[:8]
    open_log().append([_own(tag, 0)])
    consumer = open_log().consumer()
    fetched = next(f for f in _read_until(consumer, tag, 1) if _values([f], tag))
    offset = next(r.offset for r in fetched.records if (r.value or b"").startswith(tag.encode()))
    consumer.seek(fetched.partition, offset)
    assert _values(_read_until(consumer, tag, 1), tag) == [f"{tag}:0"]
    consumer.close()


def test_a_confirmed_position_is_the_hint_of_the_next_consumer(
    open_log: Callable[[], EventLog],
) -> None:
    tag = uuid.uuid4().hex[:8]
    open_log().append([_own(tag, 0)])
    consumer = open_log().consumer()
    fetched = next(f for f in _read_until(consumer, tag, 1) if _values([f], tag))
    position = fetched.records[-1].offset + 1
    consumer.confirm(fetched.partition, position)
    consumer.close()
    second = open_log().consumer()
    deadline = time.monotonic() + 30
    while (
        fetched.partition not in (assigned := second.poll(0.5).assigned)
        and time.monotonic() < deadline
    ):
        pass
    assert fetched.partition in assigned
    assert second.hint(fetched.partition) == position
    second.close()


@pytest.mark.parametrize("open_log", ["Kafka"], indirect=True)
def test_a_position_confirmed_of_the_topic_before_it_was_made_anew_is_no_hint(
    open_log: Callable[[], EventLog],
) -> None:
    """A consumer that has not heard of the new topic yet confirms late; Kafka knows topics by name
    only there.
    """
    tag = uuid.uuid4().hex[:8]
    open_log().append([_own(tag, 0)])
    consumer = open_log().consumer()
    fetched = next(f for f in _read_until(consumer, tag, 1) if _values([f], tag))
    consumer.confirm(
        replace(fetched.partition, topic_id=str(uuid.uuid4())), fetched.records[-1].offset + 1
    )
    consumer.close()
    second = open_log().consumer()
    _read_until(second, tag, 1)
    assert second.hint(fetched.partition) is None
    second.close()


def test_a_paused_partition_is_silent(open_log: Callable[[], EventLog]) -> None:
    tag = uuid.uuid4().hex[:8]
    log = open_log()
    log.append([_own(tag, 0)])
    consumer = open_log().consumer()
    for partition in {f.partition for f in _read_until(consumer, tag, 1)}:
        consumer.pause(partition)
    log.append([NewRecord(topic="surveys", key=f"{tag}-0", value=f"{tag}:1".encode())])
    assert _values(_read_until(consumer, tag, 1, patience=2.0), tag) == []
    consumer.close()


def test_a_header_whose_name_is_no_utf_8_stops_nobody(kafka: Any) -> None:
    """kafka-python's poll raises on it for ever, with every record behind it in the same batch."""

    class NoText(str):
        def encode(self, *_: Any) -> bytes:
            return b"\xff\xfe"

    tag, group = uuid.uuid4().hex[:8], f"headers-{uuid.uuid4().hex[:8]}"
    log = KafkaLog([kafka.bootstrap], group, {}, session_timeout=6.0)
    producer = KafkaProducer(bootstrap_servers=[kafka.bootstrap], linger_ms=50)
    for number in range(3):
        headers = [(NoText("x"), b"\xff"), ("ce_x", b"1")] if number == 1 else [("ce_x", b"0")]
        producer.send(
            "surveys", key=tag.encode(), value=f"{tag}:{number}".encode(), headers=headers
        )
    producer.close()
    consumer = log.consumer()
    fetched = _read_until(consumer, tag, 3)
    consumer.close()
    log.close()
    assert _values(fetched, tag) == [f"{tag}:{number}" for number in range(3)]
    mine = _mine(fetched, tag)
    assert [r.headers["ce_x"] for r in mine] == [b"0", b"1", b"0"]
    assert mine[1].headers["\ufffd\ufffd"] == b"\xff"
