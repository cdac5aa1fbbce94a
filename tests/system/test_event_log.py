"""Intake on each event log: seeks, restores, another topic's life, gaps, dead letters."""

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from alerting.adapters.intake.local_log import LocalLog
from alerting.database import instance
from alerting.database.intake import positions
from alerting.database.tables import event, position_gap
from alerting.services.alerts.judge_batch import Taken
from alerting.services.intake.consumer import Consumption
from alerting.services.intake.event_log import DEAD_LETTERS, EventLog, NewRecord
from alerting.services.intake.publisher import publish_dead_letters
from tests.support.world import World, make_world

# kafka-python leaves a socket to the garbage collector when a connection is closed while it is
# made.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


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
        from alerting.database.intake import dead_letters

        with world.app.ctx.db.read() as tx:
            return any(tag.encode() in bytes(row.raw) for row in dead_letters.list_letters(tx))

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
