"""The key account's complaint is in, its three mails wait."""

import pytest

from tests.support.world import World


@pytest.fixture
def unhappy(world: World) -> World:
    """The key account's complaint is in, its three mails wait."""
    world.known_customers()
    world.take(world.survey(score=2))
    return world
