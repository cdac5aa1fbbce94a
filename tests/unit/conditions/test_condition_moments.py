"""Dates, times, intervals, lists, ROUND, GREATEST and LEAST, and types by value."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from alerting.domain.conditions import Scope, Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.instants import Interval, read_interval
from alerting.domain.errors import ConditionRefused
from tests.support.conditions.moments import SCOPE


def value(sql: str, **facts: Any) -> bool | None:
    condition = compile_condition(sql, SCOPE)
    condition.variant(
        tuple(type(facts.get(key)) for key in condition.by_value)
    )  # raises what a call would hide
    return condition(facts)


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
