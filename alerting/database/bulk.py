"""Many rows at once: COPY on PostgreSQL, one prepared statement on SQLite. A statement for each row
costs several times as much.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import pydantic_core
import sqlalchemy as sa
from pydantic import BaseModel

from alerting.database.engine import Transaction
from alerting.database.types import Instant

Row = Mapping[str, object]

FEW = 20
"""Rows up to which an ordinary INSERT is no slower."""


def add_rows(tx: Transaction, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows that are known to be new; all have the same columns. A column of JSON also takes
    a pydantic model.
    """
    if len(rows) <= FEW:
        if rows:
            tx.execute(table.insert(), [_plain(row) for row in rows])
    elif tx.is_postgresql:
        _copy(tx, table, table.name, rows)
    else:
        _execute_many(tx, f"INSERT INTO {_into(table, rows)}", table, rows)


def add_new_rows(
    tx: Transaction, table: sa.Table, rows: Sequence[Row], *, number: str, named: Sequence[str]
) -> list[Any]:
    """Insert those rows that contradict no unique constraint, in their order; returns of these the
    columns `named` and `number`.

    `number` is the primary key, which the database gives and which rises.
    """
    returned = [table.c[name] for name in (*named, number)]
    if len(rows) <= FEW:
        statement = tx.insert(table).on_conflict_do_nothing().returning(*returned)
        return list(tx.execute(statement, [_plain(row) for row in rows])) if rows else []
    if tx.is_postgresql:
        columns = ", ".join(_quoted(name) for name in rows[0])
        fresh = f"fresh_{table.name}"
        tx.connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {fresh} ON COMMIT DROP AS SELECT {columns} FROM "
            f"{_quoted(table.name)} WITH NO DATA"
        )
        _copy(tx, table, fresh, rows)
        found = tx.connection.exec_driver_sql(
            f"INSERT INTO {_quoted(table.name)} ({columns}) SELECT {columns} FROM {fresh} ON "
            "CONFLICT DO NOTHING "
            f"RETURNING {', '.join(_quoted(column.name) for column in returned)}"
        ).all()
        tx.connection.exec_driver_sql(f"DROP TABLE {fresh}")
        return list(found)
    before = tx.execute(
        sa.select(sa.func.coalesce(sa.func.max(table.c[number]), 0))
    ).scalar_one()  # nobody else writes
    _execute_many(tx, f"INSERT INTO {_into(table, rows)} ON CONFLICT DO NOTHING", table, rows)
    return list(tx.execute(sa.select(*returned).where(table.c[number] > before)))


def _plain(row: Row) -> dict[str, object]:
    return {
        name: value.model_dump(mode="json") if isinstance(value, BaseModel) else value
        for name, value in row.items()
    }


def _into(table: sa.Table, rows: Sequence[Row]) -> str:
    marks = ", ".join("?" for _ in rows[0])
    return (
        f"{_quoted(table.name)} ({', '.join(_quoted(name) for name in rows[0])}) VALUES ({marks})"
    )


def _execute_many(tx: Transaction, statement: str, table: sa.Table, rows: Sequence[Row]) -> None:
    tx.connection.exec_driver_sql(statement, _values(tx, table, rows))


def _copy(tx: Transaction, table: sa.Table, target: str, rows: Sequence[Row]) -> None:
    columns = ", ".join(_quoted(name) for name in rows[0])
    cursor = tx.connection.connection.cursor()
    try:
        with cursor.copy(f"COPY {_quoted(target)} ({columns}) FROM STDIN") as copy:
            for values in _values(tx, table, rows):
                copy.write_row(values)
    except tx.connection.dialect.loaded_dbapi.Error as error:
        raise sa.exc.DBAPIError.instance(
            "COPY", None, error, tx.connection.dialect.loaded_dbapi.Error
        ) from error
    finally:
        cursor.close()


def _values(tx: Transaction, table: sa.Table, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """The rows as the driver takes them."""
    columns = []
    for name in rows[0]:
        given, make = map(itemgetter(name), rows), _maker(tx, table.c[name].type)
        columns.append(given if make is None else map(make, given))
    return list(zip(*columns, strict=True))


def _maker(tx: Transaction, kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """What makes a driver's value of ours; None where they are the same."""
    dialect = tx.connection.dialect
    if isinstance(kind, sa.JSON):
        return _json
    if isinstance(kind, Instant):
        return (
            None
            if tx.is_postgresql
            else lru_cache(lambda moment: kind.process_bind_param(moment, dialect))
        )
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _json(value: Any) -> str | None:
    """As text, which both databases take for their kind of JSON. Several times as fast as
    json.dumps.
    """
    return (
        None if value is None else pydantic_core.to_json(value, inf_nan_mode="constants").decode()
    )


def _quoted(name: str) -> str:
    return f'"{name}"'
