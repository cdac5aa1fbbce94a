"""The follow-up loop: a tick looks for due timers. APScheduler only ticks; what is due stands in the database."""

import logging
from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from alerting.domain.errors import Temporary
from alerting.entrypoints.running import Stop
from alerting.services.context import Context
from alerting.services.follow_up import fire_due
from alerting.services.pruning import prune_points
from alerting.services.reviewing import review_due
from alerting.services.silence import notice_silences
from alerting.services.valuing import renew_scale

log = logging.getLogger(__name__)


def run_follow_up(ctx: Context, tick: timedelta, stop: Stop) -> None:
    """Sweep at start and on every tick, until asked to stop. A tick that fails is made up for by the next one."""

    def sweep() -> None:
        stop.beat("follow-up")
        try:
            fired = fire_due(ctx, tick, lambda: stop.beat("follow-up"))
            noticed = notice_silences(ctx, lambda: stop.beat("follow-up"))
            renew_scale(ctx)
            looked = review_due(ctx, lambda: stop.beat("follow-up"))
        except Temporary as error:
            log.warning("waiting for a service", extra={"loop": "follow-up", "error": str(error)})
            return
        except Exception:
            log.exception("sweep failed")
            return
        if fired or noticed or looked:
            log.info("timers fired", extra={"count": fired, "silences": noticed, "reviews": looked})

    def prune() -> None:
        try:
            gone = prune_points(ctx)
        except Exception:
            log.exception("pruning failed")
            return
        if gone:
            log.info("points pruned", extra={"count": gone})

    sweep()
    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(
        sweep,
        "interval",
        seconds=tick.total_seconds(),
        misfire_grace_time=None,
        coalesce=True,
        max_instances=1,
    )
    scheduler.add_job(prune, "interval", hours=1, misfire_grace_time=None, coalesce=True, max_instances=1)
    scheduler.start()
    try:
        while not stop.asked:
            stop.wait(1.0)
    finally:
        scheduler.shutdown(wait=True)
        stop.done("follow-up")
