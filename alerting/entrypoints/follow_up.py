"""The follow-up loop: a tick looks for due timers. APScheduler only ticks; what is due stands in the database."""

import logging
from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from alerting.domain.errors import Temporary
from alerting.entrypoints.running import Stop
from alerting.services.context import Context
from alerting.services.follow_up import fire_due
from alerting.services.matching import match_waiting
from alerting.services.people_night import check_of_the_night
from alerting.services.pruning import prune_points
from alerting.services.reviewing import review_due
from alerting.services.sealing import hand_out_checkpoint, seal_all
from alerting.services.silence import notice_silences
from alerting.services.valuing import renew_scale

log = logging.getLogger(__name__)


def run_follow_up(ctx: Context, tick: timedelta, stop: Stop) -> None:
    """Sweep at start and on every tick, until asked to stop. A tick that fails is made up for by the next one."""
    _sweep(ctx, tick, stop)
    _review(ctx, stop)
    scheduler = BackgroundScheduler(timezone="UTC")
    every = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    scheduler.add_job(_sweep, "interval", args=(ctx, tick, stop), seconds=tick.total_seconds(), **every)
    scheduler.add_job(_review, "interval", args=(ctx, stop), seconds=tick.total_seconds(), **every)
    scheduler.add_job(_prune, "interval", args=(ctx,), hours=1, **every)
    scheduler.add_job(_seal, "interval", args=(ctx, stop), seconds=max(1.0, tick.total_seconds()), **every)
    scheduler.add_job(_check, "interval", args=(ctx, stop), hours=1, **every)
    scheduler.start()
    try:
        while not stop.asked:
            stop.wait(1.0)
    finally:
        scheduler.shutdown(wait=True)
        stop.done("follow-up")


def _sweep(ctx: Context, tick: timedelta, stop: Stop) -> None:
    stop.beat("follow-up")
    try:
        fired = fire_due(ctx, tick, lambda: stop.beat("follow-up"))
        noticed = notice_silences(ctx, lambda: stop.beat("follow-up"))
    except Temporary as error:
        log.warning("waiting for a service", extra={"loop": "follow-up", "error": str(error)})
        return
    except Exception:
        log.exception("sweep failed")
        return
    if fired or noticed:
        log.info("timers fired", extra={"count": fired, "silences": noticed})


def _review(ctx: Context, stop: Stop) -> None:
    """A job of its own: looking at a million customers again must not keep a timer waiting."""

    def beat() -> None:
        stop.beat("review")

    try:
        matched = match_waiting(ctx, beat)
        renew_scale(ctx)
        looked = review_due(ctx, beat)
    except Temporary as error:
        log.warning("waiting for a service", extra={"loop": "review", "error": str(error)})
        return
    except Exception:
        log.exception("reviewing customers failed")
        return
    finally:
        stop.done("review")
    if matched or looked:
        log.info("customers reviewed", extra={"count": looked, "matched": matched})


def _prune(ctx: Context) -> None:
    try:
        gone = prune_points(ctx)
    except Exception:
        log.exception("pruning failed")
        return
    if gone:
        log.info("points pruned", extra={"count": gone})


def _seal(ctx: Context, stop: Stop) -> None:
    try:
        sealed = seal_all(ctx, lambda: stop.beat("seal"))
        handed = hand_out_checkpoint(ctx)
    except Temporary as error:
        log.warning("waiting for a service", extra={"loop": "seal", "error": str(error)})
        return
    except Exception:
        log.exception("sealing the audit failed")
        return
    finally:
        stop.done("seal")
    if sealed:
        log.debug("audit sealed", extra={"count": sealed})
    if handed is not None:
        log.info("checkpoint handed out", extra={"seq": handed.seq})


def _check(ctx: Context, stop: Stop) -> None:
    """Hourly, for the night's check is due at an hour, and whoever was down then makes up for it."""
    try:
        found = check_of_the_night(ctx, lambda: stop.beat("people check"))
    except Temporary as error:
        log.warning("waiting for a service", extra={"loop": "people check", "error": str(error)})
        return
    except Exception:
        log.exception("checking people failed")
        return
    finally:
        stop.done("people check")
    if found is not None:
        log.info("people checked", extra={"problems": found})
