"""The delivery loop: sends what waits in the outbox."""

from alerting.entrypoints.running import Stop, repeat
from alerting.services.context import Context
from alerting.services.delivery import Post, deliver_due

IDLE_SECONDS = 0.3


def run_deliver(ctx: Context, post: Post, stop: Stop) -> None:
    """Run until asked to stop."""

    def work() -> float:
        return 0.0 if deliver_due(ctx, post, beat=lambda: stop.beat("deliver")) else IDLE_SECONDS

    repeat("deliver", stop, work)
