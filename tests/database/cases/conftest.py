"""A key account that complained, and a case that ended as the lists declare."""

import pytest

from alerting.services.cases import acts
from tests.support.cases.work import RESOLUTIONS, activated, do, with_file
from tests.support.world import World


@pytest.fixture
def unhappy(world: World) -> World:
    """The key account complained on Friday at 08:30 UTC; the mails went out."""
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    return world


@pytest.fixture
def strict(world: World) -> World:
    activated(world, with_file("resolutions", RESOLUTIONS))
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    world.reached("ACME-AERO", "vp_sales")
    do(
        world,
        acts.Resolve(root_cause="seal", action="replaced", corrective_action="CA-2026-014"),
        by="office_berlin",
    )
    world.deliver()
    return world
