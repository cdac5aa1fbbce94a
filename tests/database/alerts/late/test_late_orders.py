"""The same facts in any order of arrival end in the same alerts."""

import os
import random
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from alerting.database.tables import alert
from alerting.database.tables import event as EVENT
from tests.support.intake.late_facts import by_revenue
from tests.support.world import BEGIN, World, make_world

RULES = """rules:
  - id: second-thoughts
    title: A valuable customer is less happy than last time
    on: survey.answered
    when:
      is worth much: "customer.segment IN ('key', 'high_potential')"
      fell: "score_change <= -3 OR last_sentiment = 'negative'"
      no contact: "days_since_contact IS NULL OR days_since_contact >= 1"
    severity: normal
    caller: account_owner
    policy: call_in_3d
"""


ORDERS = 10 * int(os.environ.get("ALERTING_TEST_LONG", "1"))
"""Orders of arrival that are tried; `make test-long` tries 300."""


def test_the_same_facts_in_any_order_end_in_the_same_alerts(tmp_path: Path) -> None:
    """Forty events and customer facts, in batches of any size; each order with customers of its
    own, for they share none.
    """
    seed = int(os.environ.get("ALERTING_TEST_SEED", "0")) or random.randrange(10**6)
    print(f"seed {seed}, {ORDERS} orders")  # shown where it fails: ALERTING_TEST_SEED repeats it
    made, lots = make_world(tmp_path), random.Random(seed)
    by_revenue(made, **{"rules/escalations/second.yaml": RULES})
    facts = story(lots)
    for nth in range(ORDERS):
        order = facts if nth == 0 else lots.sample(facts, len(facts))
        mine = [_renamed(event, nth) for event in order]
        while mine:
            size = lots.randint(1, 5)
            made.take(*mine[:size])
            mine = mine[size:]
    outcomes = _alerts_by_order(made)
    made.app.close()
    assert len(outcomes) == ORDERS
    assert all(outcome == outcomes[0] for outcome in outcomes.values())


def _renamed(event: Mapping[str, Any], nth: int) -> Mapping[str, Any]:
    customer = f"{event['data']['customer_id']}.{nth}"
    return {**event, "source": f"/order/{nth}", "data": {**event["data"], "customer_id": customer}}


def _alerts_by_order(world: World) -> dict[int, set[tuple[str, str, str, str]]]:
    """The alerts as they stand, with the facts that made them true, by number of the order."""
    stored = {row.seq: row for row in world.rows(select(EVENT.c.seq, EVENT.c.source, EVENT.c.id))}
    found: dict[int, set[tuple[str, str, str, str]]] = defaultdict(set)
    for row in world.rows(
        select(alert).where(alert.c.superseded_at.is_(None), alert.c.state != "withdrawn")
    ):
        event = stored[row.event_seq]
        found[int(event.source.rsplit("/", 1)[1])].add(
            (event.id, row.rule, row.segment, str(row.because))
        )
    return found


def story(lots: random.Random) -> list[Mapping[str, Any]]:
    """Three customers over six days: answers, calls, what becomes known of them, and
    corrections.
    """
    found: list[Mapping[str, Any]] = [
        _envelope("survey.answered", "e-bad", BEGIN - timedelta(hours=1), BAD)
    ]
    for nth in range(40):
        at = BEGIN - timedelta(minutes=lots.randint(1, 6 * 24 * 60))
        customer = lots.choice(["A", "B", "C"])
        kind = lots.choice(
            ["survey.answered", "interaction.recorded", "interaction.recorded", "customer.updated"]
        )
        data: dict[str, Any] = {"customer_id": customer}
        if kind == "survey.answered":
            data |= {"survey_id": "r", "metric": "nps", "score": lots.randint(0, 10)}
        elif kind == "interaction.recorded":
            solved = lots.choice(["unresolved"] * 4 + ["resolved"])
            data |= {"channel": "phone", "direction": "inbound", "outcome": solved}
        else:
            data |= {
                "revenue_with_us": lots.choice([900, 410_000, 2_000_000, None]),
                "owner": lots.choice(OWNERS),
            }
        found.append(_envelope(kind, f"e-{nth}", at, data))
    return sorted(found, key=lambda event: str(event["time"]))


BAD = {"customer_id": "A", "survey_id": "r", "metric": "nps", "score": 0}


OWNERS = ["owner_north", "lead_central", None]


def _envelope(kind: str, name: str, at: datetime, data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "specversion": "1.0",
        "type": kind,
        "source": "/s",
        "id": name,
        "time": at.isoformat(),
        "data": dict(data),
    }
