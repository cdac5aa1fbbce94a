"""The doors, in front of an event log that answers and of one that does not."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from alerting.bootstrap import web_parts
from alerting.domain.errors import LogUnavailable
from alerting.entrypoints.web.app import create_app
from tests.support.world import World


@pytest.fixture
def client(small_world: World) -> Iterator[TestClient]:
    with TestClient(create_app(web_parts(small_world.app)), follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def dead_log_client(small_world: World) -> Iterator[TestClient]:
    """The same doors in front of an event log that does not answer."""

    class DeadLog:
        def append(self, records: object) -> None:
            raise LogUnavailable("connection refused")

        def ends(self) -> dict[tuple[str, int], int]:
            raise LogUnavailable("connection refused")

    parts = replace(web_parts(small_world.app), event_log=DeadLog())  # type: ignore[arg-type]
    with TestClient(create_app(parts), follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def links(small_world: World) -> dict[str, str]:
    """The VP's action links after the key account complained: by label, without the host."""
    small_world.known_customers()
    small_world.take(small_world.survey(score=2))
    mail = next(m for m in small_world.deliver() if "vp.sales" in m.to)
    found = re.findall(
        r"^(I'll call|I called\.\.\.|Hand over):\s+http://[^/]+(/a/\S+)", mail.text, re.MULTILINE
    )
    return dict(found)
