"""The end of the chain goes outside, to whoever holds the checkpoints."""

from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.tables import audit_checkpoint, party_fact
from alerting.services.audit.seal import hand_out_checkpoint
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.audit import verified
from tests.support.builders import changed
from tests.support.world import World, recipients


def test_the_end_of_the_chain_goes_outside_once_a_week(world: World) -> None:
    world.known_customers()
    world.take(world.survey("ACME-AERO"))
    world.deliver()
    assert hand_out_checkpoint(world.app.ctx) is None  # nobody is declared
    files = changed(settings=("currency: EUR", "audit_holder: ceo\ncurrency: EUR"))
    activate_rulebook(world.app.ctx, files, {}, author="ops", reason="who keeps it")
    head = hand_out_checkpoint(world.app.ctx)
    assert head is not None and head.seq > 3
    (mail,) = world.deliver()
    assert (recipients([mail]), mail.subject) == (
        ["ceo"],
        f"Audit checkpoint {head.seq} of 2026-W10",
    )
    assert str(head) in mail.text
    assert hand_out_checkpoint(world.app.ctx) is None
    world.pass_time(days=3)  # Monday, half past eight
    again = hand_out_checkpoint(world.app.ctx)
    assert again is not None and again.seq > head.seq
    found = verified(world, head)
    assert (found.problems, found.checkpoints) == ([], 3)


def holder_away(world: World, **said: Any) -> None:
    """The holder of the checkpoints is declared, and then this is said of that person."""
    files = changed(settings=("currency: EUR", "audit_holder: vp_sales\ncurrency: EUR"))
    activate_rulebook(world.app.ctx, files, {}, author="ops", reason="who keeps it")
    world.take(world.envelope("person.updated", {"person_id": "vp_sales", **said}))


@pytest.mark.parametrize(
    ("said", "keeper", "why"),
    [
        (
            {"absences": [{"from": "2026-03-01", "to": "2026-03-31"}]},
            "head.of.service",
            "Vera Sample is absent from",
        ),
        ({"active": False}, "service.desk", "Vera Sample has left"),
    ],
)
def test_a_checkpoint_goes_to_whoever_stands_in_for_its_holder(
    world: World, caplog: pytest.LogCaptureFixture, said: dict[str, Any], keeper: str, why: str
) -> None:
    world.known_customers()
    holder_away(world, **said)
    head = hand_out_checkpoint(world.app.ctx)
    assert head is not None
    (mail,) = world.deliver()
    assert recipients([mail]) == [keeper]
    assert str(head) in mail.text
    assert f"in place of the `audit_holder` of settings.yaml: {why}" in mail.text
    (record,) = [one for one in caplog.records if "audit_holder" in one.message]
    assert (record.levelname, record.__dict__["holder"]) == ("ERROR", "vp_sales")
    assert hand_out_checkpoint(world.app.ctx) is None


def test_no_checkpoint_is_noted_that_nobody_can_be_told(world: World) -> None:
    holder_away(world, active=False)
    everybody = [row.party for row in world.rows(select(party_fact.c.party).distinct())]
    world.take(
        *(
            world.envelope("person.updated", {"person_id": one, "active": False})
            for one in everybody
        )
    )
    with pytest.raises(LookupError, match="'default' names nobody"):
        hand_out_checkpoint(world.app.ctx)
    assert world.rows(select(audit_checkpoint)) == []
