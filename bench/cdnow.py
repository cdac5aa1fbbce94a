"""BG/NBD on the CDNOW data beside what Fader, Hardie and Lee published in 2005.

Fetched once, see tests/cdnow.py.
"""

import time
from dataclasses import astuple
from datetime import date
from pathlib import Path

from alerting.adapters.order_files import OrderColumns, read_orders
from alerting.discover.bgnbd import Histories, fit
from alerting.discover.forecast import forecast
from alerting.discover.purchases import bought_between, buyers
from bench.measuring import verdict, where_and_what
from tests.cdnow import MASTER, SAMPLE, cdnow_file

END, WEEKS = date(1997, 9, 30), 39.0
NAMES = ("r", "alpha", "a", "b", "log likelihood")
PUBLISHED = (0.243, 4.414, 0.793, 2.426, -9582.4)
AS_ROUNDED = (0.0006, 0.0006, 0.0006, 0.0006, 0.05)


def main() -> None:
    print(where_and_what())
    found = _measured(SAMPLE, OrderColumns(customer="2", date="3", amount="5"))
    print(f"  {'':16}{'published':>12}{'here':>14}")
    for name, published, here, bound in zip(NAMES, PUBLISHED, found, AS_ROUNDED, strict=True):
        print(f"  {name:16}{published:>12}{here:>14.4f}  {verdict(abs(here - published) <= bound)}")
    _measured(MASTER, OrderColumns(customer="customer_id", date="date", amount="dollar_value"))


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
    print(f"  read in {read - begin:.2f} s, fitted in {learnt - read:.2f} s, expected in {done - learnt:.2f} s")
    print(f"  {', '.join(f'{one:.4f}' for one in astuple(fitted.parameters))}; LL {fitted.log_likelihood:.1f}")
    print(f"  expected in the next {WEEKS:g} weeks {expected:.0f}, bought {made}")
    return (*astuple(fitted.parameters), fitted.log_likelihood)


if __name__ == "__main__":
    main()
