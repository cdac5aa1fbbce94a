"""The intake loop: polls the event log, hands batches to intake, publishes dead letters and moves
between segments.
"""

import time

from alerting.entrypoints.loops import Stop, repeat
from alerting.services.context import Context
from alerting.services.intake.consumer import Consumption
from alerting.services.intake.event_log import EventLog
from alerting.services.intake.publisher import publish_dead_letters, publish_moves

POLL_SECONDS = 0.5
PUBLISH_EVERY = 2.0
"""Seconds between looks for what waits to be published."""


def run_consume(ctx: Context, event_log: EventLog, stop: Stop) -> None:
    """Run until asked to stop."""
    consumption = Consumption(ctx=ctx, consumer=event_log.consumer())
    published_at = 0.0

    def work() -> float:
        nonlocal published_at
        taken = consumption.step(POLL_SECONDS)
        if taken.dead or time.monotonic() - published_at > PUBLISH_EVERY:
            publish_dead_letters(ctx, event_log)
            publish_moves(ctx, event_log)
            published_at = time.monotonic()
        return 0.0

    try:
        repeat("consume", stop, work)
    finally:
        consumption.consumer.close()
