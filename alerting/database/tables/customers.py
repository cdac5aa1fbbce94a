"""What is known of customers, when it was true, and what was made of it."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from alerting.database.tables.base import metadata
from alerting.database.types import Instant, Json, Number

customer = Table(
    "customer",
    metadata,
    Column(
        "key", String(200), primary_key=True
    ),  # the row is the lock; a row exists for unknown ones too
    Column("first_seen_at", Instant, nullable=False),
)

customer_version = Table(
    "customer_version",
    metadata,
    Column("id", Number, primary_key=True),
    Column("customer_key", String(200), nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("source", String(200), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("changes", Json, nullable=False),
    Column("state", Json, nullable=False),
    Column("parent", String(200)),  # the group, as `state` has it
    UniqueConstraint("customer_key", "valid_from", "source", "event_id"),
    Index(
        "ix_customer_version_parent",
        "parent",
        sqlite_where=text("parent IS NOT NULL"),
        postgresql_where=text("parent IS NOT NULL"),
    ),
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("customer_key", String(200), primary_key=True),
    Column(
        "until", Instant, nullable=False
    ),  # what happened up to then is erased, also when it comes again
    Column("recorded_at", Instant, nullable=False),
)

contact_address = Table(
    "contact_address",
    metadata,
    Column(
        "address", String(200), primary_key=True
    ),  # the key an answer known only by this address comes under
    Column("customer_key", String(200), primary_key=True, index=True),
)

membership = Table(
    "membership",
    metadata,
    Column("id", Number, primary_key=True),
    Column("customer_key", String(200), nullable=False),
    Column("n", Integer, nullable=False),  # counts the customer's changes from 1
    Column("valid_from", Instant, nullable=False),
    Column("superseded_at", Instant),
    Column("segment", String(100), nullable=False),
    Column("former", String(100)),
    Column("why", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("tags_added", Json, nullable=False),
    Column("tags_removed", Json, nullable=False),
    Column("cause", String(500), nullable=False),
    Column("rulebook", String(64), nullable=False),
    Column("published_at", Instant),
    UniqueConstraint("customer_key", "n"),
    Index(
        "ix_membership_current",
        "segment",
        sqlite_where=text("superseded_at IS NULL"),
        postgresql_where=text("superseded_at IS NULL"),
    ),
    Index(
        "ix_membership_unpublished",
        "id",
        sqlite_where=text("published_at IS NULL"),
        postgresql_where=text("published_at IS NULL"),
    ),
)

value_scale = Table(
    "value_scale",
    metadata,
    Column("id", Number, primary_key=True),
    Column("valid_from", Instant, nullable=False, unique=True),
    Column("buyers", Integer, nullable=False),
    Column("cuts", Json, nullable=False),  # recency, frequency, monetary, tenths: lists of texts
)

signal_point = Table(
    "signal_point",
    metadata,
    Column("id", Number, primary_key=True),
    Column("definition", String(16), nullable=False),
    Column("customer_key", String(200), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("time", Instant, nullable=False),
    Column("source", String(200), nullable=False),
    Column("event_id", String(200), nullable=False),
    Column("value", Json),  # what a field of the event said; fractions as {"number": "1.50"}
    UniqueConstraint("customer_key", "definition", "time", "source", "event_id", "kind"),
)

review = Table(
    "review",
    metadata,
    Column("customer_key", String(200), primary_key=True),
    Column("due_at", Instant, nullable=False),  # when segment and tags are to be looked at again
    Column("cause", String(500), nullable=False),
    Column(
        "facts_since", Instant
    ),  # its group's facts are others from then on: events are judged again
    Index("ix_review_due_at", "due_at"),
)
