"""The segment of a plant and that of its group."""

from datetime import timedelta

from alerting.services.alerts.explain_event import explain
from tests.support.world import BEGIN, World


def test_a_plant_inherits_the_segment_of_its_group_where_that_ranks_higher(world: World) -> None:
    world.take(
        world.customer("HOLDING", name="Big Holding", revenue_with_us=5_000),
        world.customer("GROUP", name="Big Group", revenue_with_us=300_000, parent="HOLDING"),
        world.customer("PLANT", name="Small Plant", revenue_with_us=900, parent="GROUP"),
        world.customer("OTHER", name="Other Plant", revenue_with_us=400_000, parent="HOLDING"),
        world.customer("LOST", name="Lost Plant", revenue_with_us=900, parent="NOBODY-KNOWS"),
    )
    for key in ("PLANT", "OTHER", "LOST"):
        world.take(world.survey(key, id=key))
    found = {key: explain(world.app.ctx, key).customer for key in ("PLANT", "OTHER", "LOST")}
    assert found["PLANT"]["segment"] == "high_potential"
    assert found["PLANT"]["segment_why"] == "its group Big Group is: revenue_with_us >= 250000"
    assert (found["OTHER"]["segment"], found["LOST"]["segment"]) == (
        "high_potential",
        "low_potential",
    )


def test_the_group_counts_as_it_was_and_a_circle_of_groups_ends(world: World) -> None:
    world.take(
        world.customer("A", revenue_with_us=900, parent="B"),
        world.customer("B", revenue_with_us=900, parent="A"),
        world.customer("B", revenue_with_us=500_000, time=(BEGIN - timedelta(days=10)).isoformat()),
        world.customer("A", parent=None, time=(BEGIN - timedelta(days=2)).isoformat()),
    )
    days = {"before": 20, "as part of it": 5, "after": 1}
    for name, ago in days.items():
        world.take(world.survey("A", id=name, time=(BEGIN - timedelta(days=ago)).isoformat()))
    found = {name: explain(world.app.ctx, name).customer["segment"] for name in days}
    assert found == {
        "before": "low_potential",
        "as part of it": "high_potential",
        "after": "low_potential",
    }


def test_what_is_unverified_never_hides_a_better_segment_of_its_own(world: World) -> None:
    world.take(
        world.customer("G", name="Group"), world.customer("P", revenue_with_us=900, parent="G")
    )
    world.take(world.survey("P", id="p"))
    assert explain(world.app.ctx, "p").customer["segment"] == "low_potential"
