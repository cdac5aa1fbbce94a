"""The whole ledger of one long case."""

from sqlalchemy import select

from alerting.database.tables import clock, clock_entry
from alerting.services.cases import acts
from alerting.services.rulebook.move_open_cases import move_open_cases
from tests.support.cases.work import RESOLUTIONS, activated, do, due, hours, let_wait, with_file
from tests.support.world import BEGIN, World


def _wait_twice(world: World) -> None:
    activated(world, with_file("resolutions", RESOLUTIONS))
    world.known_customers()
    world.take(world.survey(score=2))
    for _ in range(2):
        world.pass_time(hours=1)
        let_wait(world)
        world.pass_time(hours=2)
        do(world, acts.GoOn())


def test_a_case_with_two_pauses_a_reopening_and_a_policy_edit_has_its_whole_ledger(
    world: World,
) -> None:
    _wait_twice(world)
    edited = with_file("resolutions", RESOLUTIONS, sla=("within: 24h", "within: 12h"))
    edited["rules/sla.yaml"] = edited["rules/sla.yaml"].replace(
        "starts", "open_cases: move\n    starts", 1
    )
    edited["rules/sla.yaml"] = edited["rules/sla.yaml"].replace("before: 12h", "before: 6h", 1)
    activated(world, edited)
    move_open_cases(world.app.ctx)
    assert due(world) == 12 + 4
    world.pass_time(hours=3)  # 9 h have been felt, 5 h of them counted
    world.reached("ACME-AERO", "vp_sales")
    do(world, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")
    world.pass_time(days=1)
    world.take(world.survey(score=1))
    world.reached("ACME-AERO", "vp_sales")
    entries = world.rows(
        select(clock_entry).where(clock_entry.c.kind == "contact").order_by(clock_entry.c.id)
    )
    told = [
        (e.cycle, e.plan, e.what, hours(e.happened_at - BEGIN), hours(e.due_at - BEGIN))
        for e in entries
    ]
    assert told == [
        (1, 1, "started", 0, 24),
        (1, 1, "paused", 1, 24),
        (1, 1, "resumed", 3, 26),
        (1, 1, "paused", 4, 26),
        (1, 1, "resumed", 6, 28),
        (1, 1, "superseded", 6, 28),
        (1, 2, "started", 0, 16),
        *(
            (1, 2, what, at, 16)
            for what, at in (("paused", 1), ("resumed", 3), ("paused", 4), ("resumed", 6))
        ),
        (1, 2, "stopped", 9, 16),
        (2, 1, "started", 33, 45),
        (2, 1, "stopped", 33, 45),
    ]
    first, *_ = world.rows(
        select(clock).where(clock.c.kind == "contact", clock.c.cycle == 1, clock.c.plan == 2)
    )
    assert (round(first.worked / 3_600_000_000, 1), hours(first.stopped_at - first.started_at)) == (
        5,
        9,
    )
