"""How often a rule's conditions could not be decided."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from alerting.database.engine import Transaction
from alerting.database.tables import unknown_condition


def note_unknown(tx: Transaction, rows: Sequence[Mapping[str, object]]) -> None:
    """Conditions that could not be decided: `event_seq`, `rule`, `condition`."""
    if rows:
        tx.execute(unknown_condition.insert(), list(rows))


def unknown_by_rule(tx: Transaction) -> dict[str, int]:
    rows = tx.execute(
        select(unknown_condition.c.rule, func.count().label("times")).group_by(
            unknown_condition.c.rule
        )
    )
    return {str(row.rule): int(row.times) for row in rows}
