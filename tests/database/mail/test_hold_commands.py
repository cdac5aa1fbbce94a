"""`alerting hold` and `release`."""

import json
import re

from alerting.database.audit import audit_entries
from tests.support.commands import complaint
from tests.support.installation import Run
from tests.support.world import World


def test_sends_are_held_and_released(migrated: Run, own_world: World) -> None:
    complaint(own_world)
    assert migrated("hold", "status").stdout == "Sending goes on. 1 mail waits.\n"
    assert "held" in migrated("hold", "sends", "--reason", "moving house").stdout
    again = migrated("hold", "sends", "--reason", "moving again").stdout
    assert "replaces the former one: moving house" in again
    assert re.match(
        r"Sending is held since \S+ \S+Z: moving again\n1 mail waits",
        migrated("hold", "status").stdout,
    )
    status = json.loads(migrated("hold", "status", "--json").stdout)
    assert (status["held"], status["reason"], status["waiting"]) == (True, "moving again", 1)
    assert migrated("hold", "release").stdout == "Sending goes on.\n"
    assert "was not held" in migrated("hold", "release").stdout
    with own_world.app.ctx.db.read() as tx:
        told = audit_entries.entries_of(tx, "instance", "1")
    actions = [entry.action for entry in told if entry.action.startswith("sending.")]
    assert actions == ["sending.held", "sending.held", "sending.released", "sending.released"]
