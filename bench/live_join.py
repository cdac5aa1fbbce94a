"""What an event costs from record to alert with 10,000 and with a million customers: at most 1.3
times as much.

Answers of random customers are taken in batches of a hundred, as the consumer does, on the embedded
database: parsed, stored, joined with customer, segment, signals and history, judged. Run by `make
bench`; making the customers does not count.
"""

import json
import os
import random
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from alerting.bootstrap import App
from alerting.services.intake.take_records import Record, take_records
from bench.backtest import installation
from bench.measuring import ROUNDS, take_turns, verdict, where_and_what
from bench.recomputing import store_customers

TARGET = 1.3
SIZES = (10_000, int(os.environ.get("BENCH_CUSTOMERS", "1000000")))
BATCHES, BATCH = 10, 100


def answers(app: App, customers: int) -> Callable[[], None]:
    """Takes a thousand answers, others each time."""
    rnd = random.Random(customers)

    def run() -> None:
        for _ in range(BATCHES):
            take_records(app.ctx, [_answer(rnd, customers) for _ in range(BATCH)])

    return run


def _answer(rnd: random.Random, customers: int) -> Record:
    number, key = rnd.randrange(10**15), f"C{rnd.randrange(customers):07}"
    said = {
        "customer_id": key,
        "survey_id": "relationship",
        "metric": "nps",
        "score": rnd.randrange(11),
    }
    envelope = {
        "specversion": "1.0",
        "type": "survey.answered",
        "source": "/bench",
        "id": str(number),
        "data": said,
    }
    return Record(
        place=f"bench:{number}",
        offset=0,
        value=json.dumps(envelope).encode(),
        headers={},
        timestamp=None,
    )


def main() -> None:
    print(f"The live join: answers in batches of {BATCH}; median of {ROUNDS} rounds")
    print(f"  {where_and_what()}")
    with ExitStack() as stack:
        contestants = {}
        for size in SIZES:
            app = installation(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            stack.callback(app.close)
            with app.ctx.db.write() as tx:
                store_customers(tx, tx.now(), size)
            contestants[f"{size:,}"] = answers(app, size)
        times = take_turns(contestants)
    few, many = contestants
    for name in contestants:
        print(
            f"  {name:>10} customers {times.median(name) / BATCHES / BATCH * 1e3:8.2f} ms an event"
        )
    ratio = times.ratio(many, few)
    print(f"  {ratio:.2f} x, at most {TARGET}: {verdict(ratio <= TARGET)}")


if __name__ == "__main__":
    main()
