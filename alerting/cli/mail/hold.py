"""`alerting hold`: stop all mail for a while, and let it go on."""

import getpass

import click
from sqlalchemy import select

from alerting.cli.shared import opened, print_json
from alerting.cli.words import TextType, printable
from alerting.database.mail import notifications
from alerting.database.tables import instance
from alerting.services.mail.deliver import hold_sends


@click.group()
def hold() -> None:
    """Hold or release sending."""


@hold.command()
@click.option(
    "--reason",
    required=True,
    type=TextType(),
    help="Why; shown to whoever asks, kept in the audit.",
)
def sends(reason: str) -> None:
    """Send nothing until released; everything else goes on."""
    with opened() as app:
        former = hold_sends(app.ctx, reason, getpass.getuser())
        if former is not None:
            click.echo(
                "Sending was held already; this reason replaces the former one: "
                f"{printable(former)}"
            )
        click.echo("Sending is held. `alerting hold release` lets it go on.")


@hold.command()
def release() -> None:
    """Let sending go on; what waited and still has its reason goes out."""
    with opened() as app:
        former = hold_sends(app.ctx, None, getpass.getuser())
        click.echo(
            "Sending goes on." if former is not None else "Sending was not held; it goes on."
        )


@hold.command()
@click.option("--json", "as_json", is_flag=True)
def status(as_json: bool) -> None:
    """Say whether sending is held, since when and why, and how many mails wait."""
    with opened() as app, app.ctx.db.read() as tx:
        row = tx.execute(select(instance.c.hold_reason, instance.c.held_at)).one()
        waiting, _ = notifications.outbox(tx)
    if as_json:
        held = row.hold_reason is not None
        print_json(
            {"held": held, "reason": row.hold_reason, "since": row.held_at, "waiting": waiting}
        )
        return
    mails = f"{waiting} mail{' waits' if waiting == 1 else 's wait'}."
    if row.hold_reason is None:
        click.echo(f"Sending goes on. {mails}")
    else:
        click.echo(
            f"Sending is held since {row.held_at:%Y-%m-%d %H:%M}Z: {printable(row.hold_reason)}"
        )
        click.echo(mails)
