"""Who is responsible, by dated facts."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, UniqueConstraint

from alerting.database.tables.base import metadata
from alerting.database.types import Instant, Json, Number

party_fact = Table(
    "party_fact",
    metadata,
    Column("id", Number, primary_key=True),
    Column("party", String(64), nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column(
        "source", String(200), nullable=False
    ),  # people.yaml, an event's source, delivery, a command
    Column("event_id", String(200), nullable=False),
    Column("changes", Json, nullable=False),
    Column("state", Json, nullable=False),  # what holds from here on
    UniqueConstraint("party", "valid_from", "source", "event_id"),
)

people_check = Table(
    "people_check",
    metadata,
    Column("id", Number, primary_key=True),
    Column(
        "day", String(10), nullable=False, unique=True
    ),  # UTC; whoever writes the row has the night's check
    Column("checked_at", Instant, nullable=False),
    Column("findings", Json, nullable=False),
)

team_turn = Table(
    "team_turn",
    metadata,
    Column("id", Number, primary_key=True),
    Column("team", String(64), nullable=False),
    Column("member", String(64), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("case_id", Number, ForeignKey("case_file.id"), nullable=False),
    Column("alert_id", Number, ForeignKey("alert.id"), nullable=False),
    Index("ix_team_turn_team_member", "team", "member"),
)
