"""A customer whose every word is an attack is read as words."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.world import World, make_world


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A customer whose every word is an attack."""
    world: World = make_world(Path(tmp_path_factory.mktemp("hostile")))
    evil = "<img src=x onerror=alert(1)>\"'&\r\nBcc: victim@example.com"
    world.take(
        world.customer(
            "EVIL",
            name=evil,
            revenue_with_us=9_000_000,
            owner="owner_north",
            country="DE",
            contacts=[
                {"name": evil, "role": evil, "phone": '+49"><script>', "email": "a@b\r\nBcc: x"}
            ],
        )
    )
    world.take(world.survey("EVIL", score=0, comment=evil * 20))
    world.deliver()
    yield world
    world.app.close()


def test_hostile_words_reach_the_reader_as_words(hostile: World) -> None:
    mails = hostile.mails()
    assert mails
    for mail in mails:
        assert "\n" not in mail.subject
        assert mail.html is not None
        assert "<img src=x" not in mail.html
        assert "<script" not in mail.html
        assert "template failed" not in mail.text
