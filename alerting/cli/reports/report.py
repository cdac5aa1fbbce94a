"""`alerting report`: what an auditor asks first, in that order; the clocks behind it as a table."""

from datetime import datetime
from pathlib import Path

import click

from alerting.adapters.reports.report_files import WRITERS
from alerting.cli.shared import opened, print_json, table, writing
from alerting.cli.words import TextType, counted, printable
from alerting.domain.errors import ActionRefused
from alerting.domain.reports.attainment import Quantile
from alerting.domain.reports.selection import selection
from alerting.domain.times.durations import format_duration
from alerting.services.reports.report import report, unknown_names
from alerting.services.reports.report_clocks import clock_rows
from alerting.services.reports.report_lines import Line, Report, as_json

SHOWN = 20
"""Breaches that are told one by one; --json and --out have more."""


@click.command("report")
@click.option(
    "--from",
    "begin",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Clocks started on this day or later (UTC).",
)
@click.option(
    "--to",
    "end",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Clocks started on this day or earlier (UTC).",
)
@click.option(
    "--person",
    type=TextType(blank=True),
    default="",
    help="Only what this person or office owes, by id.",
)
@click.option(
    "--team", type=TextType(blank=True), default="", help="Only what members of this team owe."
)
@click.option("--segment", type=TextType(blank=True), default="")
@click.option(
    "--territory",
    type=TextType(blank=True),
    default="",
    help='Only customers of this one, like "DE / BE".',
)
@click.option("--rule", type=TextType(blank=True), default="", help="Only cases this rule opened.")
@click.option("--policy", type=TextType(blank=True), default="")
@click.option(
    "--clock", type=TextType(blank=True), default="", help="acknowledge, contact or resolve."
)
@click.option("--json", "as_json_", is_flag=True)
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A row for each clock into FILE: .csv, .xlsx or .parquet.",
)
def report_(
    begin: datetime | None, end: datetime | None, as_json_: bool, file: Path | None, **narrowed: str
) -> None:
    """What arrived, what became of it, and which promises were kept; a promise that is overdue
    counts as missed.
    """
    with opened() as app:
        which = selection(begin.date() if begin else None, end.date() if end else None, narrowed)
        for words in unknown_names(app.ctx, which):
            click.echo(f"warning: {printable(words)}", err=True)
        if file is not None:
            writer = WRITERS.get(file.suffix.lower().removeprefix("."))
            if writer is None:
                raise ActionRefused(f"{file.name} is not .csv, .xlsx or .parquet")
            with writing(file) as out:
                out.write(writer(clock_rows(app.ctx, which)))
            click.echo(f"written: {file}", err=True)
            return
        found = report(app.ctx, which)
    if as_json_:
        print_json(as_json(found))
    else:
        _tell(found)


def _tell(found: Report) -> None:
    _tell_population(found)
    print_lines(found)
    c = found.contacts
    click.echo(
        f"\nContacts: {c.contacts}, proven by phone log {c.phone_log}, by another system's event "
        f"{c.crm_event}, own word "
        f"{c.own_word} ({', '.join(f'{n} {when}' for when, n in c.after.items() if n) or 'none'})"
    )
    _tell_breaches(found)
    for change in found.changes:
        click.echo(
            f"changed {change.at:%Y-%m-%d %H:%M}Z by {printable(change.by)}: "
            f"{printable(change.words)}"
        )
        for sentence in change.rules:
            click.echo(f"  {printable(sentence)}")
    s = found.seal
    click.echo(
        f"Sealed: {s.entries} audit entries, {s.unsealed} not yet; head {s.head}; `alerting audit "
        "verify` computes it again."
    )


def _tell_population(found: Report) -> None:
    for source in found.sources:
        if source.said is None:
            said = (
                "nobody has said what it sent: alerting reconcile --source "
                f"{printable(source.source)} --count FILE"
            )
        else:
            said = (
                f"{source.said['sent']} sent, {source.said['received']} received, "
                f"{source.said['missing']} missing"
            )
        click.echo(f"{printable(source.source)}: {source.received} events here; {said}")
    click.echo(f"Dead letters that wait: {found.dead_letters}")
    p = found.population
    click.echo(
        f"{counted(p.events, 'event')}, {counted(p.negative, 'negative answer')}, "
        f"{counted(p.alerts, 'alert')}, "
        f"{p.joined} joined a case, {counted(p.cases, 'case')}, {counted(p.measured, 'clock')} "
        f"measured of {p.clocks}"
    )
    for one in found.population.excluded:
        click.echo(f"  without {counted(one.count, one.of.removesuffix('s'))}: {one.words}")


def print_lines(found: Report) -> None:
    """How promises were kept, as a table."""
    click.echo("\nPromises that began in the period")
    header = [
        "who",
        "promise",
        "in target",
        "kept",
        "late",
        "overdue",
        "running",
        "paused",
        "median",
        "90 %",
        "slowest",
    ]
    lines = [*found.overall, *found.before, *found.by_person, *found.by_segment]
    lines += [*found.by_team, *found.by_territory, *found.by_rule]
    table([*header, "working median"], [_row(line) for line in lines])


def _row(line: Line) -> list[object]:
    a = line.attainment
    share = "-" if a.share is None else f"{a.share:.0%}"
    felt = [_words(q) for q in (a.felt.median, a.felt.p90, a.felt.slowest)]
    return [
        line.name,
        line.kind,
        share,
        a.met,
        a.late,
        a.overdue,
        a.running,
        a.paused,
        *felt,
        _words(a.working.median),
    ]


def _words(quantile: Quantile | None) -> str:
    if quantile is None:
        return "-"
    return ("≥ " if quantile.at_least else "") + format_duration(quantile.value)


def _tell_breaches(found: Report) -> None:
    click.echo(f"Missed: {found.breaches_total}")
    for b in found.breaches[:SHOWN]:
        over = f"{'' if b.stopped_at else 'open, '}{format_duration(b.over)} over"
        known = (
            "; ".join(
                [
                    *b.reasons,
                    *(word for word in (b.root_cause, b.corrective_action, b.effect) if word),
                ]
            )
            or "no reason known"
        )
        click.echo(
            f"  C-{b.case_id} {printable(b.customer)}: {b.clock} by {b.name}, {over}; "
            f"{printable(known)}"
        )
    if found.breaches_total > SHOWN:
        click.echo(f"  and {found.breaches_total - SHOWN} more; --json and --out name them")
