"""`alerting import FILE`: customers and contacts from a table, tried first if wanted."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Protocol

import click

from alerting.adapters.imports.customer_tables import read_table
from alerting.adapters.imports.mapping_files import read_mapping
from alerting.cli.shared import opened, print_json
from alerting.cli.words import counted, printable
from alerting.domain.customers.customer_diff import CustomerDiff, FieldChange
from alerting.services.imports.customer_table import Table
from alerting.services.imports.import_customers import Imported, Wishes, import_customers
from alerting.services.imports.import_mapping import NO_MAPPING


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--mapping",
    type=click.Path(exists=True, dir_okay=False),
    help="A YAML file: which column is which field.",
)
@click.option("--sheet", help="Which sheet of an Excel workbook.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would change, customer by customer; write nothing."
)
@click.option(
    "--empty-clears",
    is_flag=True,
    help="An empty cell takes the value away; otherwise it says nothing.",
)
@click.option("--json", "as_json_", is_flag=True)
def import_(
    file: str,
    mapping: str | None,
    sheet: str | None,
    dry_run: bool,
    empty_clears: bool,
    as_json_: bool,
) -> None:
    """Import customers and contacts from CSV, Excel or Parquet. The same file again changes
    nothing.

    Good rows are taken, bad ones named with their line; the exit code is 1 where there are any.
    """
    with opened() as app:
        rules = read_mapping(mapping) if mapping else NO_MAPPING
        table = read_table(file, rules, sheet)
        for notice in table.notices:
            click.echo(f"{table.name}: {printable(notice)}", err=True)
        diffs: list[CustomerDiff] = []
        shown = diffs.append if as_json_ else _tell
        with _bar(silent=dry_run and not as_json_) as progress:
            wishes = Wishes(
                dry_run=dry_run,
                empty_clears=empty_clears,
                progress=progress,
                tell=shown if dry_run else None,
                processes=os.cpu_count() or 1,
            )
            result = import_customers(app.ctx, table, wishes)
    _report_rows(table, result)
    if as_json_:
        print_json(_as_json(table, result, diffs if dry_run else None))
    else:
        click.echo(_summary(result, dry_run))
    if result.bad:
        raise SystemExit(1)


class _Bar(Protocol):
    """click's progress bar."""

    pos: int

    def update(self, n_steps: int) -> None: ...


@contextmanager
def _bar(*, silent: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on a terminal; elsewhere nothing. Its length is known when all rows were seen
    once.
    """
    shown = not silent and sys.stderr.isatty()
    bars: list[_Bar] = []

    def step(done: int, of: int) -> None:
        if not shown:
            return
        if not bars:
            bar = click.progressbar(length=of, label="Importing", file=sys.stderr)
            bars.append(held.enter_context(bar))
        bars[0].update(done - bars[0].pos)

    with ExitStack() as held:
        yield step


def _report_rows(table: Table, result: Imported) -> None:
    for line, reason in result.bad:
        click.echo(f"{table.name}:{line}: {printable(reason)}", err=True)
    for line, warning in result.warnings:
        click.echo(f"{table.name}:{line}: warning: {printable(warning)}", err=True)


def _summary(result: Imported, dry_run: bool) -> str:
    said = (
        f"{result.new} new, {result.changed} changed, {result.unchanged} unchanged, "
        f"{counted(len(result.bad), 'bad row')}"
    )
    if dry_run:
        return f"{said}; this was a dry run, nothing was written."
    return f"{said}." if result.new or result.changed else f"{said}; nothing was changed."


def _tell(diff: CustomerDiff) -> None:
    name = f" {diff.name}" if diff.name != diff.customer_id else ""
    click.echo(printable(f"{'+' if diff.new else '~'} {diff.customer_id}{name} (row {diff.line})"))
    for change in diff.fields:
        click.echo(printable(f"    {_change(change, diff.new)}"))


def _change(change: FieldChange, new: bool) -> str:
    after = "nothing" if change.after is None else _shown(change.after)
    before = "nothing" if change.before is None else _shown(change.before)
    return f"{change.field}: {after}" if new else f"{change.field}: {before} -> {after}"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(str(part) for part in value.values())
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 200 else text[:200] + "..."


def _as_json(table: Table, result: Imported, diffs: list[CustomerDiff] | None) -> dict[str, object]:
    counts = {"new": result.new, "changed": result.changed, "unchanged": result.unchanged}
    said: dict[str, object] = {
        "file": table.name,
        "dry_run": diffs is not None,
        **counts,
        "bad": [{"line": line, "reason": reason} for line, reason in result.bad],
        "warnings": [{"line": line, "reason": reason} for line, reason in result.warnings],
        "notices": list(table.notices),
    }
    if diffs is not None:
        said["customers"] = [{**asdict(diff), "kind": diff.kind} for diff in diffs]
    return said
