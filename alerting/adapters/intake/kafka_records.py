"""What kafka-python reads, record by record."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, SupportsIndex, overload

from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch

from alerting.services.intake.take_records import Record


class _Lenient(bytes):
    """Record bytes whose parts are decoded with replacement characters where they are no UTF-8."""

    @overload
    def __getitem__(self, place: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> "_Lenient": ...
    def __getitem__(self, place: SupportsIndex | slice, /) -> "int | _Lenient":
        if isinstance(place, slice):
            return _Lenient(super().__getitem__(place))
        return super().__getitem__(place)

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, errors)


class _ReadableBatch(DefaultRecordBatch):  # type: ignore[misc]
    """A header's name that is no UTF-8 makes kafka-python's poll fail for ever: such a record is
    read leniently.
    """

    _pos: int
    _buffer: bytes

    def _read_msg(self, *args: object, **kwargs: object) -> object:
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


class Consumed(Protocol):
    """kafka-python's ConsumerRecord, as far as we read it. `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int | None
    value: bytes
    headers: Sequence[tuple[str, bytes | None]]


def record_of(found: Consumed) -> Record:
    """A record as intake takes it."""
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
