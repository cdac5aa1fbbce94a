"""`alerting demo`: the main job on the embedded default, played through the public doors and
checked.

The demo makes a database of its own whose clock can be moved; `alerting run` refuses such a
database.
"""

import os
import shutil
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from alerting.adapters.logs import configure_logs
from alerting.bootstrap import App, bootstrap, prepare, run_roles
from alerting.cli.demo_stage import Story, StoryFailed
from alerting.cli.demo_story import tell
from alerting.cli.shared import plain_errors
from alerting.database import instance
from alerting.database.migrate import migrate
from alerting.domain.errors import SettingsInvalid
from alerting.entrypoints.loops import Stop
from alerting.settings import read_settings

BEGIN = datetime(2026, 3, 6, 8, 30, tzinfo=UTC)
"""When the story begins, by the demo's own clock; the real date plays no part."""

_MARK = "alerting-demo"


@click.command()
@click.option("--exit", "exit_", is_flag=True, help="End after the story, also on a terminal.")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-data"),
    show_default=True,
)
@click.option("--port", default=0, help="Where to serve; a free port by default.")
def demo(exit_: bool, data: Path, port: int) -> None:
    """Play the main job with sample data and check every step; then keep serving, to look
    around.
    """
    with plain_errors():
        started = time.monotonic()
        app = _fresh_app(data, port or _free_port())
        stop = Stop()
        serving = threading.Thread(
            target=run_roles, args=(app, ("consume", "deliver", "follow-up", "web"), stop)
        )
        serving.start()
        try:
            tell(Story(app=app, say=click.echo))
            click.echo(f"\nAll of it happened, in {time.monotonic() - started:.0f} s.")
            if sys.stdout.isatty() and not exit_:
                _keep_serving(app)
        except StoryFailed as failed:
            click.echo(f"\nThe demo failed: {failed}", err=True)
            sys.exit(1)
        finally:
            stop.ask()
            serving.join(timeout=30)
            app.close()


def _fresh_app(data: Path, port: int) -> App:
    """An empty demo installation in `data`; a folder that holds anything but a former demo is left
    alone.
    """
    mark = data / _MARK
    if data.exists() and any(data.iterdir()) and not mark.exists():
        raise SettingsInvalid(
            [f"{data} holds something that is no demo's; name another folder with --data"]
        )
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    mark.write_text("made by `alerting demo`; safe to delete\n")
    kept = {
        name: os.environ[name]
        for name in ("ALERTING_RULES", "ALERTING_TEMPLATES")
        if name in os.environ
    }
    settings = read_settings(
        kept
        | {
            "ALERTING_DATA": str(data),
            "ALERTING_BASE_URL": f"http://127.0.0.1:{port}",
            "ALERTING_LISTEN": f"127.0.0.1:{port}",
            "ALERTING_MAIL_FROM": "Customer alerts <alerts@example.com>",
            "ALERTING_TICK": "0.2",
            "ALERTING_LOG_LEVEL": "ERROR",
        }
    )
    configure_logs(settings.log_level)
    app = bootstrap(settings)
    migrate(app.ctx.db)
    with app.ctx.db.write() as tx:
        now = tx.now()
        instance.begin_instance(tx, "demo", now)
        instance.move_demo_clock(tx, BEGIN - now)
    prepare(app)
    return app


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _keep_serving(app: App) -> None:
    base = app.settings.base_url
    click.echo("\nStill serving; open:")
    click.echo(f"  mails     {base}/mailbox")
    click.echo(f"  cases     {base}/cases")
    click.echo(f"  report    {base}/reports")
    click.echo(f"  survey    {app.links.invitation('relationship', 'ACME-AERO', 'Ada Example')}")
    click.echo(f"  admin token for the first three: {app.secrets.admin_token}")
    click.echo("Ctrl-C ends it.")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo("")
