"""An installation with key accounts by revenue."""

import pytest

from tests.support.intake.late_facts import by_revenue
from tests.support.world import World


@pytest.fixture
def world(world: World) -> World:
    """The starter rules, with key accounts by revenue: a customer becomes one by what we learn."""
    by_revenue(world)
    return world
