"""A back-test of a million stored events by 20 rules, on the embedded database: under 60 seconds on
two cores.

Run by `make bench`; the events are made first, which takes about as long and does not count.
"""

import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from alerting.adapters.rulebook.people_file import read_people
from alerting.adapters.rulebook.rule_files import read_files
from alerting.bootstrap import App, bootstrap
from alerting.database.engine import Transaction
from alerting.database.migrate import migrate
from alerting.database.tables import customer, customer_version, event
from alerting.services.alerts.backtest import Effort, Extent, backtest
from alerting.services.rulebook.activation import activate_rulebook
from alerting.settings import read_settings
from bench.measuring import ROOT, verdict, where_and_what

EVENTS = int(os.environ.get("BENCH_EVENTS", "1000000"))
EACH = 20
"""Events of a customer."""

TARGET = 60.0
RULES = 20
BATCH = 10_000

RULE = """  - id: extra-{n}
    title: Extra rule {n}
    on: {on}
    when: {{how it is: "{sql}"}}
    severity: normal
    caller: account_owner
    policy: call_in_3d
"""
ON_ANSWERS = "sentiment = 'negative' AND score <= {score} AND customer.country = '{country}'"
ON_CALLS = "calls_in_vain >= {calls} AND customer.revenue_with_us > {revenue}"


def rules() -> dict[str, str]:
    """The starter rules and as many more as make twenty: some rare, some common, half on answers,
    half on calls.
    """
    files = dict(read_files(ROOT / "rules", ROOT / "templates"))
    made = ["rules:\n"]
    for n in range(RULES - 3):
        sql = ON_ANSWERS.format(score=n % 7, country="DE" if n % 3 else "FR")
        if n % 2:
            sql = ON_CALLS.format(calls=2 + n % 4, revenue=n * 20_000)
        made.append(
            RULE.format(n=n, on="interaction.recorded" if n % 2 else "survey.answered", sql=sql)
        )
    return {**files, "rules/escalations/extra.yaml": "".join(made)}


def stored(tx: Transaction, now: datetime) -> None:
    """Customers, and their answers and calls of eighty days."""
    rnd, customers = random.Random(1), EVENTS // EACH
    tx.execute(
        customer.insert(), [{"key": f"C{n}", "first_seen_at": now} for n in range(customers)]
    )
    known = {
        "recorded_at": now,
        "source": "/bench",
        "changes": {},
        "valid_from": now - timedelta(days=100),
    }
    tx.execute(
        customer_version.insert(),
        [
            {
                **known,
                "customer_key": f"C{n}",
                "event_id": str(n),
                "state": {
                    "name": f"C{n}",
                    "country": rnd.choice(["DE", "FR"]),
                    "revenue_with_us": rnd.randrange(400_000),
                },
            }
            for n in range(customers)
        ],
    )
    rows = _events(rnd, customers, now)
    while batch := [row for row, _ in zip(rows, range(BATCH), strict=False)]:
        tx.execute(event.insert(), batch)


def _events(rnd: random.Random, customers: int, now: datetime) -> Iterator[dict[str, Any]]:
    call = {"channel": "phone", "direction": "inbound", "duration_seconds": 60}
    answer = {
        "survey_id": "relationship",
        "metric": "nps",
        "comment": "The delivery was late.",
        "language": "de",
    }
    standing = {
        "source": "/bench",
        "digest": "",
        "raw": b"",
        "place": "bench",
        "clamped": False,
        "rulebook": "",
    }
    for n in range(EVENTS):
        at, key = (
            now - timedelta(seconds=rnd.randrange(80 * 86_400)),
            f"C{rnd.randrange(customers)}",
        )
        said = (
            {**answer, "score": rnd.randrange(11)}
            if n % 2
            else {**call, "outcome": rnd.choice(["resolved", "unresolved"])}
        )
        times = {"time": at, "received_at": at, "recorded_at": at}
        kind = "survey.answered" if n % 2 else "interaction.recorded"
        yield {
            **standing,
            **times,
            "id": str(n),
            "type": kind,
            "customer_key": key,
            "payload": {"customer_id": key, **said},
        }


def installation(folder: Path, database_url: str | None = None) -> App:
    """With the twenty rules, on SQLite in `folder` or on the empty database named."""
    settings = {
        "ALERTING_DATA": str(folder),
        "ALERTING_RULES": str(ROOT / "rules"),
        "ALERTING_TEMPLATES": str(ROOT / "templates"),
        "ALERTING_LOG_LEVEL": "ERROR",
        "ALERTING_LINK_KEYS": "link-key-of-the-bench",
        **({"ALERTING_DATABASE_URL": database_url} if database_url else {}),
    }
    app = bootstrap(read_settings(settings))
    migrate(app.ctx.db)
    people = read_people(ROOT / "rules" / "people.yaml")
    activate_rulebook(app.ctx, rules(), people, author="bench", reason="a back-test")
    return app


def main() -> None:
    print(where_and_what())
    with tempfile.TemporaryDirectory() as folder:
        app = installation(Path(folder))
        with app.ctx.db.write() as tx:
            now = tx.now()
            stored(tx, now)
        cores = os.cpu_count() or 1
        begun = time.monotonic()
        found = backtest(
            app.ctx, Extent(begin=now - timedelta(days=90)), None, Effort(processes=cores)
        ).found
        took = time.monotonic() - begun
        app.close()
    print(
        f"{found.events:,} events x {RULES} rules: {took:.1f} s on {cores} cores, "
        f"{found.a.alerts:,} alerts"
    )
    million = took * 1_000_000 / found.events
    print(
        f"a million events: {million:.1f} s, asked for {TARGET:.0f} s: {verdict(million <= TARGET)}"
    )


if __name__ == "__main__":
    main()
