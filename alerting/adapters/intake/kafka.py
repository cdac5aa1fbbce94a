"""The event log on Kafka, by kafka-python.

Found out by trying (docs/architecture.md): a raising deserializer or a bad CRC makes `poll()`
spin, so values stay raw bytes and the consumer is rebuilt after any error; seeking inside the
rebalance listener is lost, so it happens after the poll.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import (
    ConsumerRebalanceListener,
    KafkaAdminClient,
    KafkaConsumer,
    KafkaProducer,
    TopicPartition,
)
from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch
from kafka.structs import OffsetAndMetadata

from alerting.database.intake.positions import Partition
from alerting.domain.errors import LogUnavailable, RecordTooLarge
from alerting.services.intake.event_log import INTAKE_TOPICS, Fetched, NewRecord, Polled
from alerting.services.intake.take_records import Record

log = logging.getLogger(__name__)

SEND_TIMEOUT = 10.0
"""Seconds after which an event that is not yet durable is answered with 503."""

RECONNECT_MAX_MS = 2000
"""A broker that is back is noticed within this; kafka-python's own 30 s count twice, for metadata
and for the broker.
"""

CONFIRM_EVERY = 1.0
"""Seconds between the hints we give Kafka; after every batch they would cost as much as reading
does.
"""

MAX_RECORDS = 500
MAX_FETCH = 4 * 1024 * 1024


class _Lenient(bytes):
    """Record bytes whose parts are decoded with replacement characters where they are no UTF-8."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _Lenient(part) if isinstance(place, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class _ReadableBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A header's name that is no UTF-8 makes kafka-python's poll fail for ever: such a record is
    read leniently.
    """

    _pos: int
    _buffer: bytes

    def _read_msg(self, *args: Any, **kwargs: Any) -> Any:
        start = self._pos
        try:
            return super()._read_msg(*args, **kwargs)
        except UnicodeDecodeError:
            strict, self._buffer, self._pos = self._buffer, _Lenient(self._buffer), start
            try:
                return super()._read_msg(*args, **kwargs)
            finally:
                self._buffer = strict


memory_records.DefaultRecordBatch = (
    _ReadableBatch  # the one place kafka-python makes them; it offers no other way in
)


class KafkaLog:
    """Kafka behind `bootstrap`. `options` are kafka-python's security settings, the same for every
    client.
    """

    def __init__(
        self,
        bootstrap: Sequence[str],
        group: str,
        options: Mapping[str, Any],
        session_timeout: float = 45.0,
    ) -> None:
        self._common = {
            "bootstrap_servers": list(bootstrap),
            "reconnect_backoff_max_ms": RECONNECT_MAX_MS,
            **options,
        }
        self._group = group
        self._session_timeout = session_timeout
        self._producer: KafkaProducer | None = None
        self._looker: KafkaConsumer | None = None
        self._opening = (
            threading.Lock()
        )  # many web threads append; one makes the producer they share
        self._looking = threading.Lock()  # a consumer belongs to one thread at a time

    def append(self, records: Sequence[NewRecord]) -> None:
        """`acks=all` for each record; returns when the last is acknowledged."""
        with _translated():
            producer = self._open_producer()
            sent = [
                producer.send(
                    r.topic, key=r.key.encode(), value=r.value, headers=list(r.headers.items())
                )
                for r in records
            ]
            for future in sent:
                future.get(timeout=SEND_TIMEOUT)

    def _open_producer(self) -> KafkaProducer:
        with self._opening:
            if self._producer is None:
                _must_be_reachable(self._common["bootstrap_servers"])
                self._producer = KafkaProducer(
                    **self._common,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=2,
                    delivery_timeout_ms=int(SEND_TIMEOUT * 1000),
                    request_timeout_ms=int(SEND_TIMEOUT * 1000 / 2),
                    max_block_ms=int(SEND_TIMEOUT * 1000),
                    bootstrap_timeout_ms=int(SEND_TIMEOUT * 1000),
                    max_request_size=MAX_FETCH,
                )
            return self._producer

    def consumer(self) -> "KafkaLogConsumer":
        return KafkaLogConsumer(self._common, self._group, self._session_timeout)

    def ends(self) -> Mapping[tuple[str, int], int]:
        with _translated(), self._looking:
            _must_be_reachable(self._common["bootstrap_servers"])
            if self._looker is None:
                self._looker = KafkaConsumer(**self._common, bootstrap_timeout_ms=3000)
            partitions = [
                TopicPartition(topic, number)
                for topic in INTAKE_TOPICS
                for number in self._looker.partitions_for_topic(topic) or ()
            ]
            found = self._looker.end_offsets(partitions, timeout_ms=3000) if partitions else {}
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    def close(self) -> None:
        for client in (self._producer, self._looker):
            if client is not None:
                client.close()
        self._producer = self._looker = None


class _Newcomers(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes which partitions were assigned; what to do with them is decided after the poll."""

    def __init__(self) -> None:
        self.partitions: list[TopicPartition] = []
        self.gone: list[TopicPartition] = []

    def on_partitions_revoked(self, revoked: Any) -> None:
        self.gone += list(revoked)

    def on_partitions_assigned(self, assigned: Any) -> None:
        self.partitions += list(assigned)


