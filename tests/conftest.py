"""Fixtures: services that run for real (tests/support/services), and a whole installation on either
database (tests/support/world.py).
"""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import chain, groupby, zip_longest
from pathlib import Path

import pytest

from tests.support.services.postgres import PostgresServer
from tests.support.world import World, make_world

# Each worker computes by itself: threads of several would only wait for each other, and asking how
# many cores there are starts a process.
os.environ.setdefault("OMP_NUM_THREADS", "1")

pytest_plugins = [
    "tests.support.services.plugin",
    "tests.support.system.installer",
    "tests.support.installation",
    "tests.support.cdnow",
]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """For workers, which take file after file: those that wait for processes come early and between
    those that compute. Without workers the order stays as it is, unit tests first.
    """
    if not hasattr(config, "workerinput"):
        return
    files = {path: list(each) for path, each in groupby(items, key=lambda item: item.path)}
    waits = [path for path in files if {"system", "acceptance"} & set(path.parts)]
    computes = [path for path in files if path not in waits][::-1]
    turns = zip_longest(waits, computes[::2], computes[1::2])
    order = filter(None, chain.from_iterable(turns))
    items[:] = chain.from_iterable(files[path] for path in order)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'alerting.db'}"
    new_database: Callable[[], str] = request.getfixturevalue("new_database")
    return new_database()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installation on SQLite, to be copied: quicker than making tables and
    rulebook for every test.
    """
    folder = tmp_path_factory.mktemp("template")
    make_world(folder).app.close()
    return folder


@pytest.fixture(scope="session")
def postgresql_template(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The URL of the same on PostgreSQL."""
    url = postgres_server.new_database()
    make_world(tmp_path_factory.mktemp("template"), url).app.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """An installation with the starter rules, on each database, at 2026-03-06 08:30 UTC."""
    if request.param == "sqlite":
        made = _copied(request, tmp_path)
        yield made
        made.app.close()
        return
    template: str = request.getfixturevalue("postgresql_template")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    database = server.new_database(template)
    made = make_world(tmp_path, database, prepared=True)
    yield made
    made.app.close()
    server.drop(database)


@pytest.fixture
def small_world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same on SQLite alone, for what does not depend on the database."""
    made = _copied(request, tmp_path)
    yield made
    made.app.close()


def _copied(request: pytest.FixtureRequest, folder: Path) -> World:
    shutil.copytree(request.getfixturevalue("sqlite_template"), folder, dirs_exist_ok=True)
    return make_world(folder, prepared=True)
