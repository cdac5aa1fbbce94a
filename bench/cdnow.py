"""The CDNOW data through import, RFM and Pareto, and BG/NBD beside what Fader, Hardie and Lee
published in 2005.

Fetched once, see tests/support/cdnow.py. The clock stands at the end of the data, 30 June 1998.
"""

import csv
import os
import tempfile
import time
from collections import Counter
from dataclasses import astuple
from datetime import UTC, date, datetime
from pathlib import Path

from alerting.adapters.imports.customer_tables import read_table
from alerting.adapters.imports.order_files import OrderColumns, read_orders
from alerting.adapters.rulebook.people_file import read_people
from alerting.adapters.rulebook.rule_files import read_files
from alerting.bootstrap import App, bootstrap
from alerting.database import instance
from alerting.database.customers import memberships
from alerting.database.migrate import migrate
from alerting.discover.bgnbd import Histories, fit
from alerting.discover.forecast import forecast
from alerting.discover.purchases import bought_between, buyers
from alerting.domain.customers.value import GROUPS
from alerting.services.alerts.recompute_all import recompute
from alerting.services.customers.value_customers import buyers_of, pareto
from alerting.services.imports.import_customers import Wishes, import_customers
from alerting.services.imports.import_orders import Order, import_orders
from alerting.services.rulebook.activation import activate_rulebook
from alerting.settings import read_settings
from bench.measuring import ROOT, verdict, where_and_what
from tests.support.cdnow import MASTER, SAMPLE, cdnow_file

END, WEEKS = date(1997, 9, 30), 39.0
NAMES = ("r", "alpha", "a", "b", "log likelihood")
PUBLISHED = (0.243, 4.414, 0.793, 2.426, -9582.4)
AS_ROUNDED = (0.0006, 0.0006, 0.0006, 0.0006, 0.05)

NOW = datetime(1998, 6, 30, 23, tzinfo=UTC)
SEGMENTS = "segments:\n" + "".join(
    f"  - {{id: {name}, when: \"rfm_group = '{name}'\"}}\n" for name in GROUPS
)


def main() -> None:
    print(where_and_what())
    _through_the_product(
        MASTER, OrderColumns(customer="customer_id", date="date", amount="dollar_value")
    )
    print(f"\nBG/NBD, learnt up to {END}")
    found = _measured(SAMPLE, OrderColumns(customer="2", date="3", amount="5"))
    print(f"  {'':16}{'published':>12}{'here':>14}")
    for name, published, here, bound in zip(NAMES, PUBLISHED, found, AS_ROUNDED, strict=True):
        print(f"  {name:16}{published:>12}{here:>14.4f}  {verdict(abs(here - published) <= bound)}")
    _measured(MASTER, OrderColumns(customer="customer_id", date="date", amount="dollar_value"))


def _through_the_product(name: str, columns: OrderColumns) -> None:
    """Customers and orders imported, value computed, everybody put into the segment of its RFM
    group.
    """
    with tempfile.TemporaryDirectory() as folder:
        app = _installation(Path(folder))
        orders = read_orders(str(cdnow_file(name)), columns)
        people = Path(folder) / "customers.csv"
        with people.open("w", newline="") as file:
            keys = sorted({order.customer for order in orders.purchases})
            csv.writer(file).writerows(
                [("customer_id", "name"), *((key, f"CDNOW customer {key}") for key in keys)]
            )
        begin = time.perf_counter()
        known = import_customers(
            app.ctx, read_table(str(people)), Wishes(processes=os.cpu_count() or 1)
        )
        bought = [Order(customer=o.customer, day=o.day, amount=o.amount) for o in orders.purchases]
        done = import_orders(app.ctx, name, bought)
        imported = time.perf_counter()
        looked = recompute(app.ctx, processes=os.cpu_count() or 1)
        print(
            f"\n{name}: {known.new:,} customers and {done.new:,} purchases imported in "
            f"{imported - begin:.1f} s, ",
            end="",
        )
        print(
            f"{looked.customers:,} valued in {time.perf_counter() - imported:.1f} s; "
            f"{done.refused} refused"
        )
        _tell(app)
        app.close()


