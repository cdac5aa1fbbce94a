"""`alerting`: run it, feed it, ask it."""

import getpass
import signal
import sys
from datetime import UTC, datetime, time, timedelta
from typing import Any

import click

from alerting.adapters import rule_files
from alerting.adapters.rulebook_builder import build_rulebook
from alerting.adapters.tables_of_customers import read_table
from alerting.bootstrap import ROLES, prepare, run_roles
from alerting.cli.case_commands import case
from alerting.cli.demo import demo
from alerting.cli.running import opened, plain_errors, print_json, table
from alerting.database import events, positions
from alerting.domain.durations import format_duration
from alerting.entrypoints.running import Stop
from alerting.services.activation import activate_rulebook
from alerting.services.delivery import hold_sends
from alerting.services.importing import import_customers
from alerting.services.intake import replay
from alerting.services.reporting import Line, as_json, response_times
from alerting.settings import read_settings


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="alerting")
def main() -> None:
    """An unhappy customer reaches the one person who must call, and the call is proven."""


main.add_command(demo)
main.add_command(case)


@main.command()
@click.argument("roles", nargs=-1, type=click.Choice(["all", *ROLES]))
def run(roles: tuple[str, ...]) -> None:
    """Run roles in this process: consume, deliver, follow-up, web, or all of them (the default)."""
    chosen = ROLES if not roles or "all" in roles else roles
    with opened(ready=False) as app:
        from alerting.bootstrap import check_ready, check_rulebook

        if app.settings.embedded or chosen == ROLES:
            _refuse_demo_then_prepare(app)
        check_ready(app)
        check_rulebook(app)
        stop = Stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.ask())
        if "web" in chosen:
            click.echo(f"Cases:        {app.settings.base_url}/cases")
            click.echo(f"Admin token:  {app.secrets.admin_token}")
            if app.settings.embedded:
                click.echo(f"Mailbox:      {app.settings.base_url}/mailbox")
                click.echo(f"Ingest key:   {app.secrets.ingest_keys[0]}")
        run_roles(app, chosen, stop)


def _refuse_demo_then_prepare(app: Any) -> None:
    from alerting.bootstrap import check_ready
    from alerting.database.migrating import is_current

    if is_current(app.ctx.db):
        check_ready(app)
    prepare(app)


@main.command()
def migrate() -> None:
    """Bring the database up to date; activate rules/ if the database is empty."""
    with opened(ready=False) as app:
        prepare(app)
        click.echo("The database is up to date.")


@main.command()
def check() -> None:
    """Read all of rules/ and templates/ and say what is wrong, with file and line."""
    with plain_errors():
        settings = read_settings()
        files, people = rule_files.read_all(settings.rules, settings.templates)
        rulebook = build_rulebook(files, people)
        click.echo(f"{len(files)} files, {len(rulebook.rules)} rules, {len(people)} people and offices: no problems.")


@main.group()
def rules() -> None:
    """Rulebooks: everything under rules/ and templates/mail/, as one version."""


@rules.command()
@click.option("--author", default=None, help="Who decides this; your login name by default.")
@click.option("--reason", default="", help="Why; kept in the audit.")
def activate(author: str | None, reason: str) -> None:
    """Check rules/ and templates/, and make them the active rulebook of every process."""
    with opened() as app:
        files, people = rule_files.read_all(app.settings.rules, app.settings.templates)
        name, changed = activate_rulebook(
            app.ctx, files, people, author=author or getpass.getuser(), reason=reason or "not given"
        )
        click.echo(f"{'Active now' if changed else 'Already active, nothing changed'}: rulebook {name[:12]}")


@main.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
def import_(file: str) -> None:
    """Import customers and contacts from a CSV file. The same file again changes nothing.

    Good rows are taken, bad ones named with their line; the exit code is 1 where there are any.
    """
    with opened() as app:
        read = read_table(file)
        bar: Any
        with click.progressbar(length=len(read.rows), label="Importing", file=sys.stderr) as bar:
            result = import_customers(app.ctx, read, bar.update)
        for line, reason in result.bad:
            click.echo(f"{read.name}:{line}: {reason}", err=True)
        for line, warning in result.warnings:
            click.echo(f"{read.name}:{line}: warning: {warning}", err=True)
        click.echo(f"{result.changed} changed, {result.unchanged} unchanged, {len(result.bad)} bad rows.")
        if result.bad:
            raise SystemExit(1)


@main.group("dead-letters")
def dead_letters() -> None:
    """Events that could not be read or judged; nothing of them is lost."""


@dead_letters.command("list")
@click.option("--all", "every", is_flag=True, help="Also those already replayed.")
@click.option("--json", "as_json_", is_flag=True)
def list_dead_letters(every: bool, as_json_: bool) -> None:
    """Show dead letters: number, place, reason."""
    with opened() as app, app.ctx.db.read() as tx:
        rows = events.dead_letters(tx, waiting_only=not every)
    if as_json_:
        names = ("id", "place", "reason", "field", "detail", "received_at", "recorded_at", "replayed_at", "attempts")
        print_json([{name: getattr(row, name) for name in names} for row in rows])
        return
    table(
        ["id", "place", "reason", "field", "detail", "state"],
        [[r.id, r.place, r.reason, r.field, r.detail[:80], "replayed" if r.replayed_at else "waiting"] for r in rows],
    )


