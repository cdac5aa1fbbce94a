"""Conditions mean what PostgreSQL says: the oracle for everything between the examples."""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerting.domain.conditions import Type, arithmetic
from alerting.domain.conditions.compiler import compile_condition
from tests.support.builders import LONG, unhurried
from tests.support.conditions.texts import (
    COLUMNS,
    FACTS,
    QUOTIENTS,
    SCOPE,
    Sql,
    quoted,
    truths,
    value,
)

CASTS = ", ".join(
    {
        Type.BIGINT: "CAST(%s AS bigint)",
        Type.NUMERIC: "CAST(%s AS numeric)",
        Type.TEXT: 'CAST(%s AS text) COLLATE "pg_c_utf8"',
        Type.BOOLEAN: "CAST(%s AS boolean)",
    }[kind]
    for kind in COLUMNS.values()
)


@pytest.fixture(scope="module")
def postgresql(new_database: Callable[[], str]) -> Iterator[psycopg.Connection]:
    address = new_database().replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(address, autocommit=True) as connection:
        yield connection


def asked(
    postgresql: psycopg.Connection, sql: str, rows: list[dict[str, Any]]
) -> list[bool | None]:
    """PostgreSQL's answers for each of the rows."""
    numbered = ", ".join([f"({number}, {CASTS})" for number in range(len(rows))])
    query = (
        f"SELECT ({sql.replace('%', '%%')}) FROM (VALUES {numbered}) AS facts(row, "
        f"{', '.join(COLUMNS)}) ORDER BY row"
    )
    return [
        row[0] for row in postgresql.execute(query, [row[name] for row in rows for name in COLUMNS])
    ]


def oracle(
    postgresql: psycopg.Connection, sql: Sql, facts: dict[str, Any], seen: Counter[str]
) -> list[bool | None]:
    """One row's answer in a list, or none where PostgreSQL raises whatever one does, for too large
    a number.
    """
    for kind, text in (("plain", sql.text), ("guarded", sql.guarded)):
        try:
            answer = asked(postgresql, text, [facts])
        except psycopg.errors.DataError:
            continue
        seen[kind] += 1
        return answer
    seen["out of range"] += 1
    return []


@pytest.mark.parametrize(
    "text",
    ["ΟΔΟΣ", "İstanbul", "ISPARTA", "Straße", "ſtark", "ÄÖÜ", "ﬁn", "K\u212a", "a\nb", "\\%_"],
)
def test_letters_change_their_case_one_by_one(postgresql: psycopg.Connection, text: str) -> None:
    facts = {**dict.fromkeys(COLUMNS), "s": text}
    for other in (text, text.lower(), text.upper(), text.swapcase()):
        for form in (
            "LOWER(s) = {}",
            "UPPER(s) = {}",
            "LOWER(s) < {}",
            "s ILIKE {}",
            "s LIKE {}",
            "LENGTH(UPPER(s)) = LENGTH({})",
        ):
            sql = form.format(quoted(other))
            assert [value(sql, **facts)] == asked(postgresql, sql, [facts]), sql


def test_every_condition_means_what_postgresql_says(postgresql: psycopg.Connection) -> None:
    """Where PostgreSQL divides by zero, ours is NULL at that operator. Where a number is out of
    range, nobody knows.

    Literals are `integer` to PostgreSQL and `bigint` to us, which shows only in sums beyond 2 ** 31
    of literals alone.
    """
    seen: Counter[str] = Counter()
    six = st.lists(FACTS, min_size=6, max_size=6)

    def compare(sql: Sql, rows: list[dict[str, Any]]) -> None:
        try:
            theirs = [[answer] for answer in asked(postgresql, sql.text, rows)]
            seen["plain"] += len(rows)
        except (psycopg.ProgrammingError, psycopg.errors.InvalidTextRepresentation):
            seen["refused by PostgreSQL"] += (
                1  # without parentheses, `a = '' IS NULL` asks whether a is ''
            )
            return
        except psycopg.errors.DataError:
            theirs = [oracle(postgresql, sql, facts, seen) for facts in rows]
        condition = compile_condition(sql.text, SCOPE)
        ours = [
            [condition(facts)] if answer else [] for facts, answer in zip(rows, theirs, strict=True)
        ]
        assert ours == theirs

    @settings(unhurried, max_examples=280 * LONG)
    @given(sql=truths(3), rows=six)
    @example(
        sql=Sql("a = b IS NULL", "a = b IS NULL"), rows=[{**dict.fromkeys(COLUMNS), "a": False}]
    )
    def means_the_same(sql: Sql, rows: list[dict[str, Any]]) -> None:
        compare(sql, rows)

    @settings(unhurried, max_examples=70 * LONG)
    @given(
        sql=QUOTIENTS, rows=six
    )  # a run of its own: `one_of` takes one branch of fifty so seldom that a run may miss it
    def divides_the_same(sql: Sql, rows: list[dict[str, Any]]) -> None:
        compare(sql, rows)

    means_the_same()
    divides_the_same()
    print(f"pairs: {seen['plain'] + seen['guarded']} compared, no difference; {dict(seen)}")
    assert seen["plain"] > 1_000 * LONG, seen
    assert seen["guarded"] > 5, seen
    assert seen["out of range"] + 6 * seen["refused by PostgreSQL"] < seen["plain"] / 3, seen


OPERATIONS = {
    "+": arithmetic.ADD,
    "-": arithmetic.SUBTRACT,
    "*": arithmetic.MULTIPLY,
    "/": arithmetic.DIVIDE,
    "%": arithmetic.REMAINDER,
}


DECIMALS = st.one_of(
    st.decimals(-(10**6), 10**6, places=4),
    st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent),
        st.integers(-99999, 99999),
        st.integers(-40, 40),
    ),
)


def test_fractions_have_postgresqls_digits_even_after_a_division(
    postgresql: psycopg.Connection,
) -> None:
    @settings(unhurried, max_examples=60)
    @given(pairs=st.lists(st.tuples(DECIMALS, DECIMALS), min_size=20, max_size=20))
    @example(
        pairs=[
            (Decimal(1), Decimal(3)),
            (Decimal(10), Decimal(3)),
            (Decimal(10000), Decimal(3)),
            (Decimal(0), Decimal(7)),
        ]
    )
    def same_digits(pairs: list[tuple[Decimal, Decimal]]) -> None:
        pairs = [(a, b) for a, b in pairs if b]
        for operator, operation in OPERATIONS.items():
            sign, columns = (
                operator.replace("%", "%%"),
                "unnest(%s::text[]::numeric[], %s::text[]::numeric[])",
            )
            query = f"SELECT (a {sign} b)::text FROM {columns} AS pairs(a, b)"
            answers = postgresql.execute(
                query, [[f"{a:f}" for a, _ in pairs], [f"{b:f}" for _, b in pairs]]
            )
            theirs = [Decimal(row[0]) for row in answers]
            assert [operation.numeric(a, b) for a, b in pairs] == theirs, operator

    same_digits()
