"""A random history, reported."""

import pytest

from tests.support.histories import lived
from tests.support.world import World


@pytest.fixture
def story(small_world: World) -> World:
    return lived(small_world, 1)
