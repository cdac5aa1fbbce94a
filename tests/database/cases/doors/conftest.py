"""A case on SQLite, and its doors."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.entrypoints.web.app import create_app
from tests.support.world import World


@pytest.fixture
def unhappy(small_world: World) -> World:
    small_world.known_customers()
    small_world.take(small_world.survey(score=2))
    small_world.deliver()
    return small_world


@pytest.fixture
def client(unhappy: World) -> Iterator[TestClient]:
    with TestClient(create_app(web_parts(unhappy.app)), follow_redirects=False) as opened:
        yield opened
