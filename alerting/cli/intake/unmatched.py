"""`alerting unmatched ...`: answers known only by an address that no contact has, or several
customers share.
"""

import click

from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import Number, TextType, printable
from alerting.database.intake import addresses
from alerting.domain.fields import Fields
from alerting.services.intake.match_respondents import assign_answer, leave_answer


@click.group()
def unmatched() -> None:
    """Answers of which nobody can tell whose they are; a person decides."""


@unmatched.command("list")
@click.option("--json", "as_json_", is_flag=True)
def list_(as_json_: bool) -> None:
    """What waits, oldest first, with the customers that share the address."""
    with opened() as app, app.ctx.db.read() as tx:
        rows = addresses.waiting(tx)
    found: list[dict[str, object]] = [
        {
            "event": row.event_seq,
            "time": f"{row.time:%Y-%m-%dT%H:%M:%SZ}",
            "respondent": row.payload.get("respondent"),
            "score": row.payload.get("score"),
            "comment": row.payload.get("comment"),
            "candidates": row.candidates,
        }
        for row in rows
    ]
    if as_json_:
        print_json(found)
        return
    if not found:
        click.echo("No answer waits to be matched.")
        return
    lines = []
    for one in found:
        said = Fields(one)
        who = said.object("respondent")
        named = who.get("name") or who.get("email") or who.get("phone") or ""
        shared = ", ".join(said.texts("candidates")) or "unknown"
        comment = printable(said.text_or_none("comment") or "")[:60]
        lines.append(
            [
                f"#{one['event']}",
                one["time"],
                printable(named),
                one["score"],
                printable(shared),
                comment,
            ]
        )
    table(["event", "time", "respondent", "score", "shared by", "comment"], lines)
    click.echo(
        "\nalerting unmatched assign EVENT CUSTOMER --by YOU, or alerting unmatched leave EVENT "
        "--by YOU"
    )


_EVENT = click.argument("event", type=Number("event", "#"))
_BY = click.option(
    "--by", required=True, type=TextType(), help="Who decides; it stands in the audit."
)


@unmatched.command()
@_EVENT
@click.argument("customer", type=TextType())
@_BY
def assign(event: int, customer: str, by: str) -> None:
    """The answer is this customer's: it is judged again as such."""
    with opened() as app:
        assign_answer(app.ctx, event, customer, by)
    click.echo(
        f"Answer #{event} is {printable(customer)}'s; it was judged again. alerting explain "
        f"'#{event}' tells more."
    )


@unmatched.command()
@_EVENT
@_BY
def leave(event: int, by: str) -> None:
    """It is nobody's we know; it need not wait any more."""
    with opened() as app:
        leave_answer(app.ctx, event, by)
    click.echo(f"Answer #{event} stays without a customer.")
