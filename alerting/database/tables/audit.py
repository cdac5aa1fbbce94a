"""The audit: entries, their seals, and the keys of what is personal in them."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from alerting.database.tables.base import metadata
from alerting.database.types import Instant, Number

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Number, primary_key=True),
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("actor", String(200), nullable=False),
    Column("action", String(60), nullable=False),
    Column("subject_kind", String(20), nullable=False),
    Column("subject_id", String(200), nullable=False),
    Column(
        "body", LargeBinary, nullable=False
    ),  # canonical JSON of the whole entry: what will be sealed
    Index("ix_audit_entry_subject", "subject_kind", "subject_id"),
)

audit_unsealed = Table(
    "audit_unsealed",
    metadata,
    Column("entry_id", Number, ForeignKey("audit_entry.id"), primary_key=True, autoincrement=False),
)

audit_seal = Table(
    "audit_seal",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("entry_id", Number, ForeignKey("audit_entry.id"), nullable=False, unique=True),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("sealed_at", Instant, nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column(
        "id",
        Integer,
        CheckConstraint("id = 1", name="only_one"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("seq", Number, nullable=False),
    Column("hash", String(64), nullable=False),
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("id", Number, primary_key=True),
    Column("week", String(10), nullable=False, unique=True),
    Column("seq", Number, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

personal_key = Table(
    "personal_key",
    metadata,
    Column("customer_key", String(200), primary_key=True),
    Column("key", LargeBinary, nullable=False),
)

personal_value = Table(
    "personal_value",
    metadata,
    Column("entry_id", Number, ForeignKey("audit_entry.id"), primary_key=True),
    Column("name", String(60), primary_key=True),
    Column("customer_key", String(200), nullable=False, index=True),
    Column("value", Text, nullable=False),
)
