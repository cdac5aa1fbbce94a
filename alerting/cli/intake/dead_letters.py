"""`alerting dead-letters`: events that could not be read or judged."""

import base64
import getpass

import click

from alerting.cli.shared import opened, print_json, table
from alerting.cli.words import Number, TextType, printable
from alerting.database.intake import dead_letters as letters
from alerting.database.rows.intake import DeadLetterRow
from alerting.domain.errors import ActionRefused
from alerting.services.intake.dead_letters import discard_letter, letter_by_id, replay_letter

_COLUMNS = (
    "id", "place", "reason", "field", "detail", "received_at", "recorded_at", "attempts",
    "replayed_at", "discarded_at", "discarded_by", "discard_reason", "headers",
)  # fmt: skip
_id = click.argument("number", metavar="ID", type=Number("dead letter"))


@click.group("dead-letters")
def dead_letters() -> None:
    """Events that could not be read or judged; nothing of them is lost."""


@dead_letters.command("list")
@click.option("--all", "every", is_flag=True, help="Also those already replayed or set aside.")
@click.option("--json", "as_json", is_flag=True, help="With headers and bytes, in base64.")
def list_(every: bool, as_json: bool) -> None:
    """Show dead letters: number, place, reason."""
    with opened() as app, app.ctx.db.read() as tx:
        rows = letters.list_letters(tx, waiting_only=not every)
    if as_json:
        print_json([_as_json(row) for row in rows])
        return
    table(
        ["id", "place", "reason", "field", "detail", "state"],
        [[r.id, r.place, r.reason, r.field, r.detail[:80], _state(r)] for r in rows],
    )


def _as_json(row: DeadLetterRow) -> dict[str, object]:
    value = base64.b64encode(bytes(row.raw)).decode()
    return {**{name: getattr(row, name) for name in _COLUMNS}, "value": value}


def _state(row: DeadLetterRow) -> str:
    if row.replayed_at is not None:
        return "replayed"
    return "waiting" if row.discarded_at is None else "set aside"


@dead_letters.command()
@_id
@click.option("--json", "as_json", is_flag=True, help="With headers and bytes, in base64.")
def show(number: int, as_json: bool) -> None:
    """Show one dead letter whole: reason, place, headers and bytes, what is not printable
    escaped.
    """
    with opened() as app:
        row = letter_by_id(app.ctx, number)
    if as_json:
        print_json(_as_json(row))
        return
    state = _state(row)
    if row.discarded_at is not None:
        state += f" {row.discarded_at:%Y-%m-%d %H:%M}Z by {row.discarded_by}: {row.discard_reason}"
    facts = {
        "place": row.place,
        "field": row.field,
        "detail": row.detail,
        "received": f"{row.received_at:%Y-%m-%d %H:%M:%S}Z",
        "attempts": row.attempts,
        "state": state,
    }
    click.echo(f"dead letter {row.id}: {printable(row.reason)}")
    for name, value in facts.items():
        if value is not None:
            click.echo(f"  {name:9} {printable(value)}")
    for name, content in letters.headers_of(row).items():
        click.echo(f"  header    {printable(name)}: {_escaped(content)}")
    raw = bytes(row.raw)
    click.echo(f"{len(raw)} bytes:\n{_escaped(raw, keep=chr(10))}")


def _escaped(raw: bytes, keep: str = "") -> str:
    return printable(raw.decode("utf-8", "backslashreplace"), keep)


@dead_letters.command()
@click.argument("ids", nargs=-1, type=Number("dead letter"))
@click.option("--all", "every", is_flag=True, help="Every waiting one.")
def replay(ids: tuple[int, ...], every: bool) -> None:
    """Try dead letters again, once their cause is removed."""
    with opened() as app:
        if every:
            with app.ctx.db.read() as tx:
                ids = tuple(row.id for row in letters.list_letters(tx))
            if not ids:
                click.echo("No dead letter waits.")
                return
        if not ids:
            raise click.UsageError("name dead letters by number, or --all")
        failed = 0
        for number in ids:
            try:
                error = replay_letter(app.ctx, number)
            except ActionRefused as refused:
                failed += 1
                click.echo(f"error: {refused}", err=True)
                continue
            failed += error is not None
            click.echo(f"{number}: {'handled' if error is None else f'still {printable(error)}'}")
        if failed:
            raise SystemExit(1)


@dead_letters.command()
@_id
@click.option(
    "--reason",
    required=True,
    type=TextType(),
    help="Why nothing is to be done about it; kept in the audit.",
)
@click.option("--by", type=TextType(), help="Who decides this; your login name by default.")
def discard(number: int, reason: str, by: str | None) -> None:
    """Set a dead letter aside for good: it is kept, but waits no more and is no longer counted."""
    with opened() as app:
        discard_letter(app.ctx, number, reason, by or getpass.getuser())
        click.echo(f"{number}: set aside; `alerting dead-letters list --all` still shows it.")
