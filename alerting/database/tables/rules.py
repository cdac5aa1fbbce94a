"""Rulebooks, and what rules have made of events."""

from sqlalchemy import (
    CheckConstraint,
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

rulebook = Table(
    "rulebook",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("files", Json, nullable=False),
    Column("stored_at", Instant, nullable=False),
)

activation = Table(
    "activation",
    metadata,
    Column("id", Number, primary_key=True),
    Column("rulebook", String(64), ForeignKey("rulebook.hash"), nullable=False),
    Column("activated_at", Instant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("approver", String(200)),  # where the rulebook asks for a second person
    Column("reason", Text, nullable=False),
    Column(
        "moved_at", Instant
    ),  # the open cases whose policy says so have been promised what it says now
)

proposal = Table(
    "proposal",
    metadata,
    Column("id", Number, primary_key=True),
    Column("rulebook", String(64), ForeignKey("rulebook.hash"), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked", String(64)),  # the person who got a mail about it
    Column("closed_at", Instant),
    Column("declined_by", String(200)),
    Column("objection", Text),
    Index("ix_proposal_rulebook", "rulebook"),
)

active_rulebook = Table(
    "active_rulebook",
    metadata,
    Column(
        "id",
        Integer,
        CheckConstraint("id = 1", name="only_one"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("hash", String(64), ForeignKey("rulebook.hash"), nullable=False),
)

unknown_condition = Table(
    "unknown_condition",
    metadata,
    Column("id", Number, primary_key=True),
    Column("event_seq", Number, ForeignKey("event.seq"), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("condition", Text, nullable=False),
    Index("ix_unknown_condition_rule", "rule"),
)

alert = Table(
    "alert",
    metadata,
    Column("id", Number, primary_key=True),
    Column("event_seq", Number, ForeignKey("event.seq"), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", String(20), nullable=False),  # raised | upgraded | withdrawn
    Column("customer_key", String(200), nullable=False),
    Column("segment", String(100), nullable=False),
    Column(
        "territory", Text, nullable=False
    ),  # of the customer then: country and region, or unknown
    Column("severity", String(20), nullable=False),
    Column("rulebook", String(64), nullable=False),
    Column("because", Json, nullable=False),  # named conditions with the values that made them true
    Column("people", Json, nullable=False),  # duty, role, party and why
    Column("signals", Json, nullable=False),
    Column("suppressed", String(40)),
    Column("case_id", Number, ForeignKey("case_file.id"), index=True),
    Column("raised_at", Instant, nullable=False),
    Column("superseded_at", Instant),  # a later revision took its place
    UniqueConstraint("event_seq", "rule", "revision"),
    Index("ix_alert_customer_key_rule", "customer_key", "rule"),
)

silence = Table(
    "silence",
    metadata,
    Column("id", Number, primary_key=True),
    Column("scope", String(20), nullable=False),  # rule | customer | segment
    Column("name", String(200), nullable=False),
    Column("until", Instant, nullable=False),
    Column("author", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),  # before its time
)

silence_watch = Table(
    "silence_watch",
    metadata,
    Column(
        "watch", String(200), primary_key=True
    ),  # rule, event type and length; an edited rule is watched for anew
    Column("customer_key", String(200), primary_key=True),
    Column("last_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("noticed_at", Instant),
    Index(
        # in the whole order in which full ones are looked for: nothing is sorted where none is
        "ix_silence_watch_due",
        *("due_at", "watch", "customer_key"),
        sqlite_where=text("noticed_at IS NULL"),
        postgresql_where=text("noticed_at IS NULL"),
    ),
)
