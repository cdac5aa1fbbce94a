"""`alerting reconcile`: is everything here that a source says it sent?"""

from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from alerting.adapters.intake.source_counts import read_sent
from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import TextType, printable
from alerting.services.intake.reconciliation import Reconciled, reconcile

SHOWN = 20
"""Missing ids, and known sources, that are named one by one."""

LONGEST = 200
"""Signs of an event's source."""


class Zone(click.ParamType[ZoneInfo]):
    name = "zone"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> ZoneInfo:
        try:
            return ZoneInfo(str(value))
        except (KeyError, ValueError, OSError):
            self.fail(
                f"{str(value)!r} is not a time zone; write one such as Europe/Berlin", param, ctx
            )


class Source(TextType):
    name = "source"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        text = super().convert(value, param, ctx)
        if len(text) > LONGEST:
            self.fail(f"no source has more than {LONGEST} signs", param, ctx)
        return text


@click.command("reconcile")
@click.option(
    "--source",
    required=True,
    type=Source(),
    help="The `source` of its events, such as /forms/typeform.",
)
@click.option(
    "--count",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV file of it: day,count or one id a line.",
)
@click.option(
    "--zone", type=Zone(), default="UTC", show_default=True, help="In which its days are."
)
@click.option("--json", "as_json", is_flag=True)
def reconcile_(source: str, file: Path, zone: ZoneInfo, as_json: bool) -> None:
    """Compare what a source says it sent with what arrived. Exit code 1 where anything is missing
    or could not be read.
    """
    with opened() as app:
        found = reconcile(app.ctx, source, read_sent(file), zone)
    if found.sources is not None:
        near = get_close_matches(source, found.sources, n=SHOWN, cutoff=0)
        known = ", ".join(printable(one) for one in near) or "none yet"
        click.echo(
            f"Nothing ever came from {printable(source)}; known sources are {known}.", err=True
        )
    if as_json:
        print_json({**asdict(found), "missing": found.missing, "complete": found.is_complete})
    else:
        _tell(found)
    if not found.is_complete:
        raise SystemExit(1)


def _tell(found: Reconciled) -> None:
    rows = [
        [c.day or "all", c.sent, c.received, c.unreadable, c.missing, c.surplus]
        for c in found.counts
    ]
    table(["day", "sent", "received", "unreadable", "missing", "more than sent"], rows)
    for one in found.missing_ids[:SHOWN]:
        click.echo(f"missing: {printable(one)}")
    if len(found.missing_ids) > SHOWN:
        click.echo(f"and {len(found.missing_ids) - SHOWN} more; --json names all")
    if found.is_complete:
        click.echo(f"Complete: all that {printable(found.source)} says it sent is here.")
    else:
        click.echo("NOT complete; `alerting dead-letters list` shows what could not be read.")
