"""The contract of the event logs: the local log on SQLite and on PostgreSQL, and Kafka, pass the
same tests.
"""

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from sqlalchemy import select

from alerting.adapters.intake.kafka import KafkaLog
from alerting.adapters.intake.local_log import LocalLog
from alerting.database import instance
from alerting.database.engine import Database
from alerting.database.intake import positions
from alerting.database.tables import event, position_gap
from alerting.services.alerts.judge_batch import Taken
from alerting.services.intake.consumer import Consumption
from alerting.services.intake.event_log import (
    DEAD_LETTERS,
    EventLog,
    Fetched,
    LogConsumer,
    NewRecord,
)
from alerting.services.intake.publisher import publish_dead_letters
from tests.support.world import World, make_world

# kafka-python leaves a socket to the garbage collector when a connection is closed while it is
# made.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)

LOGS = ["local log on SQLite", "local log on PostgreSQL", "Kafka"]


@pytest.fixture(params=LOGS)
def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], EventLog]]:
    """Opens the same log each time it is called, as each process does."""
    opened: list[EventLog] = []
    if request.param == "Kafka":
        broker = request.getfixturevalue("kafka")
        group = f"contract-{uuid.uuid4().hex[:8]}"

        def make() -> EventLog:
            return KafkaLog([broker.bootstrap], group, {}, session_timeout=6.0)
    else:
        new_database = (
            request.getfixturevalue("new_database") if "PostgreSQL" in request.param else None
        )
        url = new_database() if new_database else f"sqlite:///{tmp_path / 'log.db'}"

        def make() -> EventLog:
            log = LocalLog(Database(url, has_instance=False))
            log.prepare()
            return log

    def open_one() -> EventLog:
        opened.append(make())
        return opened[-1]

    yield open_one
    for log in opened:
        log.close()


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
    records = [r for f in fetched for r in f.records if (r.value or b"").startswith(tag.encode())]
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


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path / "world")
    yield made
    made.app.close()


def _consume(
    world: World, log: EventLog, want: Callable[[], bool], consumption: Consumption | None = None
) -> Consumption:
    """Run a consumption until something holds; the position it keeps is the world's database's."""
    running = consumption or Consumption(ctx=world.app.ctx, consumer=log.consumer())
    deadline = time.monotonic() + 30
    while not want() and time.monotonic() < deadline:
        running.step(0.3)
    assert want()
    return running


def _send(world: World, log: EventLog, count: int) -> list[str]:
    surveys = [world.survey("KIOSK-7", score=9, id=uuid.uuid4().hex) for _ in range(count)]
    log.append(
        [
            NewRecord(topic="surveys", key="KIOSK-7", value=world.record(s).value or b"")
            for s in surveys
        ]
    )
    return [survey["id"] for survey in surveys]


def _known(world: World, ids: list[str]) -> bool:
    return len(world.rows(select(event.c.seq).where(event.c.id.in_(ids)))) == len(ids)


def test_a_new_consumer_goes_on_from_the_stored_position(
    world: World, open_log: Callable[[], EventLog]
) -> None:
    log = open_log()
    first = _send(world, log, 3)
    consumption = _consume(world, log, lambda: _known(world, first))
    consumption.consumer.close()
    second = _send(world, log, 2)
    taken = Taken()
    again = Consumption(ctx=world.app.ctx, consumer=open_log().consumer())
    deadline = time.monotonic() + 30
    while not _known(world, second) and time.monotonic() < deadline:
        taken += again.step(0.3)
    again.consumer.close()
    assert _known(world, second)
    assert taken.duplicates == 0


def test_a_database_older_than_the_logs_memory_holds_sending(
    world: World, open_log: Callable[[], EventLog], tmp_path: Path
) -> None:
    log = open_log()
    ids = _send(world, log, 2)
    _consume(world, log, lambda: _known(world, ids)).consumer.close()
    restored = make_world(
        tmp_path / "restored"
    )  # an empty database behind the same log: a restore gone too far back
    try:
        _consume(restored, log, lambda: _known(restored, ids)).consumer.close()
        with restored.app.ctx.db.read() as tx:
            assert "restored" in (instance.hold_reason(tx) or "")
    finally:
        restored.app.close()


