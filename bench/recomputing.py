"""Segments, tags and RFM of a million customers computed anew: under sixty seconds and 1.5 GB on
two cores.

Run by `make bench`; making the customers and their purchases does not count.
"""

import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerting.adapters.rulebook.people_file import read_people
from alerting.bootstrap import App
from alerting.database.engine import Transaction
from alerting.database.tables import customer, customer_version, signal_point
from alerting.domain.customers.value import PURCHASED
from alerting.services.alerts.recompute_all import recompute
from alerting.services.rulebook.activation import activate_rulebook
from bench.backtest import installation, rules
from bench.measuring import ROOT, verdict, where_and_what

CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000000"))
SECONDS, GIGABYTES = 60.0, 1.5
BATCH = 20_000

SEGMENTS = """segments:
  - {id: key, title: key account, rank: 9, members: key_accounts.csv}
  - {id: unverified, title: unverified customer, when: "revenue_with_us IS NULL"}
  - {id: champion, rank: 8, when: "value_decile = 1 AND revenue_with_us >= 200000"}
  - {id: loyal, rank: 7, when: "rfm LIKE '_55' OR rfm LIKE '_54'"}
  - {id: hospital, rank: 6, when: "industry = 'healthcare' AND revenue_with_us >= 100000"}
  - {id: high_potential, rank: 5, when: "revenue_with_us >= 250000"}
  - {id: fading, rank: 4, when: "rfm LIKE '1__' AND revenue_with_us >= 50000"}
  - {id: abroad, rank: 3, when: "country NOT IN ('DE', 'AT') AND revenue_with_us >= 50000"}
  - {id: middle, rank: 2, when: "revenue_with_us >= 50000"}
  - {id: low_potential, rank: 1, otherwise: true}
tags:
  renewal_soon: "days_to_renewal BETWEEN 0 AND 90"
  overdue: "days_to_renewal < 0"
  bought_lately: "customer.days_since_purchase <= 30"
  sleeping: "customer.purchases > 0 AND customer.days_since_purchase > 180"
  big_buyer: "customer.purchased >= 5000"
"""


def store_customers(
    tx: Transaction, now: datetime, count: int, purchases: str | None = None
) -> None:
    """Customers as an import leaves them; with `purchases`, their definition, two out of three have
    bought something.
    """
    rnd = random.Random(1)
    for begin in range(0, count, BATCH):
        keys = [f"C{n:07}" for n in range(begin, min(begin + BATCH, count))]
        tx.execute(customer.insert(), [{"key": key, "first_seen_at": now} for key in keys])
        tx.execute(customer_version.insert(), [_version(rnd, key, now) for key in keys])
        if purchases is not None:
            tx.execute(
                signal_point.insert(),
                [row for key in keys for row in _purchases(rnd, key, now, purchases)],
            )


def _version(rnd: random.Random, key: str, now: datetime) -> dict[str, Any]:
    state = {
        "name": f"Invented {key}",
        "country": rnd.choice(["DE", "AT", "FR", "US"]),
        "industry": rnd.choice(["retail", "machinery", "healthcare"]),
        "revenue_with_us": rnd.randrange(400_000),
        "renewal_date": (now + timedelta(days=rnd.randrange(-100, 600))).date().isoformat(),
    }
    known = {
        "valid_from": now - timedelta(days=100),
        "recorded_at": now,
        "source": "/bench",
        "changes": {},
    }
    return {**known, "customer_key": key, "event_id": key, "state": state}


def _purchases(
    rnd: random.Random, key: str, now: datetime, definition: str
) -> Iterator[dict[str, Any]]:
    for n in range(rnd.randrange(3)):
        at, amount = now - timedelta(days=rnd.randrange(360)), rnd.randrange(10, 9_000)
        place = {"time": at, "source": "/bench", "event_id": f"{key}-{n}"}
        yield {
            "definition": definition,
            "customer_key": key,
            "kind": "mark",
            "value": amount,
            **place,
        }


def set_up(app: App) -> None:
    files = {**rules(), "rules/segments.yaml": SEGMENTS}
    files["rules/routing.yaml"] = files["rules/routing.yaml"].split("segments:\n")[0]
    activate_rulebook(
        app.ctx,
        files,
        read_people(ROOT / "rules" / "people.yaml"),
        author="bench",
        reason="segments",
    )
    with app.ctx.db.write() as tx:
        signals = app.ctx.shelf.active(tx).signals
        store_customers(tx, tx.now(), CUSTOMERS, signals[PURCHASED].definition)


def main() -> None:
    print(where_and_what())
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        set_up(app)
        for what in ("at first, when everybody is new", "once more"):
            begun = time.monotonic()
            looked = recompute(app.ctx, processes=cores)
            took = time.monotonic() - begun
            print(
                f"{what}: {looked.customers:,} customers in {took:.1f} s on {cores} cores, "
                f"{looked.moves:,} moves"
            )
        app.close()
    million = took * 1_000_000 / CUSTOMERS
    own, children = (
        resource.getrusage(who).ru_maxrss / 1e6
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    most = own + cores * children
    print(
        f"a million customers: {million:.1f} s, asked for {SECONDS:.0f} s: "
        f"{verdict(million <= SECONDS)}"
    )
    print(f"memory: at most {most:.2f} GB, asked for {GIGABYTES} GB: {verdict(most <= GIGABYTES)}")


if __name__ == "__main__":
    main()
