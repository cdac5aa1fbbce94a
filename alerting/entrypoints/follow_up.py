"""The follow-up loop: a tick looks for due timers. APScheduler only ticks; what is due stands in
the database.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from alerting.domain.errors import Temporary
from alerting.entrypoints.loops import Stop
from alerting.services.alerts.customer_silence import notice_silences
from alerting.services.alerts.review_due import review_due
from alerting.services.audit.seal import hand_out_checkpoint, seal_all
from alerting.services.cases.fire_timers import fire_due
from alerting.services.context import Context
from alerting.services.customers.prune_points import prune_points
from alerting.services.customers.value_customers import renew_scale
from alerting.services.intake.match_respondents import match_waiting
from alerting.services.mail.weekly import send_weekly
from alerting.services.routing.nightly_check import check_of_the_night
from alerting.services.rulebook.move_open_cases import move_open_cases

log = logging.getLogger(__name__)


def run_follow_up(ctx: Context, tick: timedelta, stop: Stop) -> None:
    """Sweep at start and on every tick, until asked to stop. A tick that fails is made up for by
    the next one.
    """
    _sweep(ctx, tick, stop)
    _review(ctx, stop)
    scheduler = BackgroundScheduler(timezone="UTC")
    every = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
    scheduler.add_job(
        _sweep, "interval", args=(ctx, tick, stop), seconds=tick.total_seconds(), **every
    )
    scheduler.add_job(_review, "interval", args=(ctx, stop), seconds=tick.total_seconds(), **every)
    scheduler.add_job(_prune, "interval", args=(ctx,), hours=1, **every)
    scheduler.add_job(
        _seal, "interval", args=(ctx, stop), seconds=max(1.0, tick.total_seconds()), **every
    )
    scheduler.add_job(_write_weekly, "interval", args=(ctx, stop), minutes=1, **every)
    scheduler.add_job(_check, "interval", args=(ctx, stop), hours=1, **every)
    scheduler.start()
    try:
        while not stop.asked:
            stop.wait(1.0)
    finally:
        scheduler.shutdown(wait=True)
        stop.done("follow-up")


@contextmanager
def _told(
    loop: str, failed: str, done: Callable[[str], None] = lambda loop: None
) -> Iterator[None]:
    """A service that is away is waited for, any other failure is told, and the next run makes up
    for both.
    """
    try:
        yield
    except Temporary as error:
        log.warning("waiting for a service", extra={"loop": loop, "error": str(error)})
    except Exception:
        log.exception(failed)
    finally:
        done(loop)


def _sweep(ctx: Context, tick: timedelta, stop: Stop) -> None:
    """Its sign of life stays between two runs: a scheduler that stands still is noticed."""

    def beat() -> None:
        stop.beat("follow-up")

    beat()
    with _told("follow-up", "sweep failed"):
        fired = fire_due(ctx, tick, beat)
        noticed = notice_silences(ctx, beat)
        if fired or noticed:
            log.info("timers fired", extra={"count": fired, "silences": noticed})


def _review(ctx: Context, stop: Stop) -> None:
    """A job of its own: looking at a million customers again must not keep a timer waiting."""

    def beat() -> None:
        stop.beat("review")

    with _told("review", "reviewing customers failed", stop.done):
        matched = match_waiting(ctx, beat)
        renew_scale(ctx)
        looked = review_due(ctx, beat)
        if matched or looked:
            log.info("customers reviewed", extra={"count": looked, "matched": matched})
        moved = move_open_cases(ctx, beat)
        if moved:
            log.info("promises moved with their policy", extra={"cases": moved})


def _write_weekly(ctx: Context, stop: Stop) -> None:
    """Every quarter of an hour: zones differ by that much, and no mail comes early."""
    with _told("weekly", "writing the weekly mails failed", stop.done):
        written = send_weekly(ctx, lambda: stop.beat("weekly"))
        if written:
            log.info("weekly mails written", extra={"count": written})


def _prune(ctx: Context) -> None:
    with _told("prune", "pruning failed"):
        gone = prune_points(ctx)
        if gone:
            log.info("points pruned", extra={"count": gone})


def _seal(ctx: Context, stop: Stop) -> None:
    with _told("seal", "sealing the audit failed", stop.done):
        sealed = seal_all(ctx, lambda: stop.beat("seal"))
        handed = hand_out_checkpoint(ctx)
        if sealed:
            log.debug("audit sealed", extra={"count": sealed})
        if handed is not None:
            log.info("checkpoint handed out", extra={"seq": handed.seq})


def _check(ctx: Context, stop: Stop) -> None:
    """Hourly, for the night's check is due at an hour, and whoever was down then makes up for
    it.
    """
    with _told("people check", "checking people failed", stop.done):
        found = check_of_the_night(ctx, lambda: stop.beat("people check"))
        if found is not None:
            log.info("people checked", extra={"problems": found})
