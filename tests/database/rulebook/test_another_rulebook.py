"""Work that is under way when another rulebook becomes active."""

from sqlalchemy import select

from alerting.database.engine import Transaction
from alerting.database.tables import activation
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import hold_rulebook, with_active_rulebook
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed
from tests.support.world import World


def test_what_met_another_rulebook_runs_once_more_with_that_one(world: World) -> None:
    world.take(world.survey())
    edited = changed(sla=("within: 24h", "within: 20h"))
    activate_rulebook(world.app.ctx, edited, {}, author="ops", reason="sooner")
    tried: list[str] = []

    def hold(tx: Transaction, rulebook: Rulebook) -> str:
        tried.append(rulebook.hash)
        hold_rulebook(tx, rulebook)
        return rulebook.hash

    found = with_active_rulebook(world.app.ctx, hold)
    before, now = world.rows(select(activation.c.rulebook).order_by(activation.c.id))
    assert found == now.rulebook
    assert tried == [before.rulebook, now.rulebook]
