"""Value by purchases (RFM, tenths, Pareto) and health: against counting by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.customers.health import Health
from alerting.domain.customers.value import (
    DAYS_SINCE,
    GROUPS,
    PURCHASED,
    PURCHASES,
    Bought,
    Scales,
    group_of,
    scale_of,
    value_facts,
)
from alerting.services.customers.value_customers import pareto
from tests.support.builders import problems_of, starter_files, unhurried

NOW = datetime(2026, 3, 6, tzinfo=UTC)


bought = st.builds(
    Bought,
    days_since=st.integers(0, 400),
    purchases=st.integers(1, 30),
    purchased=st.decimals(-100, 5_000, places=2),
)


def facts_of(one: Bought, everybody: list[Bought]) -> dict[str, Any]:
    signals = {PURCHASES: one.purchases, PURCHASED: one.purchased, DAYS_SINCE: one.days_since}
    found = value_facts(signals, scale_of(everybody, NOW))
    return {name.removeprefix("customer."): value for name, value in found.items()}


@unhurried
@given(everybody=st.lists(bought, min_size=1, max_size=60))
def test_a_fifth_is_how_many_fifths_of_all_buyers_lie_below(everybody: list[Bought]) -> None:
    """By hand: the fifth of a value is the first k of which at least k fifths of all buyers lie at
    or below it.
    """
    for one in everybody[:10]:
        found = facts_of(one, everybody)
        for name, mine, all_of_them in (
            ("rfm_frequency", one.purchases, [b.purchases for b in everybody]),
            ("rfm_monetary", one.purchased, [b.purchased for b in everybody]),
        ):
            below = sum(value < mine for value in all_of_them)
            assert found[name] == next(
                k for k in range(1, 6) if below < -(-k * len(everybody) // 5)
            )
        sooner = sum(b.days_since < one.days_since for b in everybody)
        assert found["rfm_recency"] == 6 - next(
            k for k in range(1, 6) if sooner < -(-k * len(everybody) // 5)
        )
        poorer = sum(b.purchased < one.purchased for b in everybody)
        assert found["value_decile"] == 11 - next(
            k for k in range(1, 11) if poorer < -(-k * len(everybody) // 10)
        )
        assert (
            found["rfm"] == f"{found['rfm_recency']}{found['rfm_frequency']}{found['rfm_monetary']}"
        )
        assert found["rfm_group"] in GROUPS


@unhurried
@given(everybody=st.lists(bought, min_size=2, max_size=60), data=st.data())
def test_who_buys_more_is_never_in_a_lower_fifth(
    everybody: list[Bought], data: st.DataObject
) -> None:
    a, b = (data.draw(st.sampled_from(everybody)) for _ in range(2))
    more, less = sorted((a, b), key=lambda one: one.purchased, reverse=True)
    assert facts_of(more, everybody)["rfm_monetary"] >= facts_of(less, everybody)["rfm_monetary"]
    assert facts_of(more, everybody)["value_decile"] <= facts_of(less, everybody)["value_decile"]


@pytest.mark.parametrize(
    ("fifths", "name"),
    [
        ((5, 5, 5), "champions"),
        ((5, 1, 5), "new"),
        ((3, 4, 1), "loyal"),
        ((4, 2, 5), "big_spenders"),
        ((3, 2, 2), "promising"),
        ((1, 5, 1), "slipping"),
        ((2, 1, 1), "hibernating"),
        ((1, 1, 1), "lost"),
    ],
)
def test_groups_have_the_names_salespeople_use(fifths: tuple[int, int, int], name: str) -> None:
    assert group_of(*fifths) == name


def test_a_scale_counts_from_its_own_time_on_and_the_first_also_before() -> None:
    first, second = (scale_of([], NOW + timedelta(days=n)) for n in (0, 5))
    scales = Scales(every=(first, second))
    moments = {-3: first, 0: first, 4: first, 5: second, 9: second}
    assert all(scales.at(NOW + timedelta(days=n)) is scale for n, scale in moments.items())
    assert Scales().at(NOW) is None


def test_four_fifths_of_the_money_come_from_a_fifth_of_the_buyers() -> None:
    shares = pareto([Decimal(400), Decimal(400), *[Decimal(25)] * 8])
    assert [(share.buyers, round(share.of_purchases, 3)) for share in shares[:3]] == [
        (1, 0.4),
        (2, 0.8),
        (3, 0.825),
    ]
    assert shares[-1].of_purchases == 1.0
    assert pareto([]) == pareto([Decimal(0)]) == []


@unhurried
@given(
    parts=st.dictionaries(
        st.sampled_from("abcd"), st.tuples(st.integers(1, 9), st.none() | st.integers(0, 100))
    )
)
def test_health_is_the_weighted_mean_of_the_parts_there_are(
    parts: dict[str, tuple[int, int | None]],
) -> None:
    found = Health(
        parts={n: s for n, (_, s) in parts.items()}, weights={n: w for n, (w, _) in parts.items()}
    )
    known = [(w, s) for w, s in parts.values() if s is not None]
    assert found.missing == [n for n, (_, s) in parts.items() if s is None]
    if not known:
        assert found.score is None
    else:
        exact = Decimal(sum(w * s for w, s in known)) / sum(w for w, _ in known)
        assert found.score is not None and abs(found.score - exact) <= Decimal("0.5")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "rules/health.yaml",
            'parts: {a: {weight: 0, scores: [{score: 1, when: "TRUE"}]}}',
            "greater than or equal to 1",
        ),
        (
            "rules/health.yaml",
            'parts: {a: {weight: 1, scores: [{score: 101, when: "employees > 1"}]}}',
            "less than or equal to 100",
        ),
        (
            "rules/health.yaml",
            'parts: {a: {weight: 1, scores: [{score: 1, when: "revenu > 1"}]}}',
            "unknown",
        ),
        ("rules/value.yaml", "within: 365", "is not a duration"),
    ],
)
def test_mistakes_are_named(name: str, text: str, said: str) -> None:
    (problem,) = problems_of({**starter_files(), name: text})
    assert said in str(problem)
    assert problem.file == name and problem.line == 1
