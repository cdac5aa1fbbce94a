"""What an idle look for due timers costs with a thousand and with a million open cases: at most 1.5
times as much.

A look is what follow-up does on every tick: due timers, then full silences; here nothing is due.
Every customer has an open case with clocks and timers, timers that have fired, a silence that is
watched, and one that was noticed. Looks with few and with many take turns, on SQLite and on
PostgreSQL. Run by `make bench`; making the cases does not count.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, literal, select, update

from alerting.bootstrap import App
from alerting.database.tables import customer, silence_watch, timer
from alerting.database.types import Instant
from alerting.services.alerts.customer_silence import notice_silences
from alerting.services.cases.fire_timers import fire_due
from bench.backtest import installation
from bench.many_cases import first_steps, open_cases, tidy
from bench.measuring import ROUNDS, take_turns, verdict, where_and_what
from bench.postgres import postgresql

TARGET = 1.5
SIZES = (1_000, int(os.environ.get("BENCH_CASES", "1000000")))
LOOKS = 50
TICK = timedelta(seconds=5)


def cases_with_a_past(app: App, count: int) -> None:
    """Each case had its first reminder an hour ago. Each customer is watched for silence, and once
    was silent too long.
    """
    open_cases(app, count)
    with app.ctx.db.write() as tx:
        now, t = tx.now(), timer.c
        fired = {"due_at": now - timedelta(hours=1), "fired_at": now, "outcome": "told"}
        tx.execute(update(timer).where(t.id.in_(first_steps())).values(fired))
        for watch, begin, noticed in (
            ("running", now, None),
            ("noticed", now - timedelta(days=200), now),
        ):
            times = [
                literal(moment, Instant) for moment in (begin, begin + timedelta(days=90), noticed)
            ]
            rows = select(literal(watch), customer.c.key, *times)
            columns = ["watch", "customer_key", "last_at", "due_at", "noticed_at"]
            tx.execute(insert(silence_watch).from_select(columns, rows))
    tidy(app)


def sweeps(app: App) -> Callable[[], None]:
    """So many looks, none of which may find anything."""

    def run() -> None:
        for _ in range(LOOKS):
            if fire_due(app.ctx, TICK) or notice_silences(app.ctx):
                raise SystemExit("something was due")

    return run


def main() -> None:
    print(f"An idle look for due timers and silences; median of {ROUNDS} rounds of {LOOKS}")
    print(f"  {where_and_what()}")
    with ExitStack() as stack:
        server = stack.enter_context(postgresql())
        for name in ("SQLite", "PostgreSQL"):
            contestants = {}
            for size in SIZES:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                app = installation(folder, server.new_database() if name == "PostgreSQL" else None)
                stack.callback(app.close)
                cases_with_a_past(app, size)
                contestants[f"{size:,}"] = sweeps(app)
            times = take_turns(contestants)
            few, many = contestants
            for size in contestants:
                print(
                    f"  {name:>10} {size:>10} open cases {times.median(size) / LOOKS * 1e3:8.2f} "
                    "ms a look"
                )
            ratio = times.ratio(many, few)
            print(f"  {name:>10} {ratio:.2f} x, at most {TARGET}: {verdict(ratio <= TARGET)}")


if __name__ == "__main__":
    main()
