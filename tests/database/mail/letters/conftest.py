"""A key account's case, and the letters that wait for it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from alerting.services.mail.letters import Letter
from tests.support.mail.letters import ADA, letters
from tests.support.world import GERMANY, World, make_world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for all of these tests; each has customers of its own."""
    made = make_world(tmp_path_factory.mktemp("mail"))
    yield made
    made.app.close()


@pytest.fixture(scope="module")
def acme(world: World) -> dict[str, Letter]:
    """A key account's case: two calls in vain, then a bad answer."""
    world.take(
        world.customer(
            "ACME-AERO",
            name="Acme Aerospace",
            revenue_with_us=1_240_000,
            owner="owner_north",
            renewal_date="2026-05-31",
            contacts=[ADA],
            **GERMANY,
        )
    )
    month_ago = (world.now() - timedelta(days=30)).isoformat()
    world.take(world.survey("ACME-AERO", score=9, comment="Splendid", time=month_ago))
    for hours_ago in (30, 20):
        time = (world.now() - timedelta(hours=hours_ago)).isoformat()
        world.take(world.call("ACME-AERO", topic="the pump", time=time))
    world.take(
        world.survey(
            "ACME-AERO",
            score=2,
            comment="It still leaks.",
            contact_me=True,
            respondent={"name": "Ada Example"},
        )
    )
    return letters(world, "ACME-AERO")
