"""Cases, their promises and the work on them."""

from sqlalchemy import (
    Boolean,
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

case_file = Table(
    "case_file",
    metadata,
    Column("id", Number, primary_key=True),
    Column("customer_key", String(200), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("segment", String(100), nullable=False),
    Column(
        "territory", Text, nullable=False
    ),  # of the customer then: country and region, or unknown
    Column("rule", String(100), nullable=False),
    Column("policy", String(100), nullable=False),
    Column("caller", String(64), nullable=False),
    Column("fixer", String(64)),
    Column("informed", Json, nullable=False),
    Column("assignment", Integer, nullable=False),
    Column("customer_sent_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("contacted_at", Instant),
    Column("answered_until", Instant),  # the latest contact of all cycles
    Column("cause_removed_at", Instant),
    Column("resolved_at", Instant),
    Column(
        "withdrawn_at", Instant
    ),  # resolved because facts that came later took all its alerts away
    Column("forgotten_at", Instant),  # ended because nobody may know its customer any more
    Column("waiting_since", Instant),
    Column("waiting_for", String(20)),  # customer | third_party
    Column("waiting_until", Instant),
    Column("waits", Json, nullable=False),  # those that are over: for whom, from when, until when
    Column("revision", Integer, nullable=False),
    Column("root_cause", String(100)),  # as rules/resolutions.yaml declares them
    Column("action", String(100)),
    Column("corrective_action", String(100)),
    Index("ix_case_file_customer_key", "customer_key"),
    Index("ix_case_file_opened_at", "opened_at"),
    Index("ix_case_file_resolved_at", "resolved_at"),
    Index(
        "ix_case_file_waiting",
        "customer_key",
        sqlite_where=text("waiting_since IS NOT NULL"),
        postgresql_where=text("waiting_since IS NOT NULL"),
    ),
    Index(
        "uq_case_file_one_unresolved",
        "customer_key",
        unique=True,
        sqlite_where=text("status <> 'resolved'"),
        postgresql_where=text("status <> 'resolved'"),
    ),
)

clock = Table(
    "clock",
    metadata,
    Column("case_id", Number, ForeignKey("case_file.id"), primary_key=True),
    Column("cycle", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), primary_key=True),
    Column("plan", Integer, primary_key=True, autoincrement=False),
    Column("by", String(10), nullable=False),
    Column("policy", String(100), nullable=False),
    Column("party", String(64), nullable=False),  # who owed it when it stopped, or owes it now
    Column("started_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("stopped_at", Instant),
    Column("missed_at", Instant),
    Column("superseded_at", Instant),  # another plan took its place
    Column("rulebook", String(64), nullable=False),  # whose policy and calendar it runs by
    Column("calendar", String(100), nullable=False),
    Column("within", String(40), nullable=False),
    Column("paused_at", Instant),
    Column("pauses", Json, nullable=False),  # [begin, end) each, ended ones
    Column("resumes", Integer, nullable=False, server_default="0"),
    Column("felt", Number),  # microseconds from the start to the stop, as the customer felt them
    Column("worked", Number),  # the same of working time, without pauses
    Index("ix_clock_started_at", "started_at"),
    Index(
        "ix_clock_running",
        "party",
        sqlite_where=text("stopped_at IS NULL AND superseded_at IS NULL"),
        postgresql_where=text("stopped_at IS NULL AND superseded_at IS NULL"),
    ),
)

clock_entry = Table(
    "clock_entry",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case_id", Number, ForeignKey("case_file.id"), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("plan", Integer, nullable=False),
    Column(
        "what", String(20), nullable=False
    ),  # started | paused | resumed | stopped | missed | corrected | superseded
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("party", String(64), nullable=False),
    Column("policy", String(100), nullable=False),
    Index("ix_clock_entry_case_id", "case_id"),
)

timer = Table(
    "timer",
    metadata,
    Column("id", Number, primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("subject", Number, nullable=False, index=True),  # the case
    Column("key", String(100), nullable=False),
    Column("n", Integer, nullable=False),
    Column("customer_key", String(200), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("data", Json, nullable=False),
    Column("fired_at", Instant),
    Column("cancelled_at", Instant),
    Column("outcome", Text),
    UniqueConstraint("kind", "subject", "key", "n"),
    Index(
        "ix_timer_due",
        "due_at",
        sqlite_where=text("fired_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=text("fired_at IS NULL AND cancelled_at IS NULL"),
    ),
)

wait = Table(
    "wait",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case_id", Number, ForeignKey("case_file.id"), nullable=False, index=True),
    Column("cycle", Integer, nullable=False),
    Column("waiting_for", String(20), nullable=False),  # customer | third_party
    Column("by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("until", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", String(200)),  # a person, the customer's event, its own end
)

check_answer = Table(
    "check_answer",
    metadata,
    Column("event_seq", Number, ForeignKey("event.seq"), primary_key=True, autoincrement=False),
    Column(
        "case_id", Number, ForeignKey("case_file.id"), nullable=False, index=True
    ),  # that it opened again
    Column("rule", String(100), nullable=False),  # of the case then: what it was about
    Column("severity", String(20), nullable=False),
    Column("rulebook", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

resolution = Table(
    "resolution",
    metadata,
    Column("case_id", Number, ForeignKey("case_file.id"), primary_key=True),
    Column("cycle", Integer, primary_key=True, autoincrement=False),
    Column("root_cause", String(100)),
    Column("action", String(100)),
    Column("corrective_action", String(100)),
)

correction = Table(
    "correction",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case_id", Number, ForeignKey("case_file.id"), nullable=False, index=True),
    Column("what", String(20), nullable=False),  # contact | cause
    Column("subject", Number),  # the attempt
    Column("was", Instant, nullable=False),
    Column("becomes", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", String(64)),
    Column("approved", Boolean),
)

effectiveness_review = Table(
    "effectiveness_review",
    metadata,
    Column("case_id", Number, ForeignKey("case_file.id"), primary_key=True),
    Column("cycle", Integer, primary_key=True, autoincrement=False),
    Column("due_at", Instant, nullable=False),
    Column("done_at", Instant),
    Column("by", String(64)),
    Column("effective", Boolean),
    Column("note", Text),
)

contact_attempt = Table(
    "contact_attempt",
    metadata,
    Column("id", Number, primary_key=True),
    Column("case_id", Number, ForeignKey("case_file.id"), nullable=False, index=True),
    Column("cycle", Integer, nullable=False),
    Column("by", String(64), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reached", Boolean, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("note", Text, nullable=False),
    Column("grade", String(20)),  # phone log | CRM event; null: somebody's own word
)
