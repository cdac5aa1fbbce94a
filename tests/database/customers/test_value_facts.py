"""Value by purchases and health, in conditions and explanations."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.tables import membership, value_scale
from alerting.services.alerts.explain_event import explain
from alerting.services.alerts.explanation import Explanation
from alerting.services.alerts.review_due import review_due
from alerting.services.customers.value_customers import renew_scale
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.world import BEGIN, World

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
