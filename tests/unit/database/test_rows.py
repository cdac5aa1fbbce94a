"""A row class has the columns of its table, with their types."""

from dataclasses import fields
from datetime import datetime
from types import NoneType, UnionType
from typing import get_args, get_type_hints

import pytest
import sqlalchemy as sa

from alerting.database import tables
from alerting.database.rows import audit, cases, customers, intake, messages, people, rules
from alerting.database.types import Instant

WHOLE = [
    (tables.case_file, cases.CaseRow),
    (tables.clock, cases.ClockRow),
    (tables.timer, cases.TimerRow),
    (tables.wait, cases.WaitRow),
    (tables.correction, cases.CorrectionRow),
    (tables.effectiveness_review, cases.EffectReviewRow),
    (tables.contact_attempt, cases.AttemptRow),
    (tables.alert, rules.AlertRow),
    (tables.silence, rules.MuteRow),
    (tables.silence_watch, rules.WatchRow),
    (tables.activation, rules.ActivationRow),
    (tables.proposal, rules.ProposalRow),
    (tables.notification, messages.NotificationRow),
    (tables.delivery, messages.DeliveryRow),
    (tables.event, intake.EventRow),
    (tables.dead_letter, intake.DeadLetterRow),
    (tables.reconciliation, intake.ReconciliationRow),
    (tables.customer_version, customers.VersionRow),
    (tables.membership, customers.MembershipRow),
    (tables.review, customers.DueReviewRow),
    (tables.audit_entry, audit.EntryRow),
    (tables.audit_checkpoint, audit.CheckpointRow),
    (tables.party_fact, people.PartyFactRow),
]


@pytest.mark.parametrize(("table", "row"), WHOLE, ids=[row.__name__ for _, row in WHOLE])
def test_a_row_has_the_columns_of_its_table_with_their_types(table: sa.Table, row: type) -> None:
    hints = get_type_hints(row)
    assert {field.name for field in fields(row)} == {column.name for column in table.c}
    for column in table.c:
        said = f"{table.name}.{column.name}: {hints[column.name]}"
        assert is_optional(hints[column.name]) is bool(column.nullable), said
        if (kind := kind_of(column)) is not None:
            assert kind in kinds_in(hints[column.name]), said


def is_optional(hint: object) -> bool:
    return isinstance(hint, UnionType) and NoneType in get_args(hint)


def kinds_in(hint: object) -> set[object]:
    """The classes of a hint; a literal counts as the class of its values."""
    parts = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    literals = {type(value) for part in parts for value in get_args(part)}
    return {part for part in parts if isinstance(part, type)} | literals


def kind_of(column: "sa.Column[object]") -> type | None:
    """What a column's values are; None for JSON, whose text is not checked here."""
    if isinstance(column.type, sa.JSON):
        return None
    if isinstance(column.type, Instant):
        return datetime
    kinds: list[tuple[type[sa.types.TypeEngine[object]], type]] = [
        (sa.Boolean, bool),
        (sa.Integer, int),
        (sa.LargeBinary, bytes),
        (sa.String, str),
    ]
    return next(python for sql, python in kinds if isinstance(column.type, sql))
