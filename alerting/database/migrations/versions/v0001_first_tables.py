"""The first tables"""

import sqlalchemy as sa
from alembic import op

from alerting.database.types import Instant, Json, Number

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("id", Number, nullable=False),
        sa.Column("week", sa.String(length=10), nullable=False),
        sa.Column("seq", Number, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checkpoint")),
        sa.UniqueConstraint("week", name=op.f("uq_audit_checkpoint_week")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", Number, nullable=False),
        sa.Column("happened_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_subject", ["subject_kind", "subject_id"], unique=False)

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", Number, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "case_file",
        sa.Column("id", Number, nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("segment", sa.String(length=100), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("policy", sa.String(length=100), nullable=False),
        sa.Column("caller", sa.String(length=64), nullable=False),
        sa.Column("fixer", sa.String(length=64), nullable=True),
        sa.Column("informed", Json, nullable=False),
        sa.Column("assignment", sa.Integer(), nullable=False),
        sa.Column("customer_sent_at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("acknowledged_at", Instant(), nullable=True),
        sa.Column("contacted_at", Instant(), nullable=True),
        sa.Column("answered_until", Instant(), nullable=True),
        sa.Column("cause_removed_at", Instant(), nullable=True),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("withdrawn_at", Instant(), nullable=True),
        sa.Column("forgotten_at", Instant(), nullable=True),
        sa.Column("waiting_since", Instant(), nullable=True),
        sa.Column("waiting_for", sa.String(length=20), nullable=True),
        sa.Column("waiting_until", Instant(), nullable=True),
        sa.Column("waits", Json, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("root_cause", sa.String(length=100), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=True),
        sa.Column("corrective_action", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
    )
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.create_index("ix_case_file_customer_key", ["customer_key"], unique=False)
        batch_op.create_index("ix_case_file_opened_at", ["opened_at"], unique=False)
        batch_op.create_index("ix_case_file_resolved_at", ["resolved_at"], unique=False)
        batch_op.create_index(
            "ix_case_file_waiting",
            ["customer_key"],
            unique=False,
            sqlite_where=sa.text("waiting_since IS NOT NULL"),
            postgresql_where=sa.text("waiting_since IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_case_file_one_unresolved",
            ["customer_key"],
            unique=True,
            sqlite_where=sa.text("status <> 'resolved'"),
            postgresql_where=sa.text("status <> 'resolved'"),
        )

    op.create_table(
        "contact_address",
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("address", "customer_key", name=op.f("pk_contact_address")),
    )
    with op.batch_alter_table("contact_address", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_address_customer_key"), ["customer_key"], unique=False)

    op.create_table(
        "customer",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("first_seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_customer")),
    )
    op.create_table(
        "customer_version",
        sa.Column("id", Number, nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("changes", Json, nullable=False),
        sa.Column("state", Json, nullable=False),
        sa.Column("parent", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_version")),
        sa.UniqueConstraint(
            "customer_key",
            "valid_from",
            "source",
            "event_id",
            name=op.f("uq_customer_version_customer_key_valid_from_source_event_id"),
        ),
    )
    with op.batch_alter_table("customer_version", schema=None) as batch_op:
        batch_op.create_index(
            "ix_customer_version_parent",
            ["parent"],
            unique=False,
            sqlite_where=sa.text("parent IS NOT NULL"),
            postgresql_where=sa.text("parent IS NOT NULL"),
        )

    op.create_table(
        "dead_letter",
        sa.Column("id", Number, nullable=False),
        sa.Column("place", sa.String(length=400), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=False),
        sa.Column("field", sa.String(length=400), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("headers", Json, nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("replayed_at", Instant(), nullable=True),
        sa.Column("discarded_at", Instant(), nullable=True),
        sa.Column("discarded_by", sa.String(length=200), nullable=True),
        sa.Column("discard_reason", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter")),
        sa.UniqueConstraint("place", "digest", name=op.f("uq_dead_letter_place_digest")),
    )
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.create_index(
            "ix_dead_letter_unpublished",
            ["id"],
            unique=False,
            sqlite_where=sa.text("published_at IS NULL"),
            postgresql_where=sa.text("published_at IS NULL"),
        )

    op.create_table(
        "digest",
        sa.Column("id", Number, nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_digest")),
        sa.UniqueConstraint("message_id", name=op.f("uq_digest_message_id")),
    )
    op.create_table(
        "event",
        sa.Column("seq", Number, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=200), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("sentiment", sa.String(length=8), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.String(length=400), nullable=False),
        sa.Column("clamped", sa.Boolean(), nullable=False),
        sa.Column("excluded", sa.String(length=40), nullable=True),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_event")),
        sa.UniqueConstraint("source", "id", name=op.f("uq_event_source_id")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_customer_key_type_time", ["customer_key", "type", "time"], unique=False)
        batch_op.create_index(
            "ix_event_good",
            ["customer_key", "time"],
            unique=False,
            sqlite_where=sa.text("sentiment = 'positive' OR type = 'purchase.recorded'"),
            postgresql_where=sa.text("sentiment = 'positive' OR type = 'purchase.recorded'"),
        )

    op.create_table(
        "forgotten",
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("customer_key", name=op.f("pk_forgotten")),
    )
    op.create_table(
        "instance",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("clock_offset_us", Number, server_default="0", nullable=False),
        sa.Column("hold_reason", sa.Text(), nullable=True),
        sa.Column("held_at", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_table(
        "membership",
        sa.Column("id", Number, nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.Column("segment", sa.String(length=100), nullable=False),
        sa.Column("former", sa.String(length=100), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tags", Json, nullable=False),
        sa.Column("tags_added", Json, nullable=False),
        sa.Column("tags_removed", Json, nullable=False),
        sa.Column("cause", sa.String(length=500), nullable=False),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("customer_key", "n", name=op.f("uq_membership_customer_key_n")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(
            "ix_membership_current",
            ["segment"],
            unique=False,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )
        batch_op.create_index(
            "ix_membership_unpublished",
            ["id"],
            unique=False,
            sqlite_where=sa.text("published_at IS NULL"),
            postgresql_where=sa.text("published_at IS NULL"),
        )

    op.create_table(
        "party_fact",
        sa.Column("id", Number, nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("changes", Json, nullable=False),
        sa.Column("state", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party_fact")),
        sa.UniqueConstraint(
            "party", "valid_from", "source", "event_id", name=op.f("uq_party_fact_party_valid_from_source_event_id")
        ),
    )
    op.create_table(
        "people_check",
        sa.Column("id", Number, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("checked_at", Instant(), nullable=False),
        sa.Column("findings", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_check")),
        sa.UniqueConstraint("day", name=op.f("uq_people_check_day")),
    )
    op.create_table(
        "personal_key",
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("customer_key", name=op.f("pk_personal_key")),
    )
    op.create_table(
        "position",
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic_id", sa.String(length=100), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("next", Number, nullable=False),
        sa.Column("retired_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("cluster", "topic_id", "partition", name=op.f("pk_position")),
    )
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.create_index("ix_position_topic_partition", ["topic", "partition"], unique=False)

    op.create_table(
        "position_gap",
        sa.Column("id", Number, nullable=False),
        sa.Column("cluster", sa.String(length=100), nullable=False),
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("topic_id", sa.String(length=100), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("expected", Number, nullable=False),
        sa.Column("found", Number, nullable=False),
        sa.Column("noticed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_position_gap")),
    )
    op.create_table(
        "reader",
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_reader")),
    )
    op.create_table(
        "reconciliation",
        sa.Column("id", Number, nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("first_day", sa.String(length=10), nullable=False),
        sa.Column("last_day", sa.String(length=10), nullable=False),
        sa.Column("by_id", sa.Boolean(), nullable=False),
        sa.Column("zone", sa.String(length=60), nullable=False),
        sa.Column("sent", Number, nullable=False),
        sa.Column("received", Number, nullable=False),
        sa.Column("unreadable", Number, nullable=False),
        sa.Column("missing", Number, nullable=False),
        sa.Column("surplus", Number, nullable=False),
        sa.Column("missing_ids", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_table(
        "review",
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("cause", sa.String(length=500), nullable=False),
        sa.Column("facts_since", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("customer_key", name=op.f("pk_review")),
    )
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.create_index("ix_review_due_at", ["due_at"], unique=False)

    op.create_table(
        "rulebook",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("files", Json, nullable=False),
        sa.Column("stored_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rulebook")),
    )
    op.create_table(
        "signal_point",
        sa.Column("id", Number, nullable=False),
        sa.Column("definition", sa.String(length=16), nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("time", Instant(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("event_id", sa.String(length=200), nullable=False),
        sa.Column("value", Json, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_point")),
        sa.UniqueConstraint(
            "customer_key",
            "definition",
            "time",
            "source",
            "event_id",
            "kind",
            name=op.f("uq_signal_point_customer_key_definition_time_source_event_id_kind"),
        ),
    )
    op.create_table(
        "silence",
        sa.Column("id", Number, nullable=False),
        sa.Column("scope", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_table(
        "silence_watch",
        sa.Column("watch", sa.String(length=200), nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("noticed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("watch", "customer_key", name=op.f("pk_silence_watch")),
    )
    with op.batch_alter_table("silence_watch", schema=None) as batch_op:
        batch_op.create_index(
            "ix_silence_watch_due",
            ["due_at", "watch", "customer_key"],
            unique=False,
            sqlite_where=sa.text("noticed_at IS NULL"),
            postgresql_where=sa.text("noticed_at IS NULL"),
        )

    op.create_table(
        "stopped_partition",
        sa.Column("topic", sa.String(length=249), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name=op.f("pk_stopped_partition")),
    )
    op.create_table(
        "timer",
        sa.Column("id", Number, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", Number, nullable=False),
        sa.Column("key", sa.String(length=100), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("fired_at", Instant(), nullable=True),
        sa.Column("cancelled_at", Instant(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timer")),
        sa.UniqueConstraint("kind", "subject", "key", "n", name=op.f("uq_timer_kind_subject_key_n")),
    )
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.create_index(
            "ix_timer_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("fired_at IS NULL AND cancelled_at IS NULL"),
            postgresql_where=sa.text("fired_at IS NULL AND cancelled_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_timer_subject"), ["subject"], unique=False)

    op.create_table(
        "value_scale",
        sa.Column("id", Number, nullable=False),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("buyers", sa.Integer(), nullable=False),
        sa.Column("cuts", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_value_scale")),
        sa.UniqueConstraint("valid_from", name=op.f("uq_value_scale_valid_from")),
    )
    op.create_table(
        "weekly_mail",
        sa.Column("id", Number, nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("week", sa.String(length=10), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_weekly_mail")),
        sa.UniqueConstraint("week", "party", name=op.f("uq_weekly_mail_week_party")),
    )
    op.create_table(
        "activation",
        sa.Column("id", Number, nullable=False),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("activated_at", Instant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("approver", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("moved_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["rulebook"], ["rulebook.hash"], name=op.f("fk_activation_rulebook")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activation")),
    )
    op.create_table(
        "active_rulebook",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["rulebook.hash"], name=op.f("fk_active_rulebook_hash")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_active_rulebook")),
    )
    op.create_table(
        "alert",
        sa.Column("id", Number, nullable=False),
        sa.Column("event_seq", Number, nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("segment", sa.String(length=100), nullable=False),
        sa.Column("territory", sa.Text(), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("because", Json, nullable=False),
        sa.Column("people", Json, nullable=False),
        sa.Column("signals", Json, nullable=False),
        sa.Column("suppressed", sa.String(length=40), nullable=True),
        sa.Column("case_id", Number, nullable=True),
        sa.Column("raised_at", Instant(), nullable=False),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_alert_case_id")),
        sa.ForeignKeyConstraint(["event_seq"], ["event.seq"], name=op.f("fk_alert_event_seq")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("event_seq", "rule", "revision", name=op.f("uq_alert_event_seq_rule_revision")),
    )
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_alert_customer_key_rule", ["customer_key", "rule"], unique=False)

    op.create_table(
        "audit_seal",
        sa.Column("seq", Number, autoincrement=False, nullable=False),
        sa.Column("entry_id", Number, nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_seal_entry_id")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_seal")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_seal_entry_id")),
    )
    op.create_table(
        "audit_unsealed",
        sa.Column("entry_id", Number, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_unsealed_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_audit_unsealed")),
    )
    op.create_table(
        "check_answer",
        sa.Column("event_seq", Number, autoincrement=False, nullable=False),
        sa.Column("case_id", Number, nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("severity", sa.String(length=20), nullable=False),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_check_answer_case_id")),
        sa.ForeignKeyConstraint(["event_seq"], ["event.seq"], name=op.f("fk_check_answer_event_seq")),
        sa.PrimaryKeyConstraint("event_seq", name=op.f("pk_check_answer")),
    )
    with op.batch_alter_table("check_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_check_answer_case_id"), ["case_id"], unique=False)

    op.create_table(
        "clock",
        sa.Column("case_id", Number, nullable=False),
        sa.Column("cycle", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("plan", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("by", sa.String(length=10), nullable=False),
        sa.Column("policy", sa.String(length=100), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("stopped_at", Instant(), nullable=True),
        sa.Column("missed_at", Instant(), nullable=True),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("calendar", sa.String(length=100), nullable=False),
        sa.Column("within", sa.String(length=40), nullable=False),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.Column("pauses", Json, nullable=False),
        sa.Column("resumes", sa.Integer(), server_default="0", nullable=False),
        sa.Column("felt", Number, nullable=True),
        sa.Column("worked", Number, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_clock_case_id")),
        sa.PrimaryKeyConstraint("case_id", "cycle", "kind", "plan", name=op.f("pk_clock")),
    )
    with op.batch_alter_table("clock", schema=None) as batch_op:
        batch_op.create_index(
            "ix_clock_running",
            ["party"],
            unique=False,
            sqlite_where=sa.text("stopped_at IS NULL AND superseded_at IS NULL"),
            postgresql_where=sa.text("stopped_at IS NULL AND superseded_at IS NULL"),
        )
        batch_op.create_index("ix_clock_started_at", ["started_at"], unique=False)

    op.create_table(
        "clock_entry",
        sa.Column("id", Number, nullable=False),
        sa.Column("case_id", Number, nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("plan", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("happened_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("party", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_clock_entry_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_entry")),
    )
    with op.batch_alter_table("clock_entry", schema=None) as batch_op:
        batch_op.create_index("ix_clock_entry_case_id", ["case_id"], unique=False)

    op.create_table(
        "contact_attempt",
        sa.Column("id", Number, nullable=False),
        sa.Column("case_id", Number, nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reached", sa.Boolean(), nullable=False),
        sa.Column("happened_at", Instant(), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_contact_attempt_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_attempt")),
    )
    with op.batch_alter_table("contact_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_attempt_case_id"), ["case_id"], unique=False)

    op.create_table(
        "correction",
        sa.Column("id", Number, nullable=False),
        sa.Column("case_id", Number, nullable=False),
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("subject", Number, nullable=True),
        sa.Column("was", Instant(), nullable=False),
        sa.Column("becomes", Instant(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=64), nullable=True),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_correction_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_correction_case_id"), ["case_id"], unique=False)

    op.create_table(
        "effectiveness_review",
        sa.Column("case_id", Number, nullable=False),
        sa.Column("cycle", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("by", sa.String(length=64), nullable=True),
        sa.Column("effective", sa.Boolean(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_effectiveness_review_case_id")),
        sa.PrimaryKeyConstraint("case_id", "cycle", name=op.f("pk_effectiveness_review")),
    )
    op.create_table(
        "notification",
        sa.Column("id", Number, nullable=False),
        sa.Column("cause_kind", sa.String(length=20), nullable=False),
        sa.Column("cause_id", Number, nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("case_id", Number, nullable=True),
        sa.Column("customer_key", sa.String(length=200), nullable=True),
        sa.Column("template", sa.String(length=60), nullable=False),
        sa.Column("data", Json, nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("not_before", Instant(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("digest_id", Number, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_notification_case_id")),
        sa.ForeignKeyConstraint(["digest_id"], ["digest.id"], name=op.f("fk_notification_digest_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint(
            "cause_kind",
            "cause_id",
            "recipient",
            "channel",
            name=op.f("uq_notification_cause_kind_cause_id_recipient_channel"),
        ),
        sa.UniqueConstraint("message_id", name=op.f("uq_notification_message_id")),
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notification_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_notification_digest_id"), ["digest_id"], unique=False)
        batch_op.create_index(
            "ix_notification_recipient_waiting",
            ["recipient"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'claimed')"),
            postgresql_where=sa.text("status IN ('pending', 'claimed')"),
        )
        batch_op.create_index(
            "ix_notification_waiting",
            ["not_before"],
            unique=False,
            sqlite_where=sa.text("status IN ('pending', 'claimed')"),
            postgresql_where=sa.text("status IN ('pending', 'claimed')"),
        )

    op.create_table(
        "personal_value",
        sa.Column("entry_id", Number, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("customer_key", sa.String(length=200), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_personal_value_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "name", name=op.f("pk_personal_value")),
    )
    with op.batch_alter_table("personal_value", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_personal_value_customer_key"), ["customer_key"], unique=False)

    op.create_table(
        "proposal",
        sa.Column("id", Number, nullable=False),
        sa.Column("rulebook", sa.String(length=64), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("declined_by", sa.String(length=200), nullable=True),
        sa.Column("objection", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["rulebook"], ["rulebook.hash"], name=op.f("fk_proposal_rulebook")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
    )
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.create_index("ix_proposal_rulebook", ["rulebook"], unique=False)

    op.create_table(
        "resolution",
        sa.Column("case_id", Number, nullable=False),
        sa.Column("cycle", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("root_cause", sa.String(length=100), nullable=True),
        sa.Column("action", sa.String(length=100), nullable=True),
        sa.Column("corrective_action", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_resolution_case_id")),
        sa.PrimaryKeyConstraint("case_id", "cycle", name=op.f("pk_resolution")),
    )
    op.create_table(
        "unknown_condition",
        sa.Column("id", Number, nullable=False),
        sa.Column("event_seq", Number, nullable=False),
        sa.Column("rule", sa.String(length=100), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["event_seq"], ["event.seq"], name=op.f("fk_unknown_condition_event_seq")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unknown_condition")),
    )
    with op.batch_alter_table("unknown_condition", schema=None) as batch_op:
        batch_op.create_index("ix_unknown_condition_rule", ["rule"], unique=False)

    op.create_table(
        "unmatched",
        sa.Column("event_seq", Number, autoincrement=False, nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("candidates", Json, nullable=False),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("customer_key", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["event_seq"], ["event.seq"], name=op.f("fk_unmatched_event_seq")),
        sa.PrimaryKeyConstraint("event_seq", name=op.f("pk_unmatched")),
    )
    with op.batch_alter_table("unmatched", schema=None) as batch_op:
        batch_op.create_index(
            "ix_unmatched_waiting",
            ["address"],
            unique=False,
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )

    op.create_table(
        "wait",
        sa.Column("id", Number, nullable=False),
        sa.Column("case_id", Number, nullable=False),
        sa.Column("cycle", sa.Integer(), nullable=False),
        sa.Column("waiting_for", sa.String(length=20), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("ended_by", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_wait_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wait")),
    )
    with op.batch_alter_table("wait", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wait_case_id"), ["case_id"], unique=False)

    op.create_table(
        "delivery",
        sa.Column("id", Number, nullable=False),
        sa.Column("notification_id", Number, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("render_error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["notification_id"], ["notification.id"], name=op.f("fk_delivery_notification_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("notification_id", "n", name=op.f("uq_delivery_notification_id_n")),
    )
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_delivery_notification_id"), ["notification_id"], unique=False)

    op.create_table(
        "team_turn",
        sa.Column("id", Number, nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("member", sa.String(length=64), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("case_id", Number, nullable=False),
        sa.Column("alert_id", Number, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_team_turn_alert_id")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_team_turn_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_turn")),
    )
    with op.batch_alter_table("team_turn", schema=None) as batch_op:
        batch_op.create_index("ix_team_turn_team_member", ["team", "member"], unique=False)
    _refuse_changes()


_KEPT = ("audit_entry", "audit_seal", "audit_checkpoint")


def _refuse_changes() -> None:
    """What is in the audit stays: the database itself refuses to change or delete it, whoever asks."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_stays() RETURNS trigger AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit is never changed'; END $$ LANGUAGE plpgsql"
        )
        for table in _KEPT:
            op.execute(
                f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()"
            )
        return
    for table in _KEPT:
        for act in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act} BEFORE {act.upper()} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the audit is never changed'); END"
            )


def downgrade() -> None:
    with op.batch_alter_table("team_turn", schema=None) as batch_op:
        batch_op.drop_index("ix_team_turn_team_member")

    op.drop_table("team_turn")
    with op.batch_alter_table("delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_delivery_notification_id"))

    op.drop_table("delivery")
    with op.batch_alter_table("wait", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wait_case_id"))

    op.drop_table("wait")
    with op.batch_alter_table("unmatched", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_unmatched_waiting",
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )

    op.drop_table("unmatched")
    with op.batch_alter_table("unknown_condition", schema=None) as batch_op:
        batch_op.drop_index("ix_unknown_condition_rule")

    op.drop_table("unknown_condition")
    op.drop_table("resolution")
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.drop_index("ix_proposal_rulebook")

    op.drop_table("proposal")
    with op.batch_alter_table("personal_value", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_personal_value_customer_key"))

    op.drop_table("personal_value")
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_notification_waiting",
            sqlite_where=sa.text("status IN ('pending', 'claimed')"),
            postgresql_where=sa.text("status IN ('pending', 'claimed')"),
        )
        batch_op.drop_index(
            "ix_notification_recipient_waiting",
            sqlite_where=sa.text("status IN ('pending', 'claimed')"),
            postgresql_where=sa.text("status IN ('pending', 'claimed')"),
        )
        batch_op.drop_index(batch_op.f("ix_notification_digest_id"))
        batch_op.drop_index(batch_op.f("ix_notification_case_id"))

    op.drop_table("notification")
    op.drop_table("effectiveness_review")
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_correction_case_id"))

    op.drop_table("correction")
    with op.batch_alter_table("contact_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_attempt_case_id"))

    op.drop_table("contact_attempt")
    with op.batch_alter_table("clock_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_clock_entry_case_id")

    op.drop_table("clock_entry")
    with op.batch_alter_table("clock", schema=None) as batch_op:
        batch_op.drop_index("ix_clock_started_at")
        batch_op.drop_index(
            "ix_clock_running",
            sqlite_where=sa.text("stopped_at IS NULL AND superseded_at IS NULL"),
            postgresql_where=sa.text("stopped_at IS NULL AND superseded_at IS NULL"),
        )

    op.drop_table("clock")
    with op.batch_alter_table("check_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_check_answer_case_id"))

    op.drop_table("check_answer")
    op.drop_table("audit_unsealed")
    op.drop_table("audit_seal")
    with op.batch_alter_table("alert", schema=None) as batch_op:
        batch_op.drop_index("ix_alert_customer_key_rule")
        batch_op.drop_index(batch_op.f("ix_alert_case_id"))

    op.drop_table("alert")
    op.drop_table("active_rulebook")
    op.drop_table("activation")
    op.drop_table("weekly_mail")
    op.drop_table("value_scale")
    with op.batch_alter_table("timer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_timer_subject"))
        batch_op.drop_index(
            "ix_timer_due",
            sqlite_where=sa.text("fired_at IS NULL AND cancelled_at IS NULL"),
            postgresql_where=sa.text("fired_at IS NULL AND cancelled_at IS NULL"),
        )

    op.drop_table("timer")
    op.drop_table("stopped_partition")
    with op.batch_alter_table("silence_watch", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_silence_watch_due",
            sqlite_where=sa.text("noticed_at IS NULL"),
            postgresql_where=sa.text("noticed_at IS NULL"),
        )

    op.drop_table("silence_watch")
    op.drop_table("silence")
    op.drop_table("signal_point")
    op.drop_table("rulebook")
    with op.batch_alter_table("review", schema=None) as batch_op:
        batch_op.drop_index("ix_review_due_at")

    op.drop_table("review")
    op.drop_table("reconciliation")
    op.drop_table("reader")
    op.drop_table("position_gap")
    with op.batch_alter_table("position", schema=None) as batch_op:
        batch_op.drop_index("ix_position_topic_partition")

    op.drop_table("position")
    op.drop_table("personal_key")
    op.drop_table("people_check")
    op.drop_table("party_fact")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_membership_unpublished",
            sqlite_where=sa.text("published_at IS NULL"),
            postgresql_where=sa.text("published_at IS NULL"),
        )
        batch_op.drop_index(
            "ix_membership_current",
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.drop_table("membership")
    op.drop_table("instance")
    op.drop_table("forgotten")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_event_good",
            sqlite_where=sa.text("sentiment = 'positive' OR type = 'purchase.recorded'"),
            postgresql_where=sa.text("sentiment = 'positive' OR type = 'purchase.recorded'"),
        )
        batch_op.drop_index("ix_event_customer_key_type_time")

    op.drop_table("event")
    op.drop_table("digest")
    with op.batch_alter_table("dead_letter", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_dead_letter_unpublished",
            sqlite_where=sa.text("published_at IS NULL"),
            postgresql_where=sa.text("published_at IS NULL"),
        )

    op.drop_table("dead_letter")
    with op.batch_alter_table("customer_version", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_customer_version_parent",
            sqlite_where=sa.text("parent IS NOT NULL"),
            postgresql_where=sa.text("parent IS NOT NULL"),
        )

    op.drop_table("customer_version")
    op.drop_table("customer")
    with op.batch_alter_table("contact_address", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_address_customer_key"))

    op.drop_table("contact_address")
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_case_file_one_unresolved",
            sqlite_where=sa.text("status <> 'resolved'"),
            postgresql_where=sa.text("status <> 'resolved'"),
        )
        batch_op.drop_index(
            "ix_case_file_waiting",
            sqlite_where=sa.text("waiting_since IS NOT NULL"),
            postgresql_where=sa.text("waiting_since IS NOT NULL"),
        )
        batch_op.drop_index("ix_case_file_resolved_at")
        batch_op.drop_index("ix_case_file_opened_at")
        batch_op.drop_index("ix_case_file_customer_key")

    op.drop_table("case_file")
    op.drop_table("audit_head")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_subject")

    op.drop_table("audit_entry")
    op.drop_table("audit_checkpoint")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_stays()")
