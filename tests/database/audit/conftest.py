"""A story with cases, calls and personal words, sealed."""

import pytest

from alerting.services.audit.seal import seal_all
from tests.support.world import World


@pytest.fixture
def told(world: World) -> World:
    """A story with cases, calls and personal words, sealed."""
    world.known_customers()
    world.take(world.survey("ACME-AERO"), world.survey("KIOSK-7", score=3))
    world.deliver()
    world.reached("ACME-AERO", "vp_sales")
    assert seal_all(world.app.ctx) > 5
    return world
