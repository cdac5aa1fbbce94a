"""`alerting segments report`, `import-orders` and `recompute`."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import click

from alerting.adapters.imports.order_files import OrderColumns, read_orders
from alerting.adapters.reports.pictures import segment_pictures
from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import counted, printable
from alerting.domain.times.durations import format_duration, parse_duration
from alerting.services.alerts.recompute_all import recompute
from alerting.services.customers.segment_report import SegmentLine, as_json, segment_report
from alerting.services.customers.value_customers import renew_scale
from alerting.services.imports.import_orders import Order, import_orders


@click.command("report")
@click.option(
    "--period",
    default="90d",
    show_default=True,
    help="How far back cases, answers and moves are counted.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the pictures (SVG).",
)
@click.option("--json", "as_json_", is_flag=True)
def report(period: str, pictures: Path | None, as_json_: bool) -> None:
    """Are the segments any good: size, revenue, satisfaction, cases, calls, customers won back,
    moves.
    """
    try:
        length = parse_duration(period)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--period") from error
    with opened() as app:
        found = segment_report(app.ctx, length)
    if pictures is not None:
        pictures.mkdir(parents=True, exist_ok=True)
        for name, svg in segment_pictures(found).items():
            (pictures / f"{name}.svg").write_text(svg, encoding="utf-8")
    if as_json_:
        print_json(as_json(found))
        return
    heading = [
        "segment",
        "customers",
        "revenue",
        "of all",
        "negative",
        "cases",
        "calls kept",
        "median",
        "won back",
        "in",
        "out",
    ]
    table(heading, [_row(line) for line in found.lines])
    if found.pareto:
        fifth = found.pareto[1]
        click.echo(
            f"\n{fifth.of_buyers:.0%} of the customers bring {fifth.of_purchases:.0%} of all "
            f"{found.pareto_of}."
        )
    for (a, b), n in found.ways.most_common():
        click.echo(f"  {n} moved from {a} to {b}")
    for warning in found.warnings:
        click.echo(f"! {warning}")


def _row(line: SegmentLine) -> list[object]:
    kept = line.calls.share if line.calls else None
    median = line.calls.median.value if line.calls and line.calls.median else None
    return [
        line.segment,
        line.customers,
        f"{int(line.revenue):,}",
        _percent(line.revenue_share),
        _percent(line.negative_share),
        line.cases,
        _percent(kept),
        format_duration(median) if median is not None else "",
        line.won_back,
        line.entered,
        line.left,
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


@click.command("import-orders")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
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
def import_orders_(file: str, customer: str, date_: str, amount: str) -> None:
    """Take purchases from a list of orders. The same file again changes nothing; exit code 1 where
    a row was bad.
    """
    with opened() as app:
        with app.ctx.db.read() as tx:
            tomorrow = (tx.now() + timedelta(days=1)).date()  # somewhere it has begun
        read = read_orders(
            file, OrderColumns(customer=customer, date=date_, amount=amount), until=tomorrow
        )
        for line, reason in read.bad:
            click.echo(f"{read.name}:{line}: {printable(reason)}", err=True)
        rows = [*read.purchases, *read.returns]
        with click.progressbar(length=len(rows), label="Importing", file=sys.stderr) as bar:
            orders = (Order(customer=row.customer, day=row.day, amount=row.amount) for row in rows)
            done = import_orders(app.ctx, read.name, orders, bar.update)
        renew_scale(app.ctx, at_once=bool(done.new))
    click.echo(
        f"{counted(done.new, 'new purchase')}, {done.known} known already, {len(read.returns)} of "
        "them returns, "
        f"{counted(len(read.bad) + done.refused, 'bad row')}."
    )
    if read.bad or done.refused:
        sys.exit(1)


@click.command("recompute")
@click.option(
    "--processes",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="one for each core",
)
def recompute_(processes: int) -> None:
    """Look at every customer again now: cut points of value, segments, tags. By itself that happens
    every night.
    """
    with opened() as app, click.progressbar(length=1, label="Looking", file=sys.stderr) as bar:

        def step(done: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(done)

        looked = recompute(app.ctx, processes, step)
    moved = counted(looked.moves, "move")
    click.echo(
        f"{counted(looked.customers, 'customer')} looked at, {moved}{_value(looked.renewed)}."
    )


def _value(renewed: bool) -> str:
    return ", value computed anew" if renewed else ""
