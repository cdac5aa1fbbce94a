"""Who is told what, and with which outcome."""

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from alerting.database.tables.base import metadata
from alerting.database.types import Instant, Json, Number

reader = Table(
    "reader",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("told_at", Instant, nullable=False),
)

digest = Table(
    "digest",
    metadata,
    Column("id", Number, primary_key=True),
    Column("recipient", String(64), nullable=False),
    Column("message_id", String(200), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
)

notification = Table(
    "notification",
    metadata,
    Column("id", Number, primary_key=True),
    Column(
        "cause_kind", String(20), nullable=False
    ),  # alert | timer | delivery | response | event | check | proposal
    Column("cause_id", Number, nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("channel", String(20), nullable=False),
    Column(
        "case_id", Number, ForeignKey("case_file.id"), index=True
    ),  # null: about no case, as is the customer
    Column("customer_key", String(200)),
    Column("template", String(60), nullable=False),
    Column("data", Json, nullable=False),
    Column("message_id", String(200), nullable=False, unique=True),
    Column("status", String(20), nullable=False),  # pending | claimed | sent | skipped | failed
    Column("reason", Text),
    Column("created_at", Instant, nullable=False),
    Column("not_before", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("sent_at", Instant),
    Column("digest_id", Number, ForeignKey("digest.id"), index=True),
    UniqueConstraint("cause_kind", "cause_id", "recipient", "channel"),
    Index(
        "ix_notification_recipient_waiting",
        "recipient",
        sqlite_where=text("status IN ('pending', 'claimed')"),
        postgresql_where=text("status IN ('pending', 'claimed')"),
    ),
    Index(
        "ix_notification_waiting",
        "not_before",
        sqlite_where=text("status IN ('pending', 'claimed')"),
        postgresql_where=text("status IN ('pending', 'claimed')"),
    ),
)

delivery = Table(
    "delivery",
    metadata,
    Column("id", Number, primary_key=True),
    Column("notification_id", Number, ForeignKey("notification.id"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("address", String(254), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", String(20)),  # sent | refused | deferred | unknown
    Column("code", Integer),
    Column("detail", Text),
    Column("render_error", Text),
    UniqueConstraint("notification_id", "n"),
)

weekly_mail = Table(
    "weekly_mail",
    metadata,
    Column("id", Number, primary_key=True),
    Column("party", String(64), nullable=False),
    Column("week", String(10), nullable=False),  # the day it was due, in the reader's zone
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("week", "party"),
)
