"""`alerting segments value`: what each customer will probably buy, from a list of orders."""

import math
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from alerting.adapters.imports.order_files import OrderColumns, Orders, read_day, read_orders
from alerting.cli.extras import discover_extra
from alerting.cli.options import gathered
from alerting.cli.shared import plain_errors, print_json, table
from alerting.cli.words import counted, printable
from alerting.discover.purchases import Buyer, bought_between, buyers
from alerting.domain.errors import NoEstimate

if TYPE_CHECKING:
    from alerting.discover.bgnbd import Fit

UNIT = "weeks"
_LONGEST = 5_200
"""Weeks: a century. A forecast for longer than anybody lives is a slip of the pen."""

_GAP = timedelta(weeks=4)
"""From the last purchase of a file to the end of the period; with a longer one the file probably
ends early.
"""

_BANDS = (0.0, 0.1, 0.5, 1.0, 2.0, 5.0, math.inf)
_TOP = 10


class Day(click.ParamType[date]):
    """`1997-09-30` or `19970930`."""

    name = "date"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        try:
            return value if isinstance(value, date) else read_day(str(value).strip())
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Weeks(click.ParamType[float]):
    """`39`, more than nothing."""

    name = "weeks"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            weeks = float(str(value))
        except ValueError:
            weeks = math.nan
        if not 0 < weeks <= _LONGEST:
            self.fail(f"{value!r} is no number of weeks above 0 and up to {_LONGEST}", param, ctx)
        return weeks


