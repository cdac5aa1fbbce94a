"""`alerting case correct`, `decide` and `corrections`: a wrong time is set right by two people."""

from dataclasses import dataclass

import click

from alerting.cli.cases.numbers import CASE_NUMBER
from alerting.cli.cases.perform import BY, actor, do_act, read_at
from alerting.cli.options import gathered
from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import TextType, printable
from alerting.database.cases import case_records
from alerting.domain.cases.corrections import Corrected
from alerting.services.cases import acts, correct_time


@dataclass(frozen=True, kw_only=True)
class _Wrong:
    """A time that is wrong, and what it should be."""

    number: int
    by: str
    what: str
    call: int | None
    cycle: int | None
    at: str
    reason: str


@click.command()
@CASE_NUMBER
@BY
@click.option(
    "--what", type=click.Choice([c.value for c in Corrected]), default="contact", show_default=True
)
@click.option(
    "--call",
    type=click.IntRange(1, 10**15),
    help="The number of a call (case show); the last that reached the customer if left out.",
)
@click.option(
    "--cycle",
    type=click.IntRange(1, 10**9),
    help="Of the cause removed: in which cycle; else the present one.",
)
@click.option(
    "--at", required=True, help="The right time, with zone, such as 2026-03-06T14:30+01:00."
)
@click.option("--reason", type=TextType(), required=True, help="How you know.")
@gathered(_Wrong)
def correct(wrong: _Wrong) -> None:
    """Propose to correct a wrong time. It counts once somebody else approves it."""
    do_act(
        wrong.number,
        wrong.by,
        lambda: acts.ProposeCorrection.model_validate(
            {
                "what": wrong.what,
                "call": wrong.call,
                "cycle": wrong.cycle,
                "becomes": read_at(wrong.at),
                "reason": wrong.reason,
            }
        ),
    )


@click.command()
@click.argument("correction", type=click.IntRange(1, 10**15))
@BY
@click.option("--approve/--decline", required=True)
def decide(correction: int, by: str, approve: bool) -> None:
    """Approve a correction that somebody else proposed, or decline it."""
    with opened() as app:
        done = correct_time.decide_correction(app.ctx, correction, actor(app, by), approve)
        click.echo(
            f"Correction {correction} of {done.number} is {'approved' if approve else 'declined'}."
        )


@click.command()
@click.option("--json", "as_json", is_flag=True)
def corrections(as_json: bool) -> None:
    """Corrections that wait for somebody's approval."""
    with opened() as app, app.ctx.db.read() as tx:
        rows = case_records.corrections_of(tx)
    if as_json:
        print_json([{**vars(row), "number": f"C-{row.case_id}"} for row in rows])
        return
    header = ["correction", "case", "what", "was", "becomes", "by", "reason"]
    lines = [
        [
            str(row.id),
            f"C-{row.case_id}",
            row.what,
            f"{row.was:%Y-%m-%d %H:%M}Z",
            f"{row.becomes:%Y-%m-%d %H:%M}Z",
            row.by,
            printable(row.reason),
        ]
        for row in rows
    ]
    table(header, lines)
