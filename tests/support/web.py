"""Keys for the doors, and what came in by them."""

from typing import Any

from sqlalchemy import select

from alerting.database.tables import event
from alerting.services.intake.consumer import Consumption
from tests.support.world import World

ADMIN = {"authorization": "Bearer test-admin-token-0123"}


def consume(world: World) -> None:
    consumption = Consumption(ctx=world.app.ctx, consumer=world.app.event_log.consumer())
    for _ in range(3):
        consumption.step(0.0)


def stored_events(world: World) -> list[Any]:
    consume(world)
    return world.rows(select(event).order_by(event.c.seq))
