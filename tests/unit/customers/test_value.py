"""Value by purchases (RFM, tenths, Pareto) and health: against counting by hand, and in
conditions.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from alerting.database.tables import membership, value_scale
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
from alerting.services.alerts.explain_event import Explanation, explain
from alerting.services.alerts.review_due import review_due
from alerting.services.customers.value_customers import pareto, renew_scale
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import problems_of, starter_files, unhurried
from tests.support.world import BEGIN, World

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


RULES = {
    "rules/health.yaml": """parts:
  satisfaction:
    weight: 3
    scores:
      - {score: 100, when: "last_sentiment = 'positive'"}
      - {score: 0, when: "last_sentiment = 'negative'"}
  calls:
    weight: 1
    scores:
      - {score: 20, when: "calls_in_vain > 1"}
      - {score: 100, when: "days_since_contact < 30"}
""",
    "rules/value.yaml": "within: 180d\n",
}
SEGMENTS = """segments:
  - {id: key, rank: 3, when: "rfm_group = 'champions' OR value_decile = 1"}
  - {id: high_potential, rank: 2, when: "COALESCE(revenue_with_us, 0) >= 250000"}
  - {id: low_potential, rank: 1, otherwise: true}
tags:
  unhealthy: "health < 50"
  half_known: "'calls' = ANY(health_missing)"
  negative_value: "purchased < 0"
"""


@pytest.fixture
def valued(world: World) -> World:
    files = {**starter_files(), **RULES, "rules/segments.yaml": SEGMENTS}
    files["rules/escalations/unhappy_customers.yaml"] = files[
        "rules/escalations/unhappy_customers.yaml"
    ].replace("\"customer.segment <> 'key'\"", "\"customer.rfm IS NULL OR customer.rfm <> '555'\"")
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="value")
    return world


def buy(
    world: World, customer: str, amount: float, days_ago: int = 1, **more: Any
) -> dict[str, Any]:
    time = (BEGIN - timedelta(days=days_ago)).isoformat()
    return world.envelope(
        "purchase.recorded", {"customer_id": customer, "amount": amount, **more}, time=time
    )


def standing(world: World, customer: str) -> tuple[str, list[str]]:
    (row,) = world.rows(
        select(membership).where(
            membership.c.customer_key == customer, membership.c.superseded_at.is_(None)
        )
    )
    return row.segment, row.tags


def test_purchases_make_a_key_account_and_returns_a_customer_of_negative_value(
    valued: World,
) -> None:
    valued.take(*(valued.customer(f"C-{n}") for n in range(6)))
    valued.take(
        *(buy(valued, f"C-{n}", 100 * n + 0.5, days_ago=10 - n) for n in range(5)),
        buy(valued, "C-5", -20),
    )
    valued.take(
        buy(valued, "C-4", 300, days_ago=2),
        buy(valued, "C-0", 9_000, days_ago=300),
        buy(valued, "C-1", 9_000, currency="USD"),
    )
    assert renew_scale(valued.app.ctx)
    review_due(valued.app.ctx)
    assert standing(valued, "C-4")[0] == "key"
    assert (
        standing(valued, "C-0")[0] == "low_potential"
    )  # what lies too far back, and other currencies, do not count
    assert standing(valued, "C-1")[0] == "low_potential"
    assert standing(valued, "C-5")[1] == ["half_known", "negative_value"]
    assert not renew_scale(valued.app.ctx)
    valued.pass_time(days=1)
    assert renew_scale(valued.app.ctx)
    assert len(valued.rows(select(value_scale))) == 2


def test_health_says_what_is_missing_and_is_as_it_was_before_the_event(valued: World) -> None:
    valued.take(valued.customer("C-1", owner="owner_north"))
    valued.take(valued.survey("C-1", score=1, id="first"))
    assert standing(valued, "C-1")[1] == ["half_known", "unhealthy"]
    valued.take(valued.survey("C-1", score=10, id="second"))
    assert standing(valued, "C-1")[1] == ["half_known"]
    found = {name: explain(valued.app.ctx, name) for name in ("first", "second")}
    assert all(isinstance(one, Explanation) for one in found.values())
    assert (found["first"].customer["health"], found["second"].customer["health"]) == (None, 0)


def test_explain_shows_what_the_customer_was_worth_then(valued: World) -> None:
    valued.take(
        valued.customer("C-1"), buy(valued, "C-1", 50), buy(valued, "C-1", 25.25, days_ago=3)
    )
    renew_scale(valued.app.ctx)
    valued.take(valued.survey("C-1", score=1, id="bad"))
    found = explain(valued.app.ctx, "bad")
    assert isinstance(found, Explanation)
    assert {name: found.customer["value"][name] for name in ("purchases", "purchased", "rfm")} == {
        "purchases": 2,
        "purchased": "75.25",
        "rfm": "511",
    }


def test_without_a_condition_that_reads_it_nothing_is_reckoned(world: World) -> None:
    world.take(world.customer("C-1"), buy(world, "C-1", 50))
    assert not renew_scale(world.app.ctx)
    assert world.rows(select(value_scale)) == []


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