class KafkaLogConsumer:
    """One member of the consumer group. After any error it is torn down, and built anew by the next
    poll.
    """

    def __init__(self, common: Mapping[str, Any], group: str, session_timeout: float) -> None:
        self._common = common
        self._group = group
        self._session_timeout = session_timeout
        self._consumer: KafkaConsumer | None = None
        self._newcomers = _Newcomers()
        self._known: dict[TopicPartition, Partition] = {}
        self._unconfirmed: dict[TopicPartition, OffsetAndMetadata] = {}
        self._confirmed_at = 0.0

    def poll(self, timeout: float) -> Polled:
        with self._rebuilt_on_error():
            consumer = self._open()
            if time.monotonic() - self._confirmed_at > CONFIRM_EVERY:
                self._tell_positions(consumer, timeout_ms=5000)
            found = consumer.poll(timeout_ms=int(timeout * 1000), max_records=MAX_RECORDS)
            assigned, self._newcomers.partitions = self._newcomers.partitions, []
            if assigned:
                self._known.update(self._identify(assigned))
            fetched = [
                Fetched(partition=self._known[tp], records=[_record(r) for r in records])
                for tp, records in found.items()
                if records and tp not in assigned and tp in self._known
            ]
            return Polled(assigned=[self._known[tp] for tp in assigned], fetched=fetched)

    def _open(self) -> KafkaConsumer:
        if self._consumer is None:
            _must_be_reachable(self._common["bootstrap_servers"])
            self._newcomers = _Newcomers()
            self._known = {}
            self._consumer = KafkaConsumer(
                **self._common,
                group_id=self._group,
                enable_auto_commit=False,
                # what it would skip or repeat, the stored position notices
                auto_offset_reset="earliest",
                max_partition_fetch_bytes=MAX_FETCH,
                session_timeout_ms=int(self._session_timeout * 1000),
                heartbeat_interval_ms=int(self._session_timeout * 1000 / 5),
                allow_auto_create_topics=True,
                metadata_max_age_ms=10_000,
            )
            self._consumer.subscribe(list(INTAKE_TOPICS), listener=self._newcomers)
            for topic in INTAKE_TOPICS:
                # Whoever shares out the partitions must know them by then, else nobody gets any
                # until the next refresh.
                self._consumer.partitions_for_topic(topic)
        return self._consumer

    def _identify(self, assigned: Sequence[TopicPartition]) -> dict[TopicPartition, Partition]:
        """Which cluster and which life of the topic these partitions belong to."""
        admin = KafkaAdminClient(**self._common)
        try:
            cluster = admin.describe_cluster()["cluster_id"]
            described = admin.describe_topics(sorted({tp.topic for tp in assigned}))
        finally:
            admin.close()
        ids = {topic["name"]: str(topic["topic_id"]) for topic in described}
        return {
            tp: Partition(
                cluster=str(cluster), topic=tp.topic, topic_id=ids[tp.topic], partition=tp.partition
            )
            for tp in assigned
        }

    def seek(self, partition: Partition, offset: int) -> None:
        with self._rebuilt_on_error():
            tp = _tp(partition)
            self._open().resume(tp)
            self._open().seek(tp, offset)

    def bounds(self, partition: Partition) -> tuple[int, int]:
        with self._rebuilt_on_error():
            tp = _tp(partition)
            consumer = self._open()
            return consumer.beginning_offsets([tp])[tp], consumer.end_offsets([tp])[tp]

    def hint(self, partition: Partition) -> int | None:
        """A position told by whoever still read the topic of that name before it was made anew is
        none of this one's.
        """
        with self._rebuilt_on_error():
            told = self._open().committed(_tp(partition), metadata=True)
        return told.offset if told is not None and told.metadata == partition.topic_id else None

    def confirm(self, partition: Partition, position: int) -> None:
        """Kafka is told within a second or so, and at the end."""
        self._unconfirmed[_tp(partition)] = OffsetAndMetadata(position, partition.topic_id, -1)

    def _tell_positions(self, consumer: KafkaConsumer, timeout_ms: int) -> None:
        """A hint only: a commit that fails costs nothing but a stale number in Kafka's tools."""
        told, self._unconfirmed = self._unconfirmed, {}
        self._confirmed_at = time.monotonic()
        told = {tp: position for tp, position in told.items() if tp in consumer.assignment()}
        try:
            if told:
                consumer.commit(told, timeout_ms=timeout_ms)
        except (KafkaError, AssertionError) as error:
            log.warning("positions not confirmed", extra={"error": type(error).__name__})

    def pause(self, partition: Partition) -> None:
        with self._rebuilt_on_error():
            self._open().pause(_tp(partition))

    def close(self) -> None:
        if self._consumer is not None:
            with contextlib.suppress(KafkaError):
                self._tell_positions(self._consumer, timeout_ms=1000)
                self._consumer.close(autocommit=False)
            self._consumer = None

    @contextlib.contextmanager
    def _rebuilt_on_error(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.close()
            raise LogUnavailable(f"{type(error).__name__}: {error}") from error


def _must_be_reachable(bootstrap: Sequence[str]) -> None:
    """Raises OSError unless one server takes a connection.

    A client that times out on its first connection leaves its sockets open: with a broker down,
    asking once a second would use up a process's file descriptors within the hour.
    """
    error: OSError | None = None
    for server in bootstrap:
        host, _, port = server.rpartition(":")
        try:
            socket.create_connection(
                (host.strip("[]") or "localhost", int(port)), timeout=2.0
            ).close()
            return
        except OSError as refused:
            error = refused
    raise error or OSError("no bootstrap server is given")


def _tp(partition: Partition) -> TopicPartition:
    return TopicPartition(partition.topic, partition.partition)


def _record(found: Any) -> Record:
    timestamp = None
    if (
        found.timestamp is not None and 0 < found.timestamp < 253_402_300_800_000
    ):  # up to the year 9999
        timestamp = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=found.timestamp)
    return Record(
        place=f"{found.topic}/{found.partition}@{found.offset}",
        offset=found.offset,
        value=found.value,
        headers={name: value or b"" for name, value in found.headers},
        timestamp=timestamp,
    )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
        raise RecordTooLarge(f"{type(error).__name__}: {error}") from error
    except (KafkaError, OSError, AssertionError) as error:
        raise LogUnavailable(f"{type(error).__name__}: {error}") from error
