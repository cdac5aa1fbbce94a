"""Commands, run against an installation."""

from alerting.services.intake.take_records import take_records
from tests.support.world import World


def complaint(world: World) -> None:
    take_records(world.app.ctx, [world.record(world.survey("SOMEBODY", score=1))])
