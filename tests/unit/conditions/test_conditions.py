"""Conditions: three-valued logic, numbers and names."""

from decimal import Decimal
from typing import Any

import pytest

from alerting.domain.conditions import Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.vocabulary import EVENT_FIELDS
from tests.support.conditions.texts import SURVEY, VOCABULARY, value


@pytest.mark.parametrize(
    ("a", "b", "both", "either"),
    [
        (True, True, True, True),
        (True, False, False, True),
        (True, None, None, True),
        (False, True, False, True),
        (False, False, False, False),
        (False, None, False, None),
        (None, True, None, True),
        (None, False, False, None),
        (None, None, None, None),
    ],
)
def test_and_and_or_know_three_values(
    a: bool | None, b: bool | None, both: bool | None, either: bool | None
) -> None:
    assert value("a AND b", a=a, b=b) is both
    assert value("a OR b", a=a, b=b) is either


@pytest.mark.parametrize(("a", "opposite"), [(True, False), (False, True), (None, None)])
def test_not_unknown_is_unknown(a: bool | None, opposite: bool | None) -> None:
    assert value("NOT a", a=a) is opposite


@pytest.mark.parametrize(
    ("sql", "facts", "answer"),
    [
        ("n = 1", {}, None),  # what is missing is unknown, and unknown never fires
        ("n = NULL", {"n": 1}, None),
        ("n <> 1", {}, None),
        ("n IN (1, 2)", {"n": 2}, True),
        ("n IN (1, NULL)", {"n": 2}, None),
        ("n IN (1, NULL)", {"n": 1}, True),
        ("n NOT IN (1, NULL)", {"n": 2}, None),
        ("n NOT IN (1, 3)", {"n": 2}, True),
        ("n BETWEEN 1 AND m", {"n": 0}, False),  # false already by the bound that is known
        ("n BETWEEN 1 AND m", {"n": 2}, None),
        ("n NOT BETWEEN 1 AND 3", {"n": 5}, True),
        ("n IS NULL", {}, True),
        ("n IS NULL", {"n": 1}, False),
        ("n IS NOT NULL", {}, False),
        ("n IS NOT NULL", {"n": 1}, True),
        ("a IS TRUE", {}, False),
        ("a IS NOT TRUE", {}, True),
        ("a IS FALSE", {"a": False}, True),
        ("a IS NOT FALSE", {}, True),
        ("a IS UNKNOWN", {}, True),
        ("s LIKE '%x%'", {}, None),
        ("s LIKE '%x%'", {"s": "axb"}, True),
        ("s NOT LIKE '%x%'", {"s": "axb"}, False),
        ("s NOT LIKE '%x%'", {"s": "ab"}, True),
        ("s NOT LIKE '%x%'", {}, None),
        ("s NOT ILIKE 'AB'", {"s": "ab"}, False),
        ("COALESCE(s, 'none') <> 'resolved'", {}, True),
        ("CASE WHEN a THEN n END = 1", {"a": None, "n": 1}, None),
        ("CASE WHEN a THEN 1 ELSE 2 END = 2", {"a": None}, True),
    ],
)
def test_a_missing_value_is_unknown_until_something_decides(
    sql: str, facts: dict[str, Any], answer: bool | None
) -> None:
    assert value(sql, **facts) is answer


@pytest.mark.parametrize(
    ("sql", "facts", "answer"),
    [
        ("7 / 2 = 3", {}, True),
        ("-7 / 2 = -3", {}, True),
        ("-7 % 3 = -1", {}, True),
        (
            "p / 2 = 3.5",
            {"p": 7},
            True,
        ),  # a fraction's field holding a whole number is still a fraction's field
        ("p / 2 = 3.5", {"p": Decimal("7.0")}, True),
        ("n / 2 = 3", {"n": 7}, True),
        ("1 / n = 1", {"n": 0}, None),
        ("1 % n = 1", {"n": 0}, None),
        ("p / q > 0", {"p": Decimal(1), "q": Decimal(0)}, None),
        (
            "1 / n = 1 OR m = 1",
            {"n": 0, "m": 1},
            True,
        ),  # an operator that fails is unknown, and evaluation goes on
        ("n + 1 > 0", {"n": 2**63 - 1}, None),
        ("n * n > 0", {"n": 2**62}, None),
        ("- n > 0", {"n": -(2**63)}, None),
        ("ABS(n) > 0", {"n": -(2**63)}, None),
        (
            "p + 1 = 9223372036854775808",
            {"p": 2**63 - 1},
            True,
        ),  # numeric has room where bigint has none
        ("p + 0.000000000000000000000000000001 > p", {"p": Decimal("12345678901234567890")}, True),
        ("0.1 + 0.2 = 0.3", {}, True),
        ("1e3 = n", {"n": 1000}, True),
    ],
)
def test_numbers_are_postgresqls(sql: str, facts: dict[str, Any], answer: bool | None) -> None:
    assert value(sql, **facts) is answer


def test_names_may_have_dots_and_those_of_an_event_come_before_signals() -> None:
    condition = compile_condition(
        "customer.name = 'ACME' AND calls_in_vain >= 3 AND event.score < 7", SURVEY
    )
    assert condition.reads == ("customer.name", "signal.calls_in_vain", "event.score")
    assert condition({"customer.name": "ACME", "signal.calls_in_vain": 3, "event.score": 2}) is True


@pytest.mark.parametrize("event_type", sorted(EVENT_FIELDS))
def test_every_field_can_be_asked_for_even_where_sql_has_a_word_of_that_name(
    event_type: str,
) -> None:
    scope = VOCABULARY.for_rules(event_type)
    for name, (_, kind) in scope.names.items():
        if kind is Type.TEXTS:
            continue
        assert (
            compile_condition(
                f"{name} IS NULL AND NOT {name} = {name} OR {name} IN ({name})", scope
            )({})
            is None
        )


def test_segments_read_customers_by_bare_name() -> None:
    scope = VOCABULARY.for_segments()
    condition = compile_condition(
        "revenue_with_us >= 250000 AND country = 'DE' AND calls_in_vain = 0", scope
    )
    assert condition.reads == (
        "customer.revenue_with_us",
        "customer.country",
        "signal.calls_in_vain",
    )
