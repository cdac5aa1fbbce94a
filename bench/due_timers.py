"""Ten thousand reminders of as many customers fall due at one instant: notifications within ten
seconds on PostgreSQL.

Run by `make bench`; making customers and cases does not count. The cases are as intake makes them,
with their clocks and timers; then the first reminder of each is brought forward. The same on
SQLite, for information.
"""

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from alerting.bootstrap import App
from alerting.database.tables import notification, timer
from alerting.services.cases.fire_timers import fire_due
from bench.backtest import installation
from bench.many_cases import first_steps, open_cases
from bench.measuring import verdict, where_and_what
from bench.postgres import postgresql

TIMERS = int(os.environ.get("BENCH_TIMERS", "10000"))
TARGET = 10.0
TICK = timedelta(seconds=5)


def remind_now(app: App) -> None:
    """The first step of every case falls due at this instant."""
    with app.ctx.db.write() as tx:
        tx.execute(update(timer).where(timer.c.id.in_(first_steps())).values(due_at=tx.now()))


def reminders(app: App) -> int:
    with app.ctx.db.read() as tx:
        caused = (notification.c.cause_kind == "timer", notification.c.template == "reminder")
        return int(
            tx.execute(select(func.count()).select_from(notification).where(*caused)).scalar_one()
        )


def measure(app: App) -> float:
    """Seconds from the timers being due until all of them have become notifications."""
    open_cases(app, TIMERS)
    remind_now(app)
    begun = time.monotonic()
    fired = fire_due(app.ctx, TICK)
    took = time.monotonic() - begun
    if (fired, reminders(app)) != (TIMERS, TIMERS):
        raise SystemExit(
            f"not every timer fired once: {fired:,} fired, {reminders(app):,} reminders"
        )
    return took


def main() -> None:
    print(f"Due at once: {TIMERS:,} timers of as many customers, each to notify its caller")
    print(f"  {where_and_what()}")
    with postgresql() as server, tempfile.TemporaryDirectory() as folder:
        for name, url in (("SQLite", None), ("PostgreSQL", server.new_database())):
            app = installation(Path(folder), url)
            took = measure(app)
            app.close()
            print(f"  {name:>10}: {took:.1f} s, {TIMERS / took:,.0f} a second")
    allowed = TARGET * TIMERS / 10_000
    print(f"  on PostgreSQL {took:.1f} s, at most {allowed:.1f} s: {verdict(took <= allowed)}")


if __name__ == "__main__":
    main()