@dataclass(frozen=True, kw_only=True)
class Valued:
    """One customer as printed. `T` is the paper's letter for the weeks observed."""

    customer: str
    frequency: int
    recency: float
    T: float
    expected_purchases: float
    p_alive: float


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Which list of orders, learnt from until `end`, and for how many weeks after it."""

    orders: str
    customer: str
    date_: str
    amount: str
    end: date
    horizon: float
    as_json_: bool


@click.command()
@click.option(
    "--orders",
    required=True,
    type=click.Path(exists=True, dir_okay=False),
    help="One line per purchase.",
)
@click.option(
    "--customer", required=True, help="The column of the customer: its name, or its number from 1."
)
@click.option(
    "--date",
    "date_",
    required=True,
    help="The column of the day: 1997-01-31, 19970131 or a timestamp.",
)
@click.option("--amount", required=True, help="The column of the amount.")
@click.option(
    "--train-end",
    "end",
    required=True,
    type=Day(),
    help="Learn from purchases up to and on this day.",
)
@click.option(
    "--horizon",
    default=39.0,
    show_default=True,
    type=Weeks(),
    help="Expect purchases in so many weeks after it.",
)
@click.option("--json", "as_json_", is_flag=True)
@gathered(_Asked)
def value(asked: _Asked) -> None:
    """What each customer will probably buy, by BG/NBD (Fader, Hardie and Lee, 2005). Needs
    alerting[discover].

    Purchases of one day are one, returns (negative amounts) are none. Rows that cannot be read are
    named with their line and left out; the exit code is 0 as long as the model can be fitted.
    """
    with plain_errors():
        with discover_extra():
            from alerting.discover.bgnbd import Histories, fit
            from alerting.discover.forecast import forecast
        read = read_orders(
            asked.orders,
            OrderColumns(customer=asked.customer, date=asked.date_, amount=asked.amount),
        )
        known = buyers(read.purchases, asked.end)
        _tell_omitted(read, known, asked.end)
        histories = Histories.of(known)
        fitted = fit(histories)
        expected = forecast(fitted.parameters, histories, asked.horizon)
    _warn(fitted)
    pairs = zip(known, expected.expected_purchases.tolist(), expected.p_alive.tolist(), strict=True)
    found = [_valued(buyer, purchases, alive) for buyer, purchases, alive in pairs]
    if asked.as_json_:
        print_json(
            {
                "parameters": asdict(fitted.parameters),
                "log_likelihood": fitted.log_likelihood,
                "unit": UNIT,
                "customers": [asdict(one) for one in found],
            }
        )
        return
    _tell(fitted, known, found, asked.end, asked.horizon)
    made = bought_between(
        read.purchases, [buyer.customer for buyer in known], asked.end, asked.horizon
    )
    if made is not None:
        click.echo(
            f"\nThe file itself shows {made} purchases of these customers in those "
            f"{asked.horizon:g} weeks."
        )


def _valued(buyer: Buyer, purchases: float, alive: float) -> Valued:
    return Valued(
        customer=buyer.customer,
        frequency=buyer.frequency,
        recency=buyer.recency,
        T=buyer.age,
        expected_purchases=purchases,
        p_alive=alive,
    )


def _tell_omitted(read: Orders, known: Sequence[Buyer], end: date) -> None:
    for line, reason in read.bad:
        click.echo(f"{read.name}:{line}: {printable(reason)}", err=True)
    if read.guessed_heading is not None:
        click.echo(f"{read.name}:{read.guessed_heading}: taken as the heading", err=True)
    late = len({purchase.customer for purchase in read.purchases}) - len(known)
    for number, what in (
        (len(read.bad), counted(len(read.bad), "bad row")),
        (
            len(read.returns),
            f"{counted(len(read.returns), 'row')} with a negative amount, taken as returns",
        ),
        (late, f"{counted(late, 'customer')} who first bought after {end}"),
    ):
        if number:
            click.echo(f"left out: {what}", err=True)
    days = [purchase.day for purchase in read.purchases]
    if days and end - max(days) > _GAP:
        click.echo(
            f"warning: the last purchase is of {max(days)}; all the time to {end} counts as "
            "silence",
            err=True,
        )
    if not known:
        told = f"they lie between {min(days)} and {max(days)}" if days else "no row can be read"
        raise NoEstimate(f"{read.name} has no purchase up to {end}; {told}")


def _warn(fitted: "Fit") -> None:
    if fitted.undetermined:
        names = ", ".join(fitted.undetermined)
        click.echo(
            f"warning: the data hardly determine {names}: too few customers, or all of them alike. "
            "These parameters mean "
            "little by themselves; with few customers the forecast is a guess, too.",
            err=True,
        )


def _tell(
    fitted: "Fit", known: Sequence[Buyer], found: Sequence[Valued], end: date, horizon: float
) -> None:
    repeated = sum(buyer.frequency for buyer in known)
    again = sum(buyer.frequency > 0 for buyer in known)
    click.echo(
        f"{counted(len(known), 'customer')} up to {end}, {again} of them bought again: "
        f"{counted(repeated, 'repeat purchase')}."
    )
    r, alpha, a, b = astuple(fitted.parameters)
    click.echo(
        f"BG/NBD in weeks: r {r:.4g}, alpha {alpha:.4g}, a {a:.4g}, b {b:.4g}; log likelihood "
        f"{fitted.log_likelihood:.1f}"
    )
    click.echo(f"\nExpected in {horizon:g} weeks, customers by band:")
    rows = [_band(low, high, known, found) for low, high in pairwise(_BANDS)]
    total = sum(one.expected_purchases for one in found)
    rows.append(
        ["all", len(found), "100 %", f"{total:.1f}", f"{sum(buyer.spent for buyer in known):.2f}"]
    )
    table(["purchases each", "customers", "share", "purchases", "spent so far"], rows)
    top = sorted(found, key=lambda one: -one.expected_purchases)[:_TOP]
    click.echo(f"\nThe {len(top)} of whom most is expected:")
    table(
        ["customer", "repeat purchases", "last after", "known for", "expected", "still active"],
        [
            [
                one.customer,
                one.frequency,
                f"{one.recency:.1f}",
                f"{one.T:.1f}",
                f"{one.expected_purchases:.2f}",
                f"{one.p_alive:.0%}",
            ]
            for one in top
        ],
    )


def _band(low: float, high: float, known: Sequence[Buyer], found: Sequence[Valued]) -> list[object]:
    inside = [
        (buyer, one)
        for buyer, one in zip(known, found, strict=True)
        if low <= one.expected_purchases < high
    ]
    name = f"{low:g} or more" if math.isinf(high) else f"{low:g} to {high:g}"
    purchases, spent = (
        sum(one.expected_purchases for _, one in inside),
        sum(buyer.spent for buyer, _ in inside),
    )
    return [
        name,
        len(inside),
        f"{len(inside) / len(found):.0%}",
        f"{purchases:.1f}",
        f"{spent:.2f}",
    ]
