"""One member of a consumer group on Kafka."""

import contextlib
import logging
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from alerting.adapters.intake.kafka_records import record_of
from alerting.database.intake.positions import Partition
from alerting.domain.errors import LogUnavailable
from alerting.services.intake.event_log import INTAKE_TOPICS, Fetched, Polled

log = logging.getLogger(__name__)

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


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where Kafka is: `host:port` of some of its servers, and kafka-python's security settings."""

    addresses: Sequence[str]
    options: Mapping[str, object]

    def arguments(self) -> dict[str, Any]:
        """What every client of kafka-python is given; the library is not typed."""
        return {
            "bootstrap_servers": list(self.addresses),
            "reconnect_backoff_max_ms": RECONNECT_MAX_MS,
            **self.options,
        }


class _Newcomers(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes which partitions were assigned; what to do with them is decided after the poll."""

    def __init__(self) -> None:
        self.partitions: list[TopicPartition] = []
        self.gone: list[TopicPartition] = []

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        self.gone += list(revoked)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.partitions += list(assigned)


class KafkaLogConsumer:
    """One member of the consumer group. After any error it is torn down, and built anew by the next
    poll.
    """

    def __init__(self, servers: Servers, group: str, session_timeout: float) -> None:
        self._servers = servers
        self._group = group
        self._session_timeout = session_timeout
        self._consumer: KafkaConsumer | None = None
        self._newcomers = _Newcomers()
        self._known: dict[TopicPartition, Partition] = {}
        self._unconfirmed: dict[TopicPartition, OffsetAndMetadata] = {}
        self._confirmed_at = 0.0

    def poll(self, timeout: float) -> Polled:
        """What came within `timeout` seconds, and which partitions were assigned. Raises
        LogUnavailable.
        """
        with self._rebuilt_on_error():
            consumer = self._open()
            if time.monotonic() - self._confirmed_at > CONFIRM_EVERY:
                self._tell_positions(consumer, timeout_ms=5000)
            found = consumer.poll(timeout_ms=int(timeout * 1000), max_records=MAX_RECORDS)
            assigned, self._newcomers.partitions = self._newcomers.partitions, []
            if assigned:
                self._known.update(self._identify(assigned))
            fetched = [
                Fetched(partition=self._known[tp], records=[record_of(r) for r in records])
                for tp, records in found.items()
                if records and tp not in assigned and tp in self._known
            ]
            return Polled(assigned=[self._known[tp] for tp in assigned], fetched=fetched)

    def _open(self) -> KafkaConsumer:
        if self._consumer is None:
            must_be_reachable(self._servers.addresses)
            self._newcomers = _Newcomers()
            self._known = {}
            self._consumer = KafkaConsumer(
                **self._servers.arguments(),
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
        admin = KafkaAdminClient(**self._servers.arguments())
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
        """Read on from `offset`. Raises LogUnavailable."""
        with self._rebuilt_on_error():
            tp = _tp(partition)
            self._open().resume(tp)
            self._open().seek(tp, offset)

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """The first offset that is kept and the next to be written. Raises LogUnavailable."""
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
        """Read nothing more of it until `seek`. Raises LogUnavailable."""
        with self._rebuilt_on_error():
            self._open().pause(_tp(partition))

    def close(self) -> None:
        """Leave the group; where Kafka does not answer, it finds out by itself."""
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


def must_be_reachable(bootstrap: Sequence[str]) -> None:
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
