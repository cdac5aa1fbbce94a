"""`alerting mute ...` and `alerting suppressed`: noise control that loses nothing."""

import getpass
from collections import Counter

import click

from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import Number, TextType, counted, printable
from alerting.database.alerts import mutes
from alerting.database.customers import customers
from alerting.domain.alerts.suppression import REASONS
from alerting.domain.errors import ActionRefused
from alerting.domain.times.durations import parse_duration
from alerting.services.alerts.mutes import add_mute, end_mute


@click.group()
def mute() -> None:
    """Notify nobody for a while: alerts are recorded and listed all the same."""


@mute.command("add")
@click.option("--rule", help="Alerts of this rule.")
@click.option("--customer", help="Alerts about this customer.")
@click.option("--segment", help="Alerts about customers of this segment.")
@click.option("--for", "length", required=True, help="How long: 12h, 7d.")
@click.option(
    "--reason", required=True, type=TextType(), help="Why; shown in the list, kept in the audit."
)
def add(
    rule: str | None, customer: str | None, segment: str | None, length: str, reason: str
) -> None:
    """Mute a rule, a customer or a segment."""
    given = [
        (scope, name)
        for scope, name in (("rule", rule), ("customer", customer), ("segment", segment))
        if name
    ]
    if len(given) != 1:
        raise click.UsageError("give one of --rule, --customer and --segment")
    try:
        lasts = parse_duration(length)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--for") from error
    with opened() as app:
        scope, name = given[0]
        if scope == "customer":
            with app.ctx.db.read() as tx:
                if not customers.customer_now(tx, name).known:
                    click.echo(
                        f"note: nobody has told us of a customer {name} yet; is it misspelt?",
                        err=True,
                    )
        number = add_mute(app.ctx, scope, name, lasts, getpass.getuser(), reason)  # type: ignore[arg-type]
        click.echo(
            f"Mute {number}: alerts of {scope} {name} notify nobody for {length}. `alerting "
            "suppressed` lists them."
        )


@mute.command("list")
@click.option("--all", "every", is_flag=True, help="Also those that are over.")
@click.option("--json", "as_json_", is_flag=True)
def list_(every: bool, as_json_: bool) -> None:
    """Mutes in force: of what, until when, by whom and why."""
    with opened() as app, app.ctx.db.read() as tx:
        rows = mutes.list_mutes(tx, tx.now(), every=every)
    if as_json_:
        print_json([vars(row) for row in rows])
        return
    cells = [
        [
            r.id,
            r.scope,
            printable(r.name),
            f"{r.until:%Y-%m-%d %H:%M}Z",
            printable(r.author),
            printable(r.reason),
        ]
        for r in rows
    ]
    table(["", "of", "name", "until", "by", "reason"], cells)


@mute.command("end")
@click.argument("number", type=Number("mute"))
def end(number: int) -> None:
    """End a mute before its time."""
    with opened() as app:
        end_mute(app.ctx, number, getpass.getuser())
        click.echo(f"Mute {number} is over.")


silence = click.Group("silence", commands=mute.commands, help="The former name of `mute`.")


@click.command()
@click.option("--since", default="30d", show_default=True, help="How far back: 30d, 12h.")
@click.option("--json", "as_json_", is_flag=True)
def suppressed(since: str, as_json_: bool) -> None:
    """Alerts that notified nobody, each with its reason."""
    try:
        back = parse_duration(since)
    except ValueError as error:
        raise ActionRefused(str(error)) from error
    with opened() as app, app.ctx.db.read() as tx:
        rows = mutes.suppressed_alerts(tx, tx.now() - back)
    if as_json_:
        fields = (
            "id",
            "raised_at",
            "customer_key",
            "rule",
            "severity",
            "suppressed",
            "source",
            "event_id",
        )
        print_json([{name: getattr(row, name) for name in fields} for row in rows])
        return
    cells = [
        [
            f"{r.raised_at:%Y-%m-%d %H:%M}Z",
            printable(r.customer_key),
            r.rule,
            r.suppressed,
            printable(r.event_id),
        ]
        for r in rows
    ]
    table(["at", "customer", "rule", "reason", "event"], cells)
    for reason, number in Counter(row.suppressed for row in rows).most_common():
        click.echo(f"{counted(number, 'alert')} {reason}: {REASONS.get(reason or '', reason)}")