def test_another_life_of_the_topic_stops_the_partition_until_somebody_accepts_it(
    world: World, open_log: Callable[[], EventLog]
) -> None:
    log = open_log()
    ids = _send(world, log, 1)
    consumption = _consume(world, log, lambda: _known(world, ids))
    consumption.consumer.close()
    with (
        world.app.ctx.db.write() as tx
    ):  # the stored position speaks of a topic that was deleted since
        tx.execute(
            positions.position.update().values(topic_id="former " + positions.position.c.topic_id)
        )
    more = _send(world, log, 1)

    def stopped() -> dict[str, str]:
        with world.app.ctx.db.read() as tx:
            return positions.stopped_partitions(tx)

    again = _consume(world, log, lambda: bool(stopped()))
    for _ in range(3):
        again.step(0.2)
    assert not _known(world, more)
    assert all("made anew" in reason for reason in stopped().values())
    again.consumer.close()
    with world.app.ctx.db.write() as tx:
        positions.retire_topic(tx, "surveys", tx.now())
        positions.retire_topic(tx, "interactions", tx.now())
        positions.retire_topic(tx, "customers", tx.now())
        positions.retire_topic(tx, "people", tx.now())
    mended = _consume(world, log, lambda: _known(world, more))
    mended.consumer.close()
    assert not stopped()


def test_a_position_behind_what_the_log_still_has_is_a_recorded_gap(
    world: World, open_log: Callable[[], EventLog]
) -> None:
    log = open_log()
    ids = _send(world, log, 1)
    consumption = _consume(world, log, lambda: _known(world, ids))
    partition, position = next(
        (p, n) for p, n in consumption.expected.items() if p.topic == "surveys" and n > 0
    )
    consumption.consumer.close()
    from alerting.services.intake.consumer import begin_partition

    begin = begin_partition(world.app.ctx, partition, (position + 5, position + 9), position)
    assert begin == position + 5
    (gap,) = world.rows(select(position_gap))
    assert (gap.expected, gap.found) == (position, position + 5)


def test_a_dead_letter_reaches_its_topic_with_bytes_place_and_reason(
    world: World, open_log: Callable[[], EventLog], request: pytest.FixtureRequest
) -> None:
    log = open_log()
    tag = uuid.uuid4().hex
    log.append([NewRecord(topic="surveys", key=tag, value=f"{{{tag}".encode())])

    def buried() -> bool:
        from alerting.database.intake import events

        with world.app.ctx.db.read() as tx:
            return any(tag.encode() in bytes(row.raw) for row in events.dead_letters(tx))

    _consume(world, log, buried).consumer.close()
    assert publish_dead_letters(world.app.ctx, log) >= 1
    assert publish_dead_letters(world.app.ctx, log) == 0
    published = _published(log, request)
    assert any("not JSON" in value and "surveys/" in value for value in published)


def _published(log: EventLog, request: pytest.FixtureRequest) -> list[str]:
    """What stands in the dead letters' topic, read past our own consumer."""
    if isinstance(log, LocalLog):
        from alerting.adapters.intake.local_log import _record

        with log._db.read() as tx:
            rows = tx.execute(select(_record.c.value).where(_record.c.topic == DEAD_LETTERS))
            return [bytes(value).decode() for (value,) in rows]
    from kafka import KafkaConsumer

    broker = request.getfixturevalue("kafka")
    consumer = KafkaConsumer(
        DEAD_LETTERS,
        bootstrap_servers=broker.bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=4000,
    )
    try:
        return [record.value.decode() for record in consumer]
    finally:
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
    mine = [r for f in fetched for r in f.records if (r.value or b"").startswith(tag.encode())]
    assert [r.headers["ce_x"] for r in mine] == [b"0", b"1", b"0"]
    assert mine[1].headers["\ufffd\ufffd"] == b"\xff"
