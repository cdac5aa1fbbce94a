"""A million customers from a CSV file into the embedded database: under two minutes on two cores.

Run by `make bench`; writing the file does not count. Then the same file again, which must change
nothing.
"""

import csv
import os
import random
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from alerting.adapters.imports.customer_tables import read_table
from alerting.bootstrap import App
from alerting.services.imports.import_customers import Imported, Wishes, import_customers
from bench.backtest import installation
from bench.measuring import verdict, where_and_what

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
TARGET = 120.0
HEADING = ("customer_id", "name", "country", "industry", "revenue_with_us", "renewal_date")


def write_table(path: Path, count: int) -> Path:
    rnd, begin = random.Random(1), date(2026, 1, 1)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(HEADING)
        for n in range(count):
            country, industry = (
                rnd.choice(("DE", "AT", "FR", "US")),
                rnd.choice(("retail", "machinery", "healthcare")),
            )
            renewal = begin + timedelta(days=rnd.randrange(720))
            table.writerow(
                (f"C{n:07}", f"Invented {n}", country, industry, rnd.randrange(400_000), renewal)
            )
    return path


def timed(app: App, path: Path, processes: int) -> tuple[float, Imported]:
    begun = time.monotonic()
    found = import_customers(app.ctx, read_table(str(path)), Wishes(processes=processes))
    return time.monotonic() - begun, found


def main() -> None:
    print(where_and_what())
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        path = write_table(Path(folder) / "customers.csv", CUSTOMERS)
        took, found = timed(app, path, cores)
        again, repeated = timed(app, path, cores)
        app.close()
    if (found.new, repeated.unchanged) != (CUSTOMERS, CUSTOMERS) or found.bad or found.warnings:
        raise SystemExit(
            f"not every customer came once: {found.new:,} new, {repeated.unchanged:,} unchanged"
        )
    million = took * 1_000_000 / CUSTOMERS
    print(
        f"{CUSTOMERS:,} customers: {took:.1f} s on {cores} cores; the same file again: {again:.1f} "
        "s"
    )
    print(
        f"a million customers: {million:.1f} s, asked for {TARGET:.0f} s: "
        f"{verdict(million <= TARGET)}"
    )


if __name__ == "__main__":
    main()
