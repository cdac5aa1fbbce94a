"""`alerting audit`: prove that what happened was not changed, with the database or without it."""

from pathlib import Path

import click

from alerting.cli.running import opened, plain_errors, print_json
from alerting.cli.words import counted
from alerting.domain.audit_file import check_file
from alerting.domain.seals import Head, read_head
from alerting.services.sealing import Verified, export, verify


class Checkpoint(click.ParamType[Head]):
    name = "checkpoint"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Head:
        try:
            return read_head(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_known = click.option(
    "--checkpoint", "known", type=Checkpoint(), multiple=True, help="One that was handed out: NUMBER:HASH."
)


@click.group()
def audit() -> None:
    """The audit: verify its seals, export it."""


@audit.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@_known
@click.option("--json", "as_json", is_flag=True)
def verify_(file: Path | None, known: tuple[Head, ...], as_json: bool) -> None:
    """Reckon the whole chain again. Without FILE the database's; FILE is an export, and needs no database.

    Exit code 1 where anything was altered, added or is missing.
    """
    with plain_errors():
        if file is not None:
            with file.open("rb") as lines:
                head, problems = check_file(lines, known)
            found = Verified(head=head, sealed=head.seq, checkpoints=len(known), problems=problems)
            said = f"{file.name}: {counted(head.seq, 'sealed entry', 'sealed entries')}"
        else:
            with opened() as app:
                found = verify(app.ctx, known)
            said = _said(found)
    if as_json:
        print_json({**vars(found), "head": str(found.head)})
    else:
        for problem in found.problems:
            click.echo(problem, err=True)
        click.echo(f"{said}. The chain ends at {found.head}.")
        click.echo("NOT as it was sealed." if found.problems else "Nothing was altered, nothing is missing.")
    if found.problems:
        raise SystemExit(1)


def _said(found: Verified) -> str:
    entries = f"{counted(found.sealed, 'sealed entry', 'sealed entries')}, {found.unsealed} not sealed yet"
    values = f"{counted(found.values, 'personal value')} as committed, {found.erased} erased"
    return f"{entries}; {values}; {counted(found.checkpoints, 'checkpoint')} compared"


@audit.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_(file: Path) -> None:
    """Write the sealed audit into FILE, which `audit verify FILE` checks anywhere. Personal values stay here."""
    with opened() as app:
        part = file.with_name(f"{file.name}.part")
        with part.open("wb") as out:
            for line in export(app.ctx):
                out.write(line)
        part.replace(file)
    with file.open("rb") as lines:
        head, _ = check_file(lines)
    click.echo(f"{file}: {counted(head.seq, 'sealed entry', 'sealed entries')}. The chain ends at {head}.")
