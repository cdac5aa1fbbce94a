"""What a customer's contract promises."""

import json
from datetime import timedelta

from sqlalchemy import select

from alerting.database.tables import audit_entry, dead_letter
from tests.support.world import BEGIN, World


def test_a_contract_overrides_the_rules_target_and_nothing_else(world: World) -> None:
    world.known_customers()
    world.take(
        world.customer("ACME-AERO", contract={"contact": "2h", "resolve": "3d", "number": "V-17"})
    )
    world.take(world.survey("ACME-AERO"))
    clocks = world.clocks("ACME-AERO")
    lengths = {kind: clock.due_at - clock.started_at for kind, clock in clocks.items()}
    assert lengths == {
        "acknowledge": timedelta(hours=4),
        "contact": timedelta(hours=2),
        "resolve": timedelta(days=3),
    }
    assert {clock.policy for clock in clocks.values()} == {"call_in_24h"}
    (entry,) = [
        json.loads(row.body)
        for row in world.rows(select(audit_entry))
        if row.action == "alert.raised"
    ]
    assert entry["facts"]["contract"] == {"contact": "2h", "resolve": "72h"}
    world.pass_time(hours=2, minutes=1)
    world.tick()
    assert world.clocks("ACME-AERO")["contact"].missed_at is not None
    assert world.clocks("ACME-AERO")["acknowledge"].missed_at is None


def test_the_contract_of_the_time_of_the_answer_counts(world: World) -> None:
    world.known_customers()
    world.take(
        world.customer(
            "ACME-AERO", contract={"contact": "2h"}, time=(BEGIN - timedelta(minutes=5)).isoformat()
        )
    )
    world.take(world.survey("ACME-AERO", time=(BEGIN - timedelta(minutes=10)).isoformat()))
    clock = world.clocks("ACME-AERO")["contact"]
    assert clock.due_at - clock.started_at == timedelta(hours=24)


def test_a_contract_nobody_can_read_is_refused_with_its_field(small_world: World) -> None:
    small_world.take(small_world.customer("ACME-AERO", contract={"contact": "soon"}))
    (letter,) = small_world.rows(select(dead_letter))
    assert (letter.field, letter.detail) == (
        "data.contract",
        "contact: 'soon' is not a target; write 8h, 2d or 3 working days",
    )
