"""`alerting rules backtest`: what a rule would have done, before it sends anything."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from pathlib import Path

import click

from alerting.adapters.files.parquet import FactsExport, exporting
from alerting.adapters.reports.pictures import weeks_picture
from alerting.bootstrap import App
from alerting.cli.rulebook.written import written_rulebook
from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import counted, printable
from alerting.domain.alerts.backtest import Tally, TestedAlert
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.times.durations import parse_duration
from alerting.services.alerts.backtest import Backtest, Effort, Extent, backtest


@click.command("backtest")
@click.option("--rule", help="Only this rule's alerts.")
@click.option(
    "--rules",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A rules/ folder to compare the active rulebook with; templates/ are looked for beside "
    "it.",
)
@click.option(
    "--since",
    default="90d",
    show_default=True,
    help="How far back: 90d, or a day such as 2026-01-01.",
)
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture here."
)
@click.option(
    "--facts",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for Parquet files: the facts each event was judged by, and the alerts.",
)
@click.option("--json", "as_json_", is_flag=True)
def backtest_(
    rule: str | None,
    folder: Path | None,
    since: str,
    svg: Path | None,
    facts: Path | None,
    as_json_: bool,
) -> None:
    """Judge the stored events again, with customers as they were then. Changes and sends nothing.

    Without --rules: what the active rulebook alerts. With it: what would be new, and what gone.
    """
    with opened() as app:
        other = None if folder is None else folder_rulebook(folder, app)
        with app.ctx.db.read() as tx:
            now, active = tx.now(), app.ctx.shelf.active(tx)
        known = {r.id for book in (active, other or active) for r in book.rules}
        if rule is not None and rule not in known:
            raise LookupError(f"there is no rule {rule!r}; known are {', '.join(sorted(known))}")
        begin = _begin(since, now)
        with _kept(facts, active, other) as export:
            found = _judged(app, begin, other, rule, export)
    if svg is not None:
        svg.write_text(_picture(found), encoding="utf-8")
    if as_json_:
        print_json(found.as_json())
        return
    _tell(found)
    if svg is not None:
        click.echo(f"Picture: {svg}")
    if facts is not None:
        click.echo(f"Facts and alerts: {facts}")


def folder_rulebook(folder: Path, app: App) -> Rulebook:
    """The rulebook of an edited rules/ folder, with the templates beside it or those of the
    settings.
    """
    templates = folder.parent / "templates"
    mails = templates if templates.is_dir() else app.settings.templates
    return written_rulebook(app, folder, mails)[0]


def _kept(
    folder: Path | None, active: Rulebook, other: Rulebook | None
) -> AbstractContextManager[FactsExport | None]:
    if folder is None:
        return nullcontext()
    books = {"a": active.vocabulary.facts()}
    return exporting(folder, books if other is None else {**books, "b": other.vocabulary.facts()})


def _judged(
    app: App, begin: datetime, other: Rulebook | None, rule: str | None, export: FactsExport | None
) -> Backtest:
    with click.progressbar(length=1, label="Judging", file=sys.stderr) as bar:

        def step(done: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(done)

        keeping = None if export is None else export.keeping
        effort = Effort(processes=os.cpu_count() or 1, keeping=keeping, progress=step)
        return backtest(app.ctx, Extent(begin=begin, rule=rule), other, effort)


def _begin(since: str, now: datetime) -> datetime:
    try:
        return datetime.fromisoformat(since).replace(tzinfo=now.tzinfo)
    except ValueError:
        pass
    try:
        return now - parse_duration(since)
    except ValueError as error:
        raise click.BadParameter(
            "write 90d, or a day such as 2026-01-01", param_hint="--since"
        ) from error


def _picture(found: Backtest) -> str:
    series = {f"active ({found.a[:8]})" if found.b else "alerts": found.found.a.by_week}
    if found.b and found.found.b:
        series[f"as in the folder ({found.b[:8]})"] = found.found.b.by_week
    what = f"Alerts of {found.rule}" if found.rule else "Alerts"
    return weeks_picture(series, f"{what} a week since {found.begin:%Y-%m-%d}")


def _tell(found: Backtest) -> None:
    a, b = found.found.a, found.found.b
    books = f"rulebook A {found.a[:12]} (active)" + (
        f", B {found.b[:12]} (folder)" if found.b else ""
    )
    click.echo(
        f"{counted(found.found.events, 'event')} since {found.begin:%Y-%m-%d %H:%M}Z; {books}"
    )
    for title, name in (
        ("week of", "by_week"),
        ("rule", "by_rule"),
        ("segment", "by_segment"),
        ("mails to", "by_person"),
    ):
        click.echo()
        _counts(title, name, a, b, found.names if name == "by_person" else {})
    if b is None:
        _samples("Newest alerts", found.found.samples_new)
        return
    _samples(f"{counted(found.found.new, 'alert')} only in B", found.found.samples_new)
    _samples(f"{counted(found.found.gone, 'alert')} only in A", found.found.samples_gone)
    for line in found.noise:
        click.echo(f"{'! ' if 'more' in line else '  '}{line}")


def _counts(title: str, name: str, a: Tally, b: Tally | None, names: dict[str, str]) -> None:
    tallies = [tally for tally in (a, b) if tally is not None]
    counts: list[Mapping[object, int]] = [getattr(tally, name) for tally in tallies]
    keys = sorted({key for each in counts for key in each}, key=str)
    rows: list[list[object]] = [
        [names.get(str(key), str(key)), *(each.get(key, 0) for each in counts)] for key in keys
    ]
    if name == "by_rule":
        rows.append(["all", *(tally.alerts for tally in tallies)])
    table([title, "A", "B"][: len(tallies) + 1], rows)


def _samples(title: str, samples: Sequence[TestedAlert]) -> None:
    click.echo(f"\n{title}{':' if samples else '.'}")
    for alert in samples:
        who = printable(alert.customer_name)
        click.echo(
            f"  {alert.time:%Y-%m-%d %H:%M}Z {who} ({alert.segment}): {alert.rule}, event "
            f"{printable(alert.event_id)}"
        )
