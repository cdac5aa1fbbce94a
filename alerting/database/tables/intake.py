"""What came in: events, dead letters, how far logs are read; and the installation itself."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from alerting.database.tables.base import metadata
from alerting.database.types import Instant, Json, Number

instance = Table(
    "instance",
    metadata,
    Column(
        "id",
        Integer,
        CheckConstraint("id = 1", name="only_one"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("kind", String(20), nullable=False),  # production | demo
    Column(
        "clock_offset_us", Number, nullable=False, server_default="0"
    ),  # only a demo's clock moves
    Column("hold_reason", Text),  # not null: nothing is sent
    Column("held_at", Instant),
    Column("created_at", Instant, nullable=False),
)

position = Table(
    "position",
    metadata,
    Column("cluster", String(100), primary_key=True),
    Column("topic_id", String(100), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("topic", String(249), nullable=False),
    Column("next", Number, nullable=False),
    Column("retired_at", Instant),  # somebody accepted that this log is gone
    Index("ix_position_topic_partition", "topic", "partition"),
)

position_gap = Table(
    "position_gap",
    metadata,
    Column("id", Number, primary_key=True),
    Column("cluster", String(100), nullable=False),
    Column("topic", String(249), nullable=False),
    Column("topic_id", String(100), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("expected", Number, nullable=False),
    Column("found", Number, nullable=False),
    Column("noticed_at", Instant, nullable=False),
)

stopped_partition = Table(
    "stopped_partition",
    metadata,
    Column("topic", String(249), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
)

GOOD = "sentiment = 'positive' OR type = 'purchase.recorded'"
"""What a customer does who was won back."""

event = Table(
    "event",
    metadata,
    Column("seq", Number, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("id", String(200), nullable=False),
    Column("type", String(200), nullable=False),
    Column("time", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("customer_key", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("payload", Json, nullable=False),
    Column("sentiment", String(8)),  # of an answer with a score: negative | neutral | positive
    Column("raw", LargeBinary, nullable=False),
    Column("place", String(400), nullable=False),
    Column("clamped", Boolean, nullable=False),
    Column("excluded", String(40)),  # before_go_live | too_old: recorded, never mailed
    Column("rulebook", String(64), nullable=False),  # judged by
    UniqueConstraint("source", "id"),
    Index("ix_event_customer_key_type_time", "customer_key", "type", "time"),
    Index(
        "ix_event_good",
        "customer_key",
        "time",
        sqlite_where=text(GOOD),
        postgresql_where=text(GOOD),
    ),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Number, primary_key=True),
    Column("place", String(400), nullable=False),
    Column(
        "digest", String(64), nullable=False
    ),  # of the bytes: a place comes again when its topic is made anew
    Column("reason", String(100), nullable=False),
    Column("field", String(400)),
    Column("detail", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("headers", Json, nullable=False),  # [[name, base64], ...]
    Column("received_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("published_at", Instant),
    Column("replayed_at", Instant),
    Column("discarded_at", Instant),  # set aside for good, by whom and why; it no longer waits
    Column("discarded_by", String(200)),
    Column("discard_reason", Text),
    Column("attempts", Integer, nullable=False, server_default="1"),
    UniqueConstraint("place", "digest"),
    Index(
        "ix_dead_letter_unpublished",
        "id",
        sqlite_where=text("published_at IS NULL"),
        postgresql_where=text("published_at IS NULL"),
    ),
)

unmatched = Table(
    "unmatched",
    metadata,
    Column("event_seq", Number, ForeignKey("event.seq"), primary_key=True, autoincrement=False),
    Column("address", String(200), nullable=False),
    Column("candidates", Json, nullable=False),  # customers that share the address; none: unknown
    Column("decided_at", Instant),
    Column("decided_by", String(200)),
    Column("customer_key", String(200)),  # null after a decision: nobody's
    Index(
        "ix_unmatched_waiting",
        "address",
        sqlite_where=text("decided_at IS NULL"),
        postgresql_where=text("decided_at IS NULL"),
    ),
)

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("id", Number, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("first_day", String(10), nullable=False),
    Column("last_day", String(10), nullable=False),
    Column("by_id", Boolean, nullable=False),  # else by days that the source has counted
    Column("zone", String(60), nullable=False),
    Column("sent", Number, nullable=False),
    Column("received", Number, nullable=False),
    Column("unreadable", Number, nullable=False),
    Column("missing", Number, nullable=False),
    Column("surplus", Number, nullable=False),
    Column("missing_ids", Json, nullable=False),  # at most a hundred of them
)
