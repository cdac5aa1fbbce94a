"""The local event log: topics in a database, for the embedded default and for small production
without Kafka.

One partition per topic. Offsets are handed out under a lock on the topic's head, so that they have
no gaps and become visible in order. Any number of consumers may read; the stored position decides
who takes a batch.
"""

import base64
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, select, update

from alerting.database.engine import Database, Transaction
from alerting.database.intake.positions import Partition
from alerting.database.types import Instant, Json, Number
from alerting.domain.errors import DatabaseUnavailable, LogUnavailable
from alerting.services.intake.event_log import INTAKE_TOPICS, Fetched, NewRecord, Polled
from alerting.services.intake.take_records import ERASED, Record

MAX_RECORDS = 500
POLL_INTERVAL = 0.1
"""Seconds between looks at an idle log."""

metadata = MetaData()

_identity = Table(
    "log_identity",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("cluster", String(100), nullable=False),
)

_head = Table(
    "log_head",
    metadata,
    Column("topic", String(249), primary_key=True),
    Column("next", Number, nullable=False),
    Column("hint", Number),  # what a consumer last said it had handled
)

_record = Table(
    "log_record",
    metadata,
    Column("topic", String(249), primary_key=True),
    Column("offset", Number, primary_key=True, autoincrement=False),
    Column("key", String(400), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("headers", Json, nullable=False),
    Column("appended_at", Instant, nullable=False),
)


class LocalLog:
    """An event log in `database`; its tables are made when it is opened."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def prepare(self) -> None:
        """Make the tables and give the log its identity; does nothing to a log that has both."""
        with self._db.write() as tx:
            metadata.create_all(tx.connection)
            fresh = {"id": 1, "cluster": f"local-{secrets.token_hex(8)}"}
            tx.execute(tx.insert(_identity).on_conflict_do_nothing(), [fresh])

    def append(self, records: Sequence[NewRecord]) -> None:
        """All or none; durable when it returns."""
        try:
            self._db.retrying(lambda: self._append(records))
        except DatabaseUnavailable as error:
            raise LogUnavailable(str(error)) from error

    def erase(self, keys: Sequence[str]) -> int:
        """Take the bytes of the records under these keys away; their places stay. Returns how
        many.
        """

        def once() -> int:
            with self._db.write() as tx:
                mine = update(_record).where(
                    _record.c.key.in_(keys), _record.c.topic.in_(INTAKE_TOPICS)
                )
                return tx.execute(mine.values(value=b"", headers={ERASED: ""})).rowcount

        return self._db.retrying(once)

    def settle(self) -> None:
        """Nothing that was erased stays behind in the database's files."""
        self._db.settle()

    def _append(self, records: Sequence[NewRecord]) -> None:
        by_topic: dict[str, list[NewRecord]] = {}
        for record in records:
            by_topic.setdefault(record.topic, []).append(record)
        with self._db.write() as tx:
            for topic in sorted(by_topic):
                offset = self._reserve(tx, topic, len(by_topic[topic]))
                now = tx.now()
                rows = [_row(record, offset + i, now) for i, record in enumerate(by_topic[topic])]
                tx.execute(_record.insert(), rows)

    def _reserve(self, tx: Transaction, topic: str, count: int) -> int:
        """Lock the topic's head until the commit, and take `count` offsets."""
        tx.execute(tx.insert(_head).on_conflict_do_nothing(), [{"topic": topic, "next": 0}])
        moved = (
            update(_head)
            .where(_head.c.topic == topic)
            .values(next=_head.c.next + count)
            .returning(_head.c.next)
        )
        return int(tx.execute(moved).scalar_one()) - count

    def consumer(self) -> "LocalConsumer":
        return LocalConsumer(self._db)

    def ends(self) -> Mapping[tuple[str, int], int]:
        """The next offset to be written, by topic and partition 0. Raises LogUnavailable."""
        try:
            with self._db.read() as tx:
                rows = tx.execute(select(_head.c.topic, _head.c.next)).all()
        except DatabaseUnavailable as error:
            raise LogUnavailable(str(error)) from error
        return {(row.topic, 0): row.next for row in rows if row.topic in INTAKE_TOPICS}

    def close(self) -> None:
        self._db.close()


def _row(record: NewRecord, offset: int, now: datetime) -> dict[str, object]:
    return {
        "topic": record.topic,
        "offset": offset,
        "key": record.key,
        "value": record.value,
        "headers": {
            name: base64.b64encode(value).decode() for name, value in record.headers.items()
        },
        "appended_at": now,
    }


class LocalConsumer:
    """Reads every intake topic from its position on."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._partitions: list[Partition] | None = None
        self._next: dict[Partition, int] = {}
        self._paused: set[Partition] = set()

    def poll(self, timeout: float) -> Polled:
        """What came within `timeout` seconds, and which partitions were assigned. Raises
        LogUnavailable.
        """
        if self._partitions is None:
            self._partitions = self._assign()
            return Polled(assigned=self._partitions)
        deadline = time.monotonic() + timeout
        while True:
            fetched = self._fetch()
            if fetched or time.monotonic() >= deadline:
                return Polled(fetched=fetched)
            time.sleep(min(POLL_INTERVAL, max(deadline - time.monotonic(), 0)))

    def _assign(self) -> list[Partition]:
        with _available(), self._db.read() as tx:
            cluster = tx.execute(select(_identity.c.cluster)).scalar_one()
        return [
            Partition(cluster=cluster, topic=topic, topic_id=f"{cluster}.{topic}", partition=0)
            for topic in INTAKE_TOPICS
        ]

    def _fetch(self) -> list[Fetched]:
        found = []
        with _available(), self._db.read() as tx:
            for partition, start in self._next.items():
                if partition in self._paused:
                    continue
                statement = select(_record).where(
                    _record.c.topic == partition.topic, _record.c.offset >= start
                )
                rows = tx.execute(statement.order_by(_record.c.offset).limit(MAX_RECORDS)).all()
                if rows:
                    records = [_read(row) for row in rows]
                    found.append(Fetched(partition=partition, records=records))
        for fetched in found:
            self._next[fetched.partition] = fetched.records[-1].offset + 1
        return found

    def seek(self, partition: Partition, offset: int) -> None:
        """Read on from `offset`."""
        self._paused.discard(partition)
        self._next[partition] = offset

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """The first offset that is kept and the next to be written. Raises LogUnavailable."""
        with _available(), self._db.read() as tx:
            end = (
                tx.execute(select(_head.c.next).where(_head.c.topic == partition.topic)).scalar()
                or 0
            )
            first = tx.execute(
                select(sa.func.min(_record.c.offset)).where(_record.c.topic == partition.topic)
            ).scalar()
        return (end if first is None else first), end

    def hint(self, partition: Partition) -> int | None:
        with _available(), self._db.read() as tx:
            return tx.execute(select(_head.c.hint).where(_head.c.topic == partition.topic)).scalar()

    def confirm(self, partition: Partition, position: int) -> None:
        with _available(), self._db.write() as tx:
            behind = sa.or_(_head.c.hint.is_(None), _head.c.hint < position)
            tx.execute(
                update(_head).where(_head.c.topic == partition.topic, behind).values(hint=position)
            )

    def pause(self, partition: Partition) -> None:
        """Read nothing more of it until `seek`."""
        self._paused.add(partition)

    def close(self) -> None:
        """Nothing is held between polls; the next one begins anew."""
        self._partitions = None
        self._next.clear()
        self._paused.clear()


class _available:
    """The log's database failing is the log failing."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DatabaseUnavailable):
            raise LogUnavailable(str(error)) from error


class _Row(Protocol):
    """A stored record; headers are in base64."""

    topic: str
    offset: int
    value: bytes
    headers: Mapping[str, str]
    appended_at: datetime


def _read(row: _Row) -> Record:
    return Record(
        place=f"{row.topic}/0@{row.offset}",
        offset=row.offset,
        value=bytes(row.value),
        headers={name: base64.b64decode(value) for name, value in row.headers.items()},
        timestamp=row.appended_at,
    )
