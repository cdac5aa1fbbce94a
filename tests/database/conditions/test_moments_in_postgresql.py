"""Dates, times, intervals, lists and types by value: PostgreSQL is the oracle here, too."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from alerting.domain.conditions.compiler import compile_condition
from tests.support.builders import LONG, unhurried
from tests.support.conditions.moments import COLUMNS, LISTS, SCOPE


def many(form: str, *parts: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.builds(lambda *texts: form.format(*texts), *parts)


INTERVALS = st.sampled_from(
    ["1 day", "7 days", "1 month", "-3 months", "2 years", "36 hours", "90 minutes", "1.5 days"]
).map(lambda text: f"INTERVAL '{text}'")


DATE_LITERALS = st.sampled_from(["2026-01-31", "2024-02-29", "2026-12-24"])


TIME_LITERALS = st.sampled_from(
    ["2026-03-06 08:30Z", "2024-02-29 23:59:59Z", "2026-10-25T01:30:00+02:00", "2026-03-06"]
)


SMALL = st.integers(-40, 400).map(lambda n: f"{n}" if n >= 0 else f"({n})")


@cache
def dates(depth: int) -> SearchStrategy[str]:
    leaves = st.one_of(
        st.sampled_from(["d", "e", "d"]), DATE_LITERALS.map(lambda text: f"DATE '{text}'")
    )
    if not depth:
        return leaves
    return st.one_of(
        leaves,
        many("({} + {})", dates(depth - 1), SMALL),
        many("({} - {})", dates(depth - 1), SMALL),
        many("({})::date", times(depth - 1)),
        many("COALESCE({}, {})", dates(depth - 1), dates(depth - 1)),
        many("GREATEST({}, {})", dates(depth - 1), dates(depth - 1)),
    )


@cache
def times(depth: int) -> SearchStrategy[str]:
    leaves = st.one_of(
        st.sampled_from(["now", "v"]), TIME_LITERALS.map(lambda text: f"TIMESTAMPTZ '{text}'")
    )
    if not depth:
        return leaves
    return st.one_of(
        leaves,
        many("({} + {})", times(depth - 1), intervals(depth - 1)),
        many("({} - {})", times(depth - 1), intervals(depth - 1)),
        many("LEAST({}, {}, {})", times(depth - 1), times(0), times(0)),
        many("COALESCE({}, {})", times(depth - 1), dates(depth - 1)),
    )


@cache
def intervals(depth: int) -> SearchStrategy[str]:
    if not depth:
        return INTERVALS
    return st.one_of(
        INTERVALS,
        many("({} - {})", times(depth - 1), times(depth - 1)),
        many("({} + {})", intervals(depth - 1), intervals(depth - 1)),
        many("(- {})", intervals(depth - 1)),
    )


@cache
def numbers(depth: int) -> SearchStrategy[str]:
    leaves = st.sampled_from(["k", "k", "p", "3", "2.5", "0", "7"])
    if not depth:
        return leaves
    inner = numbers(depth - 1)
    return st.one_of(
        leaves,
        many("({} - {})", dates(depth - 1), dates(depth - 1)),
        st.builds(lambda a, op, b: f"({a} {op} {b})", inner, st.sampled_from("+-*"), inner),
        many("({} / «{}»)", inner, inner),
        st.builds(lambda a, digits: f"ROUND({a} * 1.0, {digits})", inner, st.integers(-2, 3)),
        many("GREATEST({}, {}, NULL)", inner, inner),
        many("LEAST({}, {})", inner, inner),
        many("COALESCE({}, {})", inner, inner),
        many("CASE {} WHEN {} THEN {} ELSE {} END", inner, leaves, inner, inner),
    )


COMPARISON = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])


def compared(kind: SearchStrategy[str]) -> SearchStrategy[str]:
    return st.builds(lambda a, op, b: f"{a} {op} {b}", kind, COMPARISON, kind)


@cache
def truths(depth: int) -> SearchStrategy[str]:
    texts = st.sampled_from(["s", "'AA'", "'b'", "NULL", "LOWER(s)"])
    leaves = st.one_of(
        compared(dates(depth)),
        compared(times(depth)),
        compared(intervals(depth)),
        compared(numbers(depth)),
        st.builds(lambda a, op, b: f"{a} {op} {b}", dates(depth), COMPARISON, times(depth)),
        st.builds(lambda a, op, b: f"{a} {op} '{b}'", dates(depth), COMPARISON, DATE_LITERALS),
        st.builds(lambda a, b: f"now BETWEEN {a} AND '{b}'", times(depth), TIME_LITERALS),
        st.builds(
            lambda a, b, c: f"{a} IN ({b}, '2026-01-31', {c})", dates(depth), dates(0), dates(0)
        ),
        many("{} = ANY(tags)", texts),
        many("{} <> ALL(tags)", texts),
        st.builds(lambda a, name: f"{a} = ANY(lists.{name})", texts, st.sampled_from(list(LISTS))),
        st.sampled_from(
            [f"contains_any({a}, lists.{name})" for a in ("s", "UPPER(s)") for name in LISTS]
        ),
        many("{} IS NULL", st.one_of(dates(depth), times(depth), intervals(depth), numbers(depth))),
    )
    if not depth:
        return leaves
    inner = truths(depth - 1)
    return st.one_of(
        leaves,
        leaves,
        many("NOT ({})", inner),
        many("({}) AND ({})", inner, inner),
        many("({}) OR ({})", inner, inner),
    )


MOMENTS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            datetime(2026, 3, 6, 8, 30, tzinfo=UTC),
            datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC),
        ]
    ),
    st.datetimes(datetime(2023, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001,
)


DAYS = st.one_of(
    st.none(), st.dates(date(2023, 1, 1), date(2028, 1, 1)), st.sampled_from([date(2026, 1, 31)])
)


WORDS = st.sampled_from(
    ["AA", "aa", "b", "refund", "refunded", "We switch  to you", "a-b-c", "", "ß refund.", "xAA"]
)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Four rows whose `k` are all whole numbers or all fractions: the value decides the type, as in
    JSON.
    """
    number = st.integers(-9, 99) if draw(st.booleans()) else st.decimals(-99, 99, places=2)
    whole = draw(st.sampled_from([number, st.one_of(number)]))
    row = st.fixed_dictionaries(
        {
            "d": DAYS,
            "e": DAYS,
            "now": MOMENTS,
            "v": MOMENTS,
            "k": whole,
            "p": st.one_of(st.none(), st.decimals(-99, 99, places=2)),
            "s": st.one_of(st.none(), WORDS),
            "tags": st.one_of(st.none(), st.lists(st.one_of(st.none(), WORDS), max_size=3)),
        }
    )
    found = draw(st.lists(row, min_size=4, max_size=4))
    if draw(st.booleans()) and isinstance(found[0]["k"], int):
        found[0]["k"] = None  # a number that is missing counts as a whole one
    return found


