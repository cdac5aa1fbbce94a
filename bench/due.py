"""Due instants over a year's calendar: at least 50,000 a second.

Run by `make bench`. Starts are drawn over a year; two periods a day, holidays, two pauses where
they are asked for.
"""

import random
import time
from datetime import UTC, datetime, timedelta

from alerting.domain.times.calendars import Calendar, PublicHolidays
from alerting.domain.times.working_time import Amount, Pause, due_instant
from bench.measuring import verdict, where_and_what

COUNT = 200_000
TARGET = 50_000
DAY = ((540, 750), (795, 1080))
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def rate(calendar: Calendar, amount: Amount, pauses: int) -> float:
    rnd = random.Random(1)
    starts = [BEGIN + timedelta(seconds=rnd.randrange(365 * 86_400)) for _ in range(COUNT)]
    lengths = [timedelta(hours=1 + n) for n in range(pauses)]
    held: list[list[Pause]] = [
        [(start + 5 * length, start + 6 * length) for length in lengths] for start in starts
    ]
    begun = time.perf_counter()
    for start, paused in zip(starts, held, strict=True):
        due_instant(calendar, start, amount, paused)
    return COUNT / (time.perf_counter() - begun)


def main() -> None:
    print(where_and_what())
    berlin = PublicHolidays(country="DE", subdivision="BE")
    for what, amount, pauses in (
        ("8h", Amount(length=timedelta(hours=8)), 0),
        ("8h with two pauses", Amount(length=timedelta(hours=8)), 2),
        ("3 working days", Amount(working_days=3), 0),
    ):
        calendar = Calendar(
            name="berlin", time_zone="Europe/Berlin", week=(DAY,) * 5 + ((),) * 2, holidays=berlin
        )
        found = rate(calendar, amount, pauses)
        print(
            f"{what}: {found:,.0f} due instants a second, asked for {TARGET:,}: "
            f"{verdict(found >= TARGET)}"
        )


if __name__ == "__main__":
    main()
