"""`alerting segments diff` and `members`: who would move, and who is where."""

import csv
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import click

from alerting.cli.alerts.backtest import folder_rulebook
from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import counted, printable, spreadsheet_cell
from alerting.database.customers import customers, memberships
from alerting.services.alerts.backtest import Backtest, Extent, backtest
from alerting.services.customers.segment_diff import Mover, SegmentDiff, segment_diff

SHOWN = 20
MONTH = timedelta(days=30)


@click.command("diff")
@click.option(
    "--rules",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    help="The edited rules/ folder; templates/ are looked for beside it.",
)
@click.option(
    "--csv",
    "csv_",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write everybody who moves here.",
)
@click.option("--json", "as_json_", is_flag=True)
def diff(folder: Path, csv_: Path | None, as_json_: bool) -> None:
    """Who would move from where to where, and what that would have changed in last month's mails.
    Changes nothing.
    """
    with opened() as app, click.progressbar(length=1, label="Comparing", file=sys.stderr) as bar:

        def step(done: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(done)

        other = folder_rulebook(folder, app)
        found = segment_diff(app.ctx, other, step)
        with app.ctx.db.read() as tx:
            month_ago = tx.now() - MONTH
        mails = backtest(app.ctx, Extent(begin=month_ago), other)
    if csv_ is not None:
        with csv_.open("w", encoding="utf-8-sig", newline="") as file:
            _write(
                file,
                MOVERS,
                (
                    [m.customer_id, m.name, m.from_segment, m.to_segment, m.why]
                    for m in found.movers
                ),
            )
    if as_json_:
        print_json({**found.as_json(), "mails_last_month": mails.noise, "alerts": _alerts(mails)})
        return
    _tell(found, mails)
    if csv_ is not None:
        click.echo(f"Everybody who moves: {csv_}")


MOVERS = ("customer_id", "name", "from", "to", "why")


def _alerts(mails: Backtest) -> dict[str, int]:
    return {"new": mails.found.new, "gone": mails.found.gone}


def _tell(found: SegmentDiff, mails: Backtest) -> None:
    moving = sum(found.ways.values())
    click.echo(f"{counted(found.customers, 'customer')}, {moving} would move to another segment.")
    names = sorted(found.before.keys() | found.after.keys())
    table(
        ["segment", "now", "then"],
        [[name, found.before[name], found.after[name]] for name in names],
    )
    if found.ways:
        click.echo()
        table(["from", "to", "customers"], [[a, b, n] for (a, b), n in found.ways.most_common()])
    tags = [m for m in found.movers if m.tags_added or m.tags_removed]
    if tags:
        click.echo(f"\n{counted(len(tags), 'customer')} would have other tags.")
    if found.movers:
        click.echo("\nAmong them:")
        table(
            ["customer", "name", "from", "to", "tags", "why"],
            [_row(m) for m in found.movers[:SHOWN]],
        )
    new, gone = mails.found.new, mails.found.gone
    click.echo(f"\nLast month that would have been {counted(new, 'alert')} more and {gone} fewer.")
    for line in mails.noise:
        click.echo(f"{'! ' if 'more' in line else '  '}{line}")


def _row(mover: Mover) -> list[object]:
    tags = [*(f"+{tag}" for tag in mover.tags_added), *(f"-{tag}" for tag in mover.tags_removed)]
    names = (mover.customer_id, mover.name)
    return [
        *map(printable, names),
        mover.from_segment,
        mover.to_segment,
        " ".join(tags),
        printable(mover.why),
    ]


MEMBERS = ("customer_id", "name", "segment", "tags", "since", "do_not_survey", "case")


@click.command("members")
@click.option("--segment", help="Only this segment.")
@click.option("--tag", help="Only customers with this tag.")
@click.option(
    "--do-not-survey", "unresolved", is_flag=True, help="Only customers with an unresolved case."
)
@click.option(
    "--csv", "csv_", type=click.Path(dir_okay=False, path_type=Path), help="Write a CSV file."
)
@click.option("--json", "as_json_", is_flag=True)
def members(
    segment: str | None, tag: str | None, unresolved: bool, csv_: Path | None, as_json_: bool
) -> None:
    """Who is in which segment and since when; and whom not to survey, because a case of theirs is
    open.
    """
    with opened() as app, app.ctx.db.read() as tx:
        now = tx.now()
        rows = [
            row
            for row in memberships.members(tx, segment, tag)
            if row.case_id is not None or not unresolved
        ]
        histories = customers.histories(tx, [row.customer_key for row in rows])
    found = [
        {
            "customer_id": row.customer_key,
            "name": histories[row.customer_key].as_of(now).name,
            "segment": row.segment,
            "tags": " ".join(row.tags),
            "since": f"{row.valid_from:%Y-%m-%dT%H:%M:%SZ}",
            "do_not_survey": "yes" if row.case_id is not None else "no",
            "case": f"C-{row.case_id}" if row.case_id is not None else "",
        }
        for row in rows
    ]
    if csv_ is not None:
        with csv_.open("w", encoding="utf-8-sig", newline="") as file:
            _write(file, MEMBERS, ([one[name] for name in MEMBERS] for one in found))
        click.echo(f"{counted(len(found), 'customer')}: {csv_}")
    elif as_json_:
        print_json(found)
    else:
        table(list(MEMBERS), [[printable(one[name]) for name in MEMBERS] for one in found])


def _write(file: TextIO, heading: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    writer = csv.writer(file)
    writer.writerow(heading)
    for row in rows:
        writer.writerow([spreadsheet_cell(value) for value in row])
