"""Many values as one parameter. A parameter each costs more than the query, and a database takes
only so many.
"""

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from alerting.database.engine import Transaction


def listed(tx: Transaction, values: Sequence[str]) -> sa.ColumnElement[Any]:
    """A column of these texts, in their order, to select from."""
    if tx.is_postgresql:
        return sa.func.unnest(sa.literal(list(values), ARRAY(sa.Text))).column_valued("listed")
    return _json_each(values).c.value


def among(
    tx: Transaction, column: sa.ColumnElement[Any], values: Sequence[Any]
) -> sa.ColumnElement[bool]:
    """Whether a column of texts or numbers holds one of these."""
    if tx.is_postgresql:
        kind = sa.BigInteger if isinstance(column.type, sa.Integer) else sa.Text
        return column == sa.any_(sa.literal(list(values), ARRAY(kind)))
    return column.in_(sa.select(_json_each(values).c.value))


def _json_each(values: Sequence[Any]) -> sa.TableValuedAlias:
    return sa.func.json_each(json.dumps(list(values))).table_valued("value")
