"""Parquet files, and that every kind of file is stored as it says."""

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.adapters.imports.customer_tables import read_table
from alerting.services.imports.import_customers import import_customers
from tests.support.builders import unhurried
from tests.support.imports.sheets import sheet, state
from tests.support.world import World

# Parquet


def parquet(path: Path, select: str) -> Path:
    duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_parquet_columns_keep_their_types(world: World) -> None:
    select = """SELECT 1001 AS customer_id, 'Acme' AS name, 1234.50::DECIMAL(12, 2) AS revenue_with_us,
        DATE '2026-05-31' AS renewal_date, 12::BIGINT AS employees, true AS "attributes.vip", 0.5 AS "attributes.share"
        UNION ALL SELECT 1002, NULL, NULL, NULL, NULL, NULL, NULL"""  # noqa: E501
    path = parquet(world.folder / "a [1].parquet", select)
    table = read_table(str(path))
    assert table.size == 2
    result = import_customers(world.app.ctx, table)
    assert (result.new, result.bad) == (2, [])
    assert state(world, "1001") == {
        "name": "Acme",
        "revenue_with_us": 1234.5,
        "renewal_date": "2026-05-31",
        "employees": 12,
        "attributes": {"vip": True, "share": 0.5},
    }
    assert import_customers(world.app.ctx, table).unchanged == 2


def test_a_parquet_row_is_named_by_its_number(small_world: World) -> None:
    path = parquet(
        small_world.folder / "a.parquet",
        "SELECT * FROM (VALUES ('A', 5), ('B', -1)) t(customer_id, Umsatz)",
    )
    ((row, reason),) = import_customers(small_world.app.ctx, read_table(str(path))).bad
    assert (row, "greater than or equal to 0" in reason) == (2, True)


# What goes in comes out


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), max_size=20
)


NAMES = TEXTS.map(lambda text: " ".join(text.split())).filter(
    lambda text: text not in {"", "?", "-", "–", "—"} and text[0] not in "#="
)


ACCOUNT = st.fixed_dictionaries(
    {"name": NAMES},
    optional={
        "revenue_with_us": st.one_of(
            st.integers(0, 10**12), st.floats(0, 10**9).map(lambda number: round(number, 2))
        ),
        "employees": st.integers(0, 10**6),
        "renewal_date": st.dates(date(1990, 1, 1), date(2099, 12, 31)),
        "city": NAMES.filter(
            lambda text: text.casefold() not in {"n/a", "n.a.", "na.", "k.a.", "k. a.", "tbd"}
        ),
    },
)


@pytest.mark.parametrize("kind", ["xlsx", "csv", "parquet"])
def test_what_a_file_says_is_what_is_stored(small_world: World, kind: str) -> None:
    fields = ["customer_id", "name", "revenue_with_us", "employees", "renewal_date", "city"]

    @settings(unhurried, max_examples=25)
    @given(accounts=st.lists(ACCOUNT, min_size=1, max_size=8))
    def stored(accounts: list[dict[str, Any]]) -> None:
        stored.count += 1  # type: ignore[attr-defined]
        rows = [
            [f"{kind}-{stored.count}-{n}", *(one.get(f) for f in fields[1:])]
            for n, one in enumerate(accounts)
        ]  # type: ignore[attr-defined]
        path = written(small_world.folder / f"x.{kind}", kind, fields, rows)
        result = import_customers(small_world.app.ctx, read_table(str(path)))
        assert (result.new, result.bad) == (len(accounts), [])
        for row in rows:
            expected = {
                name: plain(value)
                for name, value in zip(fields[1:], row[1:], strict=True)
                if value is not None
            }
            assert state(small_world, row[0]) == expected
        assert import_customers(small_world.app.ctx, read_table(str(path))).unchanged == len(
            accounts
        )

    stored.count = 0  # type: ignore[attr-defined]
    stored()


def plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return int(value) if isinstance(value, float) and value.is_integer() else value


def written(path: Path, kind: str, fields: list[str], rows: list[list[Any]]) -> Path:
    if kind == "xlsx":
        return sheet(path, [fields, *rows])
    if kind == "csv":
        lines = [fields, *([_csv(value) for value in row] for row in rows)]
        path.write_text(
            "".join(",".join(line) + "\n" for line in lines), encoding="utf-8", newline=""
        )
        return path
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE t (customer_id VARCHAR, name VARCHAR, revenue_with_us DOUBLE, employees "
            "BIGINT, "
            "renewal_date DATE, city VARCHAR)"
        )
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", rows)
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")
    return path


def _csv(value: Any) -> str:
    """Numbers as one writes them so that they have one reading."""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value)
