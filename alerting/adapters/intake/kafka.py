"""The event log on Kafka, by kafka-python.

Found out by trying (docs/architecture.md): a raising deserializer or a bad CRC makes `poll()`
spin, so values stay raw bytes and the consumer is rebuilt after any error; seeking inside the
rebalance listener is lost, so it happens after the poll.
"""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from alerting.adapters.intake.kafka_consumer import (
    MAX_FETCH,
    KafkaLogConsumer,
    Servers,
    must_be_reachable,
)
from alerting.domain.errors import LogUnavailable, RecordTooLarge
from alerting.services.intake.event_log import INTAKE_TOPICS, NewRecord

SEND_TIMEOUT = 10.0
"""Seconds after which an event that is not yet durable is answered with 503."""


class KafkaLog:
    """Kafka behind `bootstrap`. `options` are kafka-python's security settings, the same for every
    client.
    """

    def __init__(
        self,
        bootstrap: Sequence[str],
        group: str,
        options: Mapping[str, object],
        session_timeout: float = 45.0,
    ) -> None:
        self._servers = Servers(addresses=list(bootstrap), options=options)
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
                must_be_reachable(self._servers.addresses)
                self._producer = KafkaProducer(
                    **self._servers.arguments(),
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

    def consumer(self) -> KafkaLogConsumer:
        """A new member of the group; it connects with its first poll."""
        return KafkaLogConsumer(self._servers, self._group, self._session_timeout)

    def ends(self) -> Mapping[tuple[str, int], int]:
        """The next offset to be written, by topic and partition. Raises LogUnavailable."""
        with _translated(), self._looking:
            must_be_reachable(self._servers.addresses)
            if self._looker is None:
                self._looker = KafkaConsumer(**self._servers.arguments(), bootstrap_timeout_ms=3000)
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


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (MessageSizeTooLargeError, RecordListTooLargeError) as error:
        raise RecordTooLarge(f"{type(error).__name__}: {error}") from error
    except (KafkaError, OSError, AssertionError) as error:
        raise LogUnavailable(f"{type(error).__name__}: {error}") from error
