"""`alerting run` and `alerting migrate`: what an installation starts with."""

import signal

import click

from alerting.bootstrap import ROLES, App, check_ready, check_rulebook, prepare, run_roles
from alerting.cli.shared import opened
from alerting.database.grants import grant_rights
from alerting.database.migrate import is_current
from alerting.entrypoints.loops import Stop


@click.command()
@click.argument("roles", nargs=-1, type=click.Choice(["all", *ROLES]))
def run(roles: tuple[str, ...]) -> None:
    """Run roles in this process: consume, deliver, follow-up, web, or all of them (the default)."""
    chosen = ROLES if not roles or "all" in roles else roles
    with opened(ready=False) as app:
        if app.settings.embedded or chosen == ROLES:
            _refuse_demo_then_prepare(app)
        check_ready(app)
        check_rulebook(app)
        stop = Stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.ask())
        if "web" in chosen:
            from alerting.entrypoints.web.server import check_listen

            check_listen(app.settings.host, app.settings.port)
            click.echo(f"Cases:        {app.settings.base_url}/cases")
            click.echo(f"Admin token:  {app.secrets.admin_token}")
            if app.settings.embedded:
                click.echo(f"Mailbox:      {app.settings.base_url}/mailbox")
                click.echo(f"Ingest key:   {app.secrets.ingest_keys[0]}")
        run_roles(app, chosen, stop)


def _refuse_demo_then_prepare(app: App) -> None:
    if is_current(app.ctx.db):
        check_ready(app)
    prepare(app)


@click.command()
def migrate() -> None:
    """Bring the database up to date; activate rules/ if the database is empty."""
    with opened(ready=False) as app:
        prepare(app)
        click.echo("The database is up to date.")
        if app.settings.database_role is not None:
            with app.ctx.db.write() as tx:
                grant_rights(tx, app.settings.database_role)
            click.echo(
                f"{app.settings.database_role} may do what processes need, and nothing to the "
                "audit but add to it."
            )