def _installation(folder: Path) -> App:
    settings = {
        "ALERTING_DATA": str(folder),
        "ALERTING_RULES": str(ROOT / "rules"),
        "ALERTING_LOG_LEVEL": "ERROR",
    }
    app = bootstrap(read_settings({**settings, "ALERTING_TEMPLATES": str(ROOT / "templates")}))
    migrate(app.ctx.db)
    with app.ctx.db.write() as tx:
        instance.begin_instance(tx, "demo", tx.now())
        instance.move_demo_clock(tx, NOW - tx.now())
    files = read_files(ROOT / "rules", ROOT / "templates")
    routing = files["rules/routing.yaml"].split("segments:\n")[0]
    files |= {
        "rules/value.yaml": "within: 600d\n",
        "rules/segments.yaml": SEGMENTS,
        "rules/routing.yaml": routing,
    }
    files = {
        path: text
        for path, text in files.items()
        if not path.startswith(("rules/escalations/", "rules/tests/"))
    }
    files["rules/escalations/value.yaml"] = RULE
    activate_rulebook(
        app.ctx, files, read_people(ROOT / "rules" / "people.yaml"), author="bench", reason="CDNOW"
    )
    return app


RULE = """rules:
  - id: champion-unhappy
    title: A champion is unhappy
    on: survey.answered
    when: {is a champion: "customer.rfm_group = 'champions'"}
    severity: normal
    caller: account_owner
    policy: call_in_3d
"""


def _tell(app: App) -> None:
    with app.ctx.db.read() as tx:
        buyers = buyers_of(tx, app.ctx.shelf.active(tx), tx.now())
        groups = {row.customer_key: row.segment for row in memberships.members(tx, None, None)}
    sizes = Counter(groups.values())
    total = sum(bought.purchased for _, bought in buyers)
    money: Counter[str] = Counter()
    for key, bought in buyers:
        money[groups[key]] += float(bought.purchased)  # type: ignore[assignment]
    for group, count in sizes.most_common():
        print(
            f"  {group:14}{count:>7,} customers {count / sum(sizes.values()):>6.1%}  "
            f"{money[group] / float(total):>6.1%} of all"
        )
    shares = pareto([bought.purchased for _, bought in buyers])
    print(
        "  who brings how much: "
        + ", ".join(f"{s.of_buyers:.0%}: {s.of_purchases:.0%}" for s in shares[:5])
    )


def _measured(name: str, columns: OrderColumns) -> tuple[float, ...]:
    path: Path = cdnow_file(name)
    begin = time.perf_counter()
    orders = read_orders(str(path), columns)
    read = time.perf_counter()
    known = buyers(orders.purchases, END)
    histories = Histories.of(known)
    fitted = fit(histories)
    learnt = time.perf_counter()
    expected = forecast(fitted.parameters, histories, WEEKS).expected_purchases.sum()
    done = time.perf_counter()
    made = bought_between(orders.purchases, [buyer.customer for buyer in known], END, WEEKS)
    print(f"\n{name}: {len(orders.purchases)} purchases, {len(known)} customers up to {END}")
    print(
        f"  read in {read - begin:.2f} s, fitted in {learnt - read:.2f} s, expected in "
        f"{done - learnt:.2f} s"
    )
    print(
        f"  {', '.join(f'{one:.4f}' for one in astuple(fitted.parameters))}; LL "
        f"{fitted.log_likelihood:.1f}"
    )
    print(f"  expected in the next {WEEKS:g} weeks {expected:.0f}, bought {made}")
    return (*astuple(fitted.parameters), fitted.log_likelihood)


if __name__ == "__main__":
    main()