@dead_letters.command("replay")
@click.argument("ids", nargs=-1, type=int)
@click.option("--all", "every", is_flag=True, help="Every waiting one.")
def replay_dead_letters(ids: tuple[int, ...], every: bool) -> None:
    """Try dead letters again, after whatever stood in their way was mended."""
    with opened() as app:
        if every:
            with app.ctx.db.read() as tx:
                ids = tuple(row.id for row in events.dead_letters(tx))
        if not ids:
            raise click.UsageError("name dead letters by number, or --all")
        failed = 0
        for number in ids:
            error = replay(app.ctx, number)
            failed += error is not None
            click.echo(f"{number}: {'handled' if error is None else f'still {error}'}")
        if failed:
            raise SystemExit(1)


@main.command()
@click.option("--from", "begin", type=click.DateTime(["%Y-%m-%d"]), help="Cases opened on this day or later (UTC).")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Cases opened on this day or earlier (UTC).")
@click.option("--json", "as_json_", is_flag=True)
def report(begin: datetime | None, end: datetime | None, as_json_: bool) -> None:
    """Response times: median, 90 %, share in target; open and overdue counts as missed."""
    with opened() as app:
        found = response_times(app.ctx, _day(begin), _day(end, days=1))
    if as_json_:
        print_json(as_json(found))
        return
    print_report(found.cases, list(found.overall), list(found.by_person))


def _day(moment: datetime | None, days: int = 0) -> datetime | None:
    return None if moment is None else datetime.combine(moment.date(), time(), UTC) + timedelta(days=days)


def print_report(cases: int, overall: list[Line], by_person: list[Line]) -> None:
    """The report as a table."""
    click.echo(f"Response times of {cases} cases")
    header = ["who", "promise", "in target", "kept", "late", "overdue", "running", "median", "90 %"]
    table(header, [_row(line) for line in [*overall, *by_person]])


def _row(line: Line) -> list[Any]:
    a = line.attainment
    share = "-" if a.share is None else f"{a.share:.0%}"
    quantiles = [
        "-" if q is None else ("≥ " if q.at_least else "") + format_duration(q.value) for q in (a.median, a.p90)
    ]
    return [line.name, line.kind, share, a.met, a.late, a.overdue, a.running, *quantiles]


@main.group()
def hold() -> None:
    """Hold or release sending."""


@hold.command("sends")
@click.option("--reason", required=True, help="Why; shown to whoever asks, kept in the audit.")
def hold_sends_(reason: str) -> None:
    """Send nothing until released; everything else goes on."""
    with opened() as app:
        hold_sends(app.ctx, reason, getpass.getuser())
        click.echo("Sending is held. `alerting hold release` lets it go on.")


@hold.command()
def release() -> None:
    """Let sending go on; what waited and still has its reason goes out."""
    with opened() as app:
        hold_sends(app.ctx, None, getpass.getuser())
        click.echo("Sending goes on.")


@main.group("positions")
def positions_() -> None:
    """Where intake stands in the event log."""


@positions_.command("list")
def list_positions() -> None:
    """Show every partition's position, and what stopped it."""
    with opened() as app, app.ctx.db.read() as tx:
        known, stopped = positions.all_positions(tx), positions.stopped_partitions(tx)
    rows = [[str(p), n, p.cluster, stopped.pop(str(p), "")] for p, n in known.items()]
    table(["partition", "next", "cluster", "stopped"], rows + [[name, "", "", why] for name, why in stopped.items()])


@positions_.command("accept")
@click.argument("topic")
def accept_topic(topic: str) -> None:
    """Accept that the log behind TOPIC is a new one: read it from its beginning. Known events are recognised."""
    with opened() as app, app.ctx.db.write() as tx:
        count = positions.retire_topic(tx, topic, tx.now())
        click.echo(f"{count} positions of {topic} retired; restart `alerting run consume`.")


@main.group()
def survey() -> None:
    """Hosted surveys."""


@survey.command("link")
@click.argument("survey_id")
@click.argument("customer_id")
@click.option("--contact", help="The contact's name, as it stands with the customer.")
def survey_link(survey_id: str, customer_id: str, contact: str | None) -> None:
    """Print the link that invites CUSTOMER_ID to the form SURVEY_ID; it is signed, so nobody can answer for others."""
    with opened() as app:
        with app.ctx.db.read() as tx:
            known = app.ctx.shelf.active(tx).surveys
        if survey_id not in known:
            raise LookupError(f"there is no survey {survey_id!r}; known are {', '.join(sorted(known))}")
        click.echo(app.links.invitation(survey_id, customer_id, contact))
