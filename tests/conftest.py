"""Fixtures: services that run for real (tests/services), and a whole installation on either database (tests/world.py)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.world import World, make_world

pytest_plugins = ["tests.services.plugin", "tests.running", "tests.installation", "tests.cdnow"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'alerting.db'}"
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    return new_database()


@pytest.fixture
def world(database_url: str, tmp_path: Path) -> Iterator[World]:
    """An installation with the starter rules, on each database, at 2026-03-06 08:30 UTC."""
    made = make_world(tmp_path, database_url)
    yield made
    made.app.close()


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[World]:
    """The same on SQLite alone, for what does not depend on the database."""
    made = make_world(tmp_path)
    yield made
    made.app.close()
