"""Dates, times, intervals, lists, ROUND, GREATEST and LEAST, and types by value: PostgreSQL is the
oracle here, too.
"""

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

from alerting.domain.conditions import Scope, Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.instants import Interval, read_interval
from alerting.domain.errors import ConditionRefused
from tests.support.builders import LONG, unhurried

COLUMNS = {
    "d": (Type.DATE, "date"),
    "e": (Type.DATE, "date"),
    "now": (Type.TIME, "timestamptz"),
    "v": (Type.TIME, "timestamptz"),
    "k": (Type.NUMBER, None),
    "p": (Type.NUMERIC, "numeric"),
    "s": (Type.TEXT, 'text COLLATE "pg_c_utf8"'),
    "tags": (Type.TEXTS, "text[]"),
}
LISTS = {"words": ("refund", "switch to", "AA"), "one": ("b",), "none": ()}
SCOPE = Scope(names={name: (name, kind) for name, (kind, _) in COLUMNS.items()}, lists=LISTS)


def value(sql: str, **facts: Any) -> bool | None:
    condition = compile_condition(sql, SCOPE)
    condition.variant(
        tuple(type(facts.get(key)) for key in condition.by_value)
    )  # raises what a call would hide
    return condition(facts)


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


@pytest.mark.parametrize(
    ("sql", "facts", "answer"),
    [
        ("k / 2 = 3", {"k": 7}, True),
        ("k / 2 = 3.5", {"k": Decimal("7.0")}, True),
        ("COALESCE(k, 0.5) / 2 = 3.5", {"k": 7}, True),  # beside a fraction, a whole number is one
        ("k > 'x'", {"k": 7}, None),
        ("d - e = 30", {"d": date(2026, 3, 31), "e": date(2026, 3, 1)}, True),
        (
            "now - INTERVAL '1 month' = '2026-02-28 08:00Z'",
            {"now": datetime(2026, 3, 31, 8, tzinfo=UTC)},
            True,
        ),
        ("now + INTERVAL '9000 years' > now", {"now": datetime(2026, 3, 31, 8, tzinfo=UTC)}, None),
        ("contains_any(s, lists.words)", {"s": "we will SWITCH\n to another"}, True),
        ("contains_any(s, lists.words)", {"s": "refunding"}, False),
        ("contains_any(s, lists.words)", {}, None),
        ("NULL = ANY(lists.none)", {}, False),
        ("NULL = ANY(lists.one)", {}, None),
        ("'x' = ANY(tags)", {"tags": ["y", None]}, None),
        ("'x' <> ALL(tags)", {"tags": ["y"]}, True),
        ("ROUND(p) = 3", {"p": Decimal("2.5")}, True),
        ("ROUND(p) = -3", {"p": Decimal("-2.5")}, True),
        ("ROUND(k, -1) = 20", {"k": 15}, True),
        ("GREATEST(k, NULL, 3) = 7", {"k": 7}, True),
        ("LEAST(NULL, k) IS NULL", {}, True),
        ("CASE k WHEN 7 THEN 'seven' ELSE s END = 'seven'", {"k": 7}, True),
        ("DATE '2026-03-06' = TIMESTAMPTZ '2026-03-06 00:00Z'", {}, True),
    ],
)
def test_what_is_known_comes_out_as_expected(
    sql: str, facts: dict[str, Any], answer: bool | None
) -> None:
    try:
        assert value(sql, **facts) is answer
    except ConditionRefused:
        assert answer is None


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("d < 'tomorrow'", "'tomorrow' is no date"),
        ("now < '2026-02-30'", "is no time"),
        ("now - INTERVAL '7 dayz' < v", "is no interval"),
        ("now - INTERVAL 7 DAY < v", "with its unit in quotes"),
        ("now - INTERVAL '1 day 04:30' < v", "with its unit in quotes"),
        ("now - INTERVAL '1.5 months' < v", "a month has no fractions"),
        ("now + v > now", "cannot calculate with a time and a time"),
        ("now - 7 < v", "cannot calculate with a time and a whole number"),
        ("d > 5", "compares a date with a whole number"),
        ("now::text = 'x'", "is not part of the condition language"),
        ("s::date = d", "is not part of the condition language"),
        ("EXTRACT(day FROM now) = 1", "is not part of the condition language"),
        ("tags = 'x'", "compares a list of texts with a text"),
        ("tags = tags", "needs single values, not lists"),
        ("k = ANY(tags)", "ANY looks for a text"),
        ("s = ANY(s)", "a list is needed here, not a text"),
        ("s = ANY(lists.wrds)", "no list is called 'lists.wrds'"),
        ("lists.words = s", "a list stands in = ANY(...)"),
        ("contains_any(s)", "takes a text and a list"),
        ("contains_any(k, lists.words)", "searches a text"),
        ("contains_any(s, 'refund')", "words of a declared list"),
        ("ROUND(k, k) = 1", "how many digits"),
        ("ROUND(s) = 1", "needs a number"),
        ("GREATEST(k, s) = 1", "mixes a whole number and a text"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(sql: str, words: str) -> None:
    with pytest.raises(
        ConditionRefused, match=words.replace("(", r"\(").replace(")", r"\)").replace(".", r"\.")
    ):
        compile_condition(sql, SCOPE)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("7 days", Interval(days=7)),
        ("2 mons", Interval(months=2)),
        ("-1 week", Interval(days=-7)),
        ("+3 yrs", Interval(months=36)),
        ("0.5 hours", Interval(microseconds=1_800_000_000)),
    ],
)
def test_intervals_are_read_as_postgresql_writes_them(text: str, interval: Interval) -> None:
    assert read_interval(text) == interval


def test_what_a_condition_requires_of_single_facts_is_found_for_the_index() -> None:
    names = {name: (f"customer.{name}", Type.TEXT) for name in ("region", "segment", "comment")} | {
        "score": ("event.score", Type.NUMBER),
        "contact_me": ("event.contact_me", Type.BOOLEAN),
    }

    def requires(sql: str) -> list[tuple[str, set[str] | None]]:
        found = compile_condition(sql, Scope(names=names)).requirements
        return [(one.field, None if one.texts is None else set(one.texts)) for one in found]

    assert requires("region = 'NW' AND score < 3") == [
        ("customer.region", {"NW"}),
        ("event.score", None),
    ]
    assert requires("('a' = segment) AND region IN ('x', 'y')") == [
        ("customer.segment", {"a"}),
        ("customer.region", {"x", "y"}),
    ]
    for not_one_of_some_texts in (
        "region <> 'x'",
        "NOT region = 'x'",
        "region NOT IN ('x')",
        "region IN ('x', NULL)",
    ):
        assert requires(not_one_of_some_texts) == [("customer.region", None)]
    assert requires("NOT contact_me AND score IN (1, 2)") == [
        ("event.contact_me", None),
        ("event.score", None),
    ]
    for nothing in (
        "region = 'NW' OR score < 3",  # reads two facts
        "score / 2 = 1",  # 3 and 3.0 differ
        "comment LIKE '%late%'",  # would never be met again
    ):
        assert requires(nothing) == []
