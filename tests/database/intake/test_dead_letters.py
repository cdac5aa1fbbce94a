"""Dead letters: what cannot be read is kept with its reason, and replayed when that is gone."""

import json

import pytest
from sqlalchemy import select

from alerting.database.intake import dead_letters
from alerting.database.tables import dead_letter, event
from alerting.services.intake.take_records import replay
from tests.support.world import World, recipients

BAD = {
    "bytes that are no UTF-8": (b'{"specversion":"1.0","x":"\xff"}', "not UTF-8"),
    "half a JSON object": (b'{"specversion":"1.0"', "not JSON"),
    "a list": (b"[1]", "invalid"),
    "no CloudEvent": (b"{}", "invalid"),
    "a number too large for any database": (
        b'{"specversion":"1.0","id":"1","source":"s","data":{"x":1e999}}',
        "not JSON",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_a_dead_letter_and_the_next_event_is_handled(
    world: World, name: str
) -> None:
    world.known_customers()
    raw, reason = BAD[name]
    taken = world.take(raw, world.survey(score=1))
    assert (taken.events, taken.dead, taken.alerts) == (1, 1, 1)
    (letter,) = world.rows(select(dead_letter))
    assert letter.reason == reason
    assert bytes(letter.raw) == raw
    assert letter.place.startswith("test@")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"score": "2"}, "data.score"),
        ({"score": True}, "data.score"),
        ({"score": 11}, "data.score"),
        ({"metric": "stars"}, "data.metric"),
        ({"comment": 7}, "data.comment"),
        ({"customer_id": ""}, "data.customer_id"),
        ({"customer_id": None}, "data.customer_id"),
    ],
)
def test_a_wrong_field_is_named_in_the_dead_letter(
    small_world: World, change: dict[str, object], field: str
) -> None:
    survey = small_world.survey()
    survey["data"] |= change
    assert small_world.take(survey).dead == 1
    (letter,) = small_world.rows(select(dead_letter))
    assert letter.field == field


def test_nul_in_a_comment_is_judged_without_it_and_kept_in_the_bytes(world: World) -> None:
    world.known_customers()
    world.take(world.survey(comment="It\x00 leaks."))
    (stored,) = world.rows(select(event).where(event.c.type == "survey.answered"))
    assert stored.payload["comment"] == "It leaks."
    assert b"\\u0000" in bytes(stored.raw)


def test_a_dead_letter_can_be_replayed_once_its_reason_is_gone(world: World) -> None:
    world.known_customers()
    world.take(b'{"specversion":"1.0"')
    (letter,) = world.rows(select(dead_letter))
    error = replay(world.app.ctx, letter.id)
    assert error is not None
    assert error.reason == "not JSON"
    with world.app.ctx.db.write() as tx:  # stands for a version of ours that can read it
        raw = json.dumps(world.survey(score=1)).encode()
        tx.execute(dead_letter.update().where(dead_letter.c.id == letter.id).values(raw=raw))
    assert replay(world.app.ctx, letter.id) is None
    assert recipients(world.deliver()) == ["office.berlin", "owner.north", "vp.sales"]
    with world.app.ctx.db.read() as tx:
        assert dead_letters.list_letters(tx) == []
