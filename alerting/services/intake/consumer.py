"""Consuming: keeps the stored position and the event log in step, batch by batch.

The stored position is the truth. On assignment we seek to it; records from before that seek are
ignored. A gap forward is recorded; a jump backward, another cluster or another topic id stops the
partition loudly.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime

from alerting.database import instance
from alerting.database.audit import audit_entries
from alerting.database.engine import Transaction
from alerting.database.intake import positions
from alerting.database.intake.positions import Partition
from alerting.domain.audit.entries import INSTALLATION, Action, Entry, Machine
from alerting.domain.errors import LogUnavailable, PartitionStopped, PositionMoved, Temporary
from alerting.services.alerts.judge_batch import Taken
from alerting.services.context import Context
from alerting.services.intake.event_log import Fetched, LogConsumer
from alerting.services.intake.take_records import Batch, take_batch

log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Consumption:
    """One consumer's work.

    `expected` holds the stored position of each partition it reads, `waiting` those assigned but
    not yet begun, `jumped` where a gap was seen once: only what shows again after another seek is a
    gap in the log.
    """

    ctx: Context
    consumer: LogConsumer
    expected: dict[Partition, int] = field(default_factory=dict)
    waiting: dict[Partition, None] = field(default_factory=dict)
    jumped: dict[Partition, int] = field(default_factory=dict)

    def step(self, timeout: float) -> Taken:
        """One poll and everything it brought. Raises Temporary errors; the next step goes on from
        the stored position.
        """
        try:
            return self._step(timeout)
        except LogUnavailable:
            self._start_over()
            raise

    def _step(self, timeout: float) -> Taken:
        polled = self.consumer.poll(timeout)
        for partition in polled.assigned:
            self.expected.pop(partition, None)
            self.waiting[partition] = None
        for partition in list(self.waiting):
            self._begin(partition)
            del self.waiting[partition]
        taken = Taken()
        try:
            for found in polled.fetched:
                if found.partition in self.expected:
                    taken += self._take(found)
        except Exception:
            # The log's consumer stands behind everything it handed out; what was not taken must be
            # handed out again.
            for found in polled.fetched:
                if found.partition in self.expected:
                    self._catch_up(found.partition)
            raise
        return taken

    def _start_over(self) -> None:
        """The log's consumer is built anew: it finds out again which log this is, and hands out its
        partitions again.
        """
        self.consumer.close()
        self.expected.clear()
        self.waiting.clear()

    def _begin(self, partition: Partition) -> None:
        bounds, hint = self.consumer.bounds(partition), self.consumer.hint(partition)
        try:
            start = self.ctx.db.retrying(lambda: begin_partition(self.ctx, partition, bounds, hint))
        except PartitionStopped as stopped:
            self._stop(partition, str(stopped))
            return
        self.expected[partition] = start
        self.consumer.seek(partition, start)
        log.info("partition begun", extra={"partition": str(partition), "position": start})

    def _stop(self, partition: Partition, reason: str) -> None:
        self.expected.pop(partition, None)
        self.consumer.pause(partition)
        log.error("partition stopped", extra={"partition": str(partition), "reason": reason})
        with self.ctx.db.write() as tx:
            positions.note_stopped(tx, partition, reason, tx.now())

    def _take(self, fetched: Fetched) -> Taken:
        partition, expected = fetched.partition, self.expected[fetched.partition]
        first, last = fetched.records[0].offset, fetched.records[-1].offset
        if first < expected:
            self._stop(
                partition, f"the log went back to {first}; it had reached {expected}. {_REMEDY}"
            )
            return Taken()
        if first > expected and self.jumped.get(partition) != expected:
            self.jumped[partition] = expected
            self.consumer.seek(partition, expected)
            return Taken()
        batch = Batch(
            partition=partition, expected=expected, next=last + 1, records=fetched.records
        )
        try:
            taken = take_batch(self.ctx, batch)
        except PositionMoved:
            self._catch_up(partition)
            return Taken()
        self.expected[partition] = last + 1
        self.consumer.confirm(partition, last + 1)
        log.info(
            "batch taken",
            extra={
                "partition": str(partition),
                "position": last + 1,
                "events": taken.events,
                "duplicates": taken.duplicates,
                "dead_letters": taken.dead,
                "alerts": taken.alerts,
            },
        )
        return taken

    def _catch_up(self, partition: Partition) -> None:
        """Go on from the stored position: somebody else moved it, or half of a bisected batch is
        in.

        It never moves back: a database that knows less than we have seen committed was restored
        under us.
        """
        try:
            with self.ctx.db.read() as tx:
                stored = positions.stored_position(tx, partition)
        except Temporary:
            stored = self.expected[partition]
        if stored is None or stored < self.expected[partition]:
            log.warning("position lost", extra={"partition": str(partition), "stored": stored})
            self._start_over()
            return
        self.expected[partition] = stored
        self.consumer.seek(partition, stored)


_REMEDY = (
    "Check the broker; `alerting positions accept TOPIC` starts this topic anew (known "
    "events are recognised)."
)


def begin_partition(
    ctx: Context, partition: Partition, bounds: tuple[int, int], hint: int | None
) -> int:
    """Where to read on. Raises PartitionStopped when this is not the log our stored position speaks
    of.

    A hint ahead of the stored position means that the database is older than the log's memory: it
    was restored, or replaced. Sending is then held (transaction 6): people were told already what
    will now be judged again.
    """
    first, end = bounds
    with ctx.db.write() as tx:
        now = tx.now()
        stored = positions.stored_position(tx, partition)
        others = positions.other_logs(tx, partition)
        if others:
            was = others[0]
            changed = "another cluster" if was.cluster != partition.cluster else "a topic made anew"
            raise PartitionStopped(
                f"{changed}: position known of cluster {was.cluster}, topic id {was.topic_id}; "
                f"found {partition.cluster}, {partition.topic_id}. {_REMEDY}"
            )
        if stored is not None and stored > end:
            raise PartitionStopped(
                f"the log ends at {end}; the stored position is {stored}. {_REMEDY}"
            )
        reached = positions.reached_position(tx, partition)
        if hint is not None and hint > reached and hint > first:
            _hold(
                tx,
                f"restored: {partition} was read up to {hint}, the database knows {reached}",
                now,
            )
        positions.clear_stopped(tx, partition)
        if stored is None:
            positions.begin_position(tx, partition, first)
            return first
        if stored < first:
            positions.record_gap(tx, partition, stored, first, now)
            positions.move_position(tx, partition, stored, first)
            log.error(
                "gap in the log",
                extra={"partition": str(partition), "expected": stored, "found": first},
            )
            return first
        return stored


def _hold(tx: Transaction, reason: str, now: datetime) -> None:
    if instance.hold_reason(tx) is not None:
        return
    instance.set_hold(tx, reason, now)
    entry = Entry(
        actor=Machine.INTAKE,
        action=Action.SENDING_HELD,
        subject=INSTALLATION,
        happened_at=now,
        facts={"reason": reason},
    )
    audit_entries.write(tx, entry, now)
    log.error("sends held", extra={"reason": reason})
