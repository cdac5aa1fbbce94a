"""Every table. Instants are UTC; ids count up; nothing here decides anything."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from alerting.database.types import Instant, Json, Number

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

instance = Table(
    "instance",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="only_one"), primary_key=True, autoincrement=False),
    Column("kind", String(20), nullable=False),  # production | demo
    Column("clock_offset_us", Number, nullable=False, server_default="0"),  # only a demo's clock moves
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
    Column("raw", LargeBinary, nullable=False),
    Column("place", String(400), nullable=False),
    Column("clamped", Boolean, nullable=False),
    Column("excluded", String(40)),  # before_go_live | too_old: recorded, never mailed
    Column("rulebook", String(64), nullable=False),  # judged by
    UniqueConstraint("source", "id"),
    Index("ix_event_customer_key_type_time", "customer_key", "type", "time"),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Number, primary_key=True),
    Column("place", String(400), nullable=False),
    Column("digest", String(64), nullable=False),  # of the bytes: a place comes again when its topic is made anew
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

customer = Table(
    "customer",
    metadata,
    Column("key", String(200), primary_key=True),  # the row is the lock; a row exists for unknown ones too
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
    Column("until", Instant, nullable=False),  # what happened up to then is erased, also when it comes again
    Column("recorded_at", Instant, nullable=False),
)

contact_address = Table(
    "contact_address",
    metadata,
    Column("address", String(200), primary_key=True),  # the key an answer known only by this address comes under
    Column("customer_key", String(200), primary_key=True, index=True),
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

review = Table(
    "review",
    metadata,
    Column("customer_key", String(200), primary_key=True),
    Column("due_at", Instant, nullable=False),  # when segment and tags are to be looked at again
    Column("cause", String(500), nullable=False),
    Column("facts_since", Instant),  # its group's facts are others from then on: events are judged again
    Index("ix_review_due_at", "due_at"),
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

unknown_condition = Table(
    "unknown_condition",
    metadata,
    Column("id", Number, primary_key=True),
    Column("event_seq", Number, ForeignKey("event.seq"), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("condition", Text, nullable=False),
    Index("ix_unknown_condition_rule", "rule"),
)

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
    Column("moved_at", Instant),  # the open cases whose policy says so have been promised what it says now
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
    Column("id", Integer, CheckConstraint("id = 1", name="only_one"), primary_key=True, autoincrement=False),
    Column("hash", String(64), ForeignKey("rulebook.hash"), nullable=False),
)

party_fact = Table(
    "party_fact",
    metadata,
    Column("id", Number, primary_key=True),
    Column("party", String(64), nullable=False),
    Column("valid_from", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("source", String(200), nullable=False),  # people.yaml, an event's source, delivery, a command
    Column("event_id", String(200), nullable=False),
    Column("changes", Json, nullable=False),
    Column("state", Json, nullable=False),  # what holds from here on
    UniqueConstraint("party", "valid_from", "source", "event_id"),
)

people_check = Table(
    "people_check",
    metadata,
    Column("id", Number, primary_key=True),
    Column("day", String(10), nullable=False, unique=True),  # UTC; whoever writes the row has the night's check
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

case_file = Table(
    "case_file",
    metadata,
    Column("id", Number, primary_key=True),
    Column("customer_key", String(200), nullable=False),
    Column("cycle", Integer, nullable=False),
    Column("status", String(20), nullable=False),
    Column("severity", String(20), nullable=False),
    Column("segment", String(100), nullable=False),
    Column("rule", String(100), nullable=False),
    Column("policy", String(100), nullable=False),
    Column("caller", String(64), nullable=False),
    Column("fixer", String(64)),
    Column("informed", Json, nullable=False),
    Column("assignment", Integer, nullable=False),
    Column("customer_sent_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("contacted_at", Instant),
    Column("answered_until", Instant),  # the latest contact of all cycles
    Column("cause_removed_at", Instant),
    Column("resolved_at", Instant),
    Column("withdrawn_at", Instant),  # resolved because facts that came later took all its alerts away
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

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("id", Number, primary_key=True),
    Column("source", String(200), nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("first_day", String(10)),  # null: by the id of each event
    Column("last_day", String(10)),
    Column("zone", String(60), nullable=False),
    Column("sent", Number, nullable=False),
    Column("received", Number, nullable=False),
    Column("unreadable", Number, nullable=False),
    Column("missing", Number, nullable=False),
    Column("surplus", Number, nullable=False),
    Column("missing_ids", Json, nullable=False),  # at most a hundred of them
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
    Column("watch", String(200), primary_key=True),  # rule, event type and length; an edited rule is watched for anew
    Column("customer_key", String(200), primary_key=True),
    Column("last_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("noticed_at", Instant),
    Index(
        "ix_silence_watch_due",  # in the whole order in which full ones are looked for: nothing is sorted where none is
        *("due_at", "watch", "customer_key"),
        sqlite_where=text("noticed_at IS NULL"),
        postgresql_where=text("noticed_at IS NULL"),
    ),
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

weekly_mail = Table(
    "weekly_mail",
    metadata,
    Column("id", Number, primary_key=True),
    Column("party", String(64), nullable=False),
    Column("week", String(10), nullable=False),  # the day it was due, in the reader's zone
    Column("recorded_at", Instant, nullable=False),
    UniqueConstraint("week", "party"),
)

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
    Column("cause_kind", String(20), nullable=False),  # alert | timer | delivery | response | event | check | proposal
    Column("cause_id", Number, nullable=False),
    Column("recipient", String(64), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("case_id", Number, ForeignKey("case_file.id"), index=True),  # null: about no case, as is the customer
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
    Column("body", LargeBinary, nullable=False),  # canonical JSON of the whole entry: what will be sealed
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
    Column("id", Integer, CheckConstraint("id = 1", name="only_one"), primary_key=True, autoincrement=False),
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
