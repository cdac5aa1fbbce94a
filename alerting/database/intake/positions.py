"""Where intake stands in each partition of the event log. The stored position is the truth, Kafka's
a hint.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update

from alerting.database.engine import Transaction
from alerting.database.tables import position, position_gap, stopped_partition
from alerting.domain.errors import PositionMoved


@dataclass(frozen=True, kw_only=True)
class Partition:
    """One partition of one log. `topic_id` changes when a topic is deleted and made again."""

    cluster: str
    topic: str
    topic_id: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


def _this(partition: Partition) -> tuple[ColumnElement[bool], ...]:
    return (
        position.c.cluster == partition.cluster,
        position.c.topic_id == partition.topic_id,
        position.c.partition == partition.partition,
    )


def stored_position(tx: Transaction, partition: Partition) -> int | None:
    """The next offset to handle; None where nothing is stored of this log."""
    here = (*_this(partition), position.c.retired_at.is_(None))
    return tx.execute(select(position.c.next).where(*here)).scalar()


def other_logs(tx: Transaction, partition: Partition) -> list[Partition]:
    """Positions of the same topic and partition that belong to another cluster or another life of
    the topic.
    """
    rows = tx.execute(
        select(position).where(
            position.c.topic == partition.topic,
            position.c.partition == partition.partition,
            position.c.retired_at.is_(None),
            (position.c.cluster != partition.cluster) | (position.c.topic_id != partition.topic_id),
        )
    )
    return [
        Partition(cluster=r.cluster, topic=r.topic, topic_id=r.topic_id, partition=r.partition)
        for r in rows
    ]


def reached_position(tx: Transaction, partition: Partition) -> int:
    """How far this log was ever read into this database, a retired position included; 0 where it
    never was.
    """
    return tx.execute(select(position.c.next).where(*_this(partition))).scalar() or 0


def begin_position(tx: Transaction, partition: Partition, start: int) -> None:
    """Store where a partition seen for the first time begins, or one whose former position was
    retired begins again.
    """
    row = {
        "cluster": partition.cluster,
        "topic_id": partition.topic_id,
        "partition": partition.partition,
        "topic": partition.topic,
        "next": start,
    }
    again = tx.insert(position).on_conflict_do_update(
        index_elements=["cluster", "topic_id", "partition"],
        set_={"next": start, "retired_at": None},
        where=position.c.retired_at.is_not(None),
    )
    tx.execute(again, [row])


def move_position(tx: Transaction, partition: Partition, expected: int, new: int) -> None:
    """Compare and set. Raises PositionMoved when somebody else moved it first: roll back and seek
    again.
    """
    moved = tx.execute(
        update(position)
        .where(*_this(partition), position.c.next == expected, position.c.retired_at.is_(None))
        .values(next=new)
    )
    if moved.rowcount != 1:
        raise PositionMoved(f"{partition} no longer stands at {expected}")


def record_gap(
    tx: Transaction, partition: Partition, expected: int, found: int, now: datetime
) -> None:
    """Offsets the log did not hand out: deleted by retention, compacted, or marks of a producer's
    transaction.
    """
    tx.execute(
        position_gap.insert().values(
            cluster=partition.cluster,
            topic=partition.topic,
            topic_id=partition.topic_id,
            partition=partition.partition,
            expected=expected,
            found=found,
            noticed_at=now,
        )
    )


def retire_topic(tx: Transaction, topic: str, now: datetime) -> int:
    """Accept that the log behind a topic is gone; the next consumer begins anew. Returns how many
    positions.
    """
    return tx.execute(
        update(position)
        .where(position.c.topic == topic, position.c.retired_at.is_(None))
        .values(retired_at=now)
    ).rowcount


def all_positions(tx: Transaction) -> dict[Partition, int]:
    """Every live position."""
    rows = tx.execute(select(position).where(position.c.retired_at.is_(None)))
    return {
        Partition(
            cluster=r.cluster, topic=r.topic, topic_id=r.topic_id, partition=r.partition
        ): r.next
        for r in rows
    }


def gap_count(tx: Transaction) -> int:
    return int(tx.execute(select(func.count()).select_from(position_gap)).scalar_one())


def note_stopped(tx: Transaction, partition: Partition, reason: str, now: datetime) -> None:
    """Keep, for readiness and metrics, that a partition is not being read."""
    clear_stopped(tx, partition)
    row = {
        "topic": partition.topic,
        "partition": partition.partition,
        "reason": reason,
        "since": now,
    }
    tx.execute(stopped_partition.insert(), [row])


def clear_stopped(tx: Transaction, partition: Partition) -> None:
    this = (
        stopped_partition.c.topic == partition.topic,
        stopped_partition.c.partition == partition.partition,
    )
    tx.execute(delete(stopped_partition).where(*this))


def stopped_partitions(tx: Transaction) -> dict[str, str]:
    """`topic/partition` -> why it is not being read."""
    return {f"{r.topic}/{r.partition}": r.reason for r in tx.execute(select(stopped_partition))}
