"""The event log as services see it. Two real ones stand behind it: Kafka, and the local log in a
database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from alerting.database.intake.positions import Partition
from alerting.services.intake.take_records import Record

INTAKE_TOPICS = ("customers", "interactions", "people", "surveys")
DEAD_LETTERS = "alerting.dead-letters"
SEGMENTS = "alerting.segments"


@dataclass(frozen=True, kw_only=True)
class NewRecord:
    """A record to be appended. The key is the customer's, so that one customer's events stay in
    order.
    """

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Consecutive records of one partition; at least one."""

    partition: Partition
    records: Sequence[Record]


@dataclass(frozen=True, kw_only=True)
class Polled:
    """What one poll brought: partitions newly assigned (seek them first), and records of the
    others.
    """

    assigned: Sequence[Partition] = ()
    fetched: Sequence[Fetched] = ()


class LogConsumer(Protocol):
    """Reads the intake topics. Every method raises LogUnavailable when the log does not answer."""

    def poll(self, timeout: float) -> Polled:
        """Wait at most `timeout` seconds for records."""
        ...

    def seek(self, partition: Partition, offset: int) -> None: ...

    def bounds(self, partition: Partition) -> tuple[int, int]:
        """The first offset that can still be read, and the one the next record will get."""
        ...

    def hint(self, partition: Partition) -> int | None:
        """The position last told to the log; it runs behind the stored one, never ahead."""
        ...

    def confirm(self, partition: Partition, position: int) -> None:
        """Tell the log how far we are, as a hint for its own tools."""
        ...

    def pause(self, partition: Partition) -> None:
        """Read no more of a partition until it is assigned anew."""
        ...

    def close(self) -> None: ...


class EventLog(Protocol):
    """Takes events durably, and hands out consumers."""

    def append(self, records: Sequence[NewRecord]) -> None:
        """Returns once all records are durable. Raises LogUnavailable or RecordTooLarge otherwise;
        some may be in then.
        """
        ...

    def consumer(self) -> LogConsumer: ...

    def ends(self) -> Mapping[tuple[str, int], int]:
        """(topic, partition) -> the offset the next record will get, for the lag."""
        ...

    def close(self) -> None: ...
