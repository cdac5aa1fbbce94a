"""`alerting case show`: one case with its promises and its story."""

import click

from alerting.cli.cases.numbers import CASE_NUMBER
from alerting.cli.shared import opened, print_json
from alerting.cli.words import printable
from alerting.services.cases.case_json import case_as_json, case_record
from alerting.services.cases.case_view import case_view
from alerting.services.cases.timeline import timeline


@click.command()
@CASE_NUMBER
@click.option("--json", "as_json", is_flag=True)
def show(number: int, as_json: bool) -> None:
    """Show one case with its promises and its story."""
    with opened() as app, app.ctx.db.read() as tx:
        view = case_view(tx, app.ctx.shelf.active(tx), number)
        record, moments = case_record(tx, number), timeline(tx, view)
    if as_json:
        print_json(case_as_json(view, record, moments))
        return
    click.echo(
        f"{view.case.number}  {printable(view.customer.name)}  {view.case.standing.value}  caller "
        f"{view.caller.name}"
    )
    for clock in view.clocks.values():
        click.echo(
            f"  {clock.kind.value:12} due {clock.due_at:%Y-%m-%d %H:%M}Z  {clock.state(view.now)}"
        )
    for moment in moments:
        click.echo(
            f"  {moment.at:%Y-%m-%d %H:%M:%S}Z  {printable(moment.text)}"
            + (f" ({printable(moment.proof)})" if moment.proof else "")
            + (f': "{printable(moment.detail)}"' if moment.detail else "")
        )
