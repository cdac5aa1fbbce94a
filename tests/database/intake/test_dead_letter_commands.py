"""`alerting dead-letters`, as somebody who answers for the intake uses it."""

import base64
import json
import re
from dataclasses import replace

from alerting.database.audit import audit_entries
from alerting.database.intake import dead_letters
from alerting.database.tables import customer_version
from alerting.domain.errors import UnreadableEvent
from alerting.services.intake.take_records import take_records
from tests.support.installation import Run
from tests.support.world import World


def test_dead_letters_are_listed_and_replayed(migrated: Run, own_world: World) -> None:
    take_records(own_world.app.ctx, [own_world.record(b"{")])
    (letter,) = json.loads(migrated("dead-letters", "list", "--json").stdout)
    assert (letter["reason"], letter["replayed_at"]) == ("not JSON", None)
    again = migrated("dead-letters", "replay", "--all")
    assert again.returncode == 1
    assert "still not JSON" in again.stdout


def _bury(world: World, value: dict[str, object]) -> None:
    """A dead letter whose bytes could be read by now."""
    with world.app.ctx.db.write() as tx:
        now = tx.now()
        letter = dead_letters.DeadLetter(
            place=f"surveys/0@{value['id']}",
            raw=json.dumps(value).encode(),
            headers={},
            received_at=now,
            error=UnreadableEvent("not JSON", "then"),
        )
        dead_letters.bury(tx, [letter], now)


def test_a_dead_letter_that_breaks_its_handling_does_not_stop_the_others(
    migrated: Run, own_world: World
) -> None:
    with own_world.app.ctx.db.write() as tx:
        now = tx.now()
        broken = {
            "customer_key": "POISON",
            "valid_from": now,
            "recorded_at": now,
            "source": "s",
            "event_id": "e",
        }
        tx.execute(customer_version.insert().values(**broken, changes={}, state="no object at all"))
    _bury(own_world, own_world.survey("POISON", score=1))
    _bury(own_world, own_world.survey("KIOSK-7", score=9))
    done = migrated("dead-letters", "replay", "1", "77", "2")
    assert done.returncode == 1
    assert re.search(r"^1: still cannot be handled: \w+Error: ", done.stdout)
    assert "there is no dead letter 77" in done.stderr
    assert "2: handled" in done.stdout
    (letter,) = json.loads(migrated("dead-letters", "list", "--json").stdout)
    assert (letter["id"], letter["reason"], letter["attempts"]) == (1, "cannot be handled", 2)


def test_a_dead_letter_is_shown_whole_with_what_is_not_printable_escaped(
    migrated: Run, own_world: World
) -> None:
    record = own_world.record(b'{"x":\n"\xff\x1b[2J"')
    headers = {"ce_id": b"\x00id", "traceparent": b"00-1"}
    take_records(own_world.app.ctx, [replace(record, headers=headers)])
    shown = migrated("dead-letters", "show", "1").stdout
    for words in (
        "dead letter 1: not UTF-8",
        "test@",
        "header    ce_id: \\x00id",
        "header    traceparent: 00-1",
    ):
        assert words in shown
    assert '13 bytes:\n{"x":\n"\\xff\\x1b[2J"' in shown
    for command in (("show", "1", "--json"), ("list", "--json")):
        found = json.loads(migrated("dead-letters", *command).stdout)
        letter = found[0] if isinstance(found, list) else found
        assert base64.b64decode(letter["value"]) == record.value
        assert base64.b64decode(dict(letter["headers"])["ce_id"]) == b"\x00id"


def test_a_dead_letter_nothing_can_be_done_about_is_set_aside(
    migrated: Run, own_world: World
) -> None:
    first = own_world.survey("KIOSK-7", score=9, id="same")
    take_records(own_world.app.ctx, [own_world.record(first)])
    take_records(
        own_world.app.ctx, [own_world.record({**first, "data": {**first["data"], "score": 8}})]
    )
    assert "still conflicting duplicate" in migrated("dead-letters", "replay", "1").stdout
    assert (
        "set aside"
        in migrated("dead-letters", "discard", "1", "--reason", "sent twice", "--by", "ann").stdout
    )
    assert json.loads(migrated("dead-letters", "list", "--json").stdout) == []
    (letter,) = json.loads(migrated("dead-letters", "list", "--all", "--json").stdout)
    assert (letter["discarded_by"], letter["discard_reason"]) == ("ann", "sent twice")
    assert "set aside" in migrated("dead-letters", "list", "--all").stdout
    assert "by ann: sent twice" in migrated("dead-letters", "show", "1").stdout
    with own_world.app.ctx.db.read() as tx:
        assert dead_letters.waiting_dead_letters(tx) == 0
        (entry,) = audit_entries.entries_of(tx, "dead_letter", "1")
    assert (entry.actor, entry.action) == ("ann", "dead_letter.discarded")
    assert entry.facts["reason"] == "sent twice"
    for again in (("discard", "1", "--reason", "x"), ("replay", "1")):
        refused = migrated("dead-letters", *again)
        assert refused.returncode == 1
        assert "set aside" in refused.stderr
    assert "No dead letter waits." in migrated("dead-letters", "replay", "--all").stdout