@pytest.fixture(scope="module")
def postgresql(new_database: Callable[[], str]) -> Iterator[psycopg.Connection]:
    address = new_database().replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        connection.execute(
            r"""CREATE FUNCTION contains_any(given text, words text[]) RETURNS boolean IMMUTABLE STRICT LANGUAGE sql AS
            $$ SELECT EXISTS (SELECT FROM unnest(words) AS word
                              WHERE given ~* ('\m' || regexp_replace(word, '\s+', '\\s+', 'g') || '\M')) $$"""  # noqa: E501
        )
        yield connection


def asked(
    postgresql: psycopg.Connection, sql: str, given: list[dict[str, Any]]
) -> list[bool | None]:
    by_value = "numeric" if any(isinstance(row["k"], Decimal) for row in given) else "bigint"
    casts = ", ".join(
        f"CAST(%s AS {(kind or by_value).split(' ')[0]}) {' '.join((kind or '').split(' ')[1:])}"
        for _, kind in COLUMNS.values()
    )
    numbered = ", ".join(f"({number}, {casts})" for number in range(len(given)))
    arrays = ", ".join(
        f"ARRAY[{', '.join(repr(word) for word in words)}]::text[] AS {name}"
        for name, words in LISTS.items()
    )
    query = (
        f"SELECT ({sql.replace('%', '%%')}) FROM (VALUES {numbered}) AS facts(row, "
        f"{', '.join(COLUMNS)}), "
        f"(SELECT {arrays}) AS lists ORDER BY row"
    )
    return [
        row[0]
        for row in postgresql.execute(query, [row[name] for row in given for name in COLUMNS])
    ]


def test_moments_lists_and_numbers_mean_what_postgresql_says(
    postgresql: psycopg.Connection,
) -> None:
    seen: Counter[str] = Counter()

    @settings(unhurried, max_examples=400 * LONG)
    @given(sql=truths(2), given=rows())
    def means_the_same(sql: str, given: list[dict[str, Any]]) -> None:
        """`a / «b»`: ours is NULL where b is 0, theirs is asked to be."""
        ours_sql = sql.replace("«", "(").replace("»", ")")
        sql = sql.replace("«", "NULLIF(").replace("»", ", 0)")
        try:
            theirs = asked(postgresql, sql, given)
        except (psycopg.errors.DataError, psycopg.ProgrammingError):
            seen["raised or refused by PostgreSQL"] += 1
            return
        condition = compile_condition(ours_sql, SCOPE)
        assert [condition(facts) for facts in given] == theirs
        seen["compared"] += len(given)

    means_the_same()
    print(f"pairs: {seen['compared']} compared, no difference; {dict(seen)}")
    assert seen["compared"] > 1_200 * LONG, seen
