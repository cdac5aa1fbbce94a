"""`alerting audit`: prove that what happened was not changed, with the database or without it."""

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import click

from alerting.adapters.pages import Pages
from alerting.cli.shared import opened, plain_errors, print_json, writing
from alerting.cli.words import TextType, counted
from alerting.domain.audit.audit_file import check_file
from alerting.domain.audit.seals import Head, read_head
from alerting.services.audit.sample import draw_sample
from alerting.services.audit.seal import Verified, export, verify

SHOWN = 5
"""Problems that are named where the command is about something else."""


class Checkpoint(click.ParamType[Head]):
    name = "checkpoint"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Head:
        try:
            return read_head(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_known = click.option(
    "--checkpoint",
    "known",
    type=Checkpoint(),
    multiple=True,
    help="One that was handed out: NUMBER:HASH.",
)


@click.group()
def audit() -> None:
    """The audit: verify its seals, export it."""


@audit.command("verify")
@click.argument(
    "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False
)
@_known
@click.option("--json", "as_json", is_flag=True)
def verify_(file: Path | None, known: tuple[Head, ...], as_json: bool) -> None:
    """Compute the whole chain again. Without FILE the database's; FILE is an export, and needs no
    database.

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
        click.echo(
            "NOT as it was sealed."
            if found.problems
            else "Nothing was altered, nothing is missing."
        )
    if found.problems:
        raise SystemExit(1)


def _said(found: Verified) -> str:
    entries = (
        f"{counted(found.sealed, 'sealed entry', 'sealed entries')}, {found.unsealed} not "
        "sealed yet"
    )
    values = f"{counted(found.values, 'personal value')} as committed, {found.erased} erased"
    return f"{entries}; {values}; {counted(found.checkpoints, 'checkpoint')} compared"


@audit.command("sample")
@click.option("--cases", "count", type=click.IntRange(1, 1_000), default=10, show_default=True)
@click.option(
    "--period",
    required=True,
    help="A month or a year in which the cases were opened: 2026-10, 2026.",
)
@click.option(
    "--seed",
    type=TextType(),
    help="A word to draw with, to draw the same cases again; else one is made.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file; else evidence-PERIOD.html.",
)
def sample_(count: int, period: str, seed: str | None, out: Path | None) -> None:
    """Draw random cases and write all that happened in them into one page, with seals, for an
    auditor.
    """
    begin, end = _period(period)
    file = out or Path(f"evidence-{period}.html")
    if file.suffix.casefold() not in {".html", ".htm"}:
        raise click.BadParameter(
            f"{file}: it becomes a page, write .html; a browser prints it, also into a PDF",
            param_hint="--out",
        )
    with opened() as app, writing(file) as page:
        drawn = draw_sample(app.ctx, begin, end, count, seed or secrets.token_hex(8))
        pages = Pages(app.settings.templates / "pages", has_mailbox=False)
        text = pages.render(
            "evidence.html", {"s": drawn, "last_day": f"{end - timedelta(days=1):%Y-%m-%d}"}
        )
        page.write(text.encode())
    numbers = ", ".join(evidence.view.case.number for evidence in drawn.cases)
    click.echo(
        f"{file}: {numbers}, drawn from {counted(drawn.population, 'case')} with --seed "
        f"{drawn.seed}"
    )
    if drawn.verified.problems:
        _refuse(drawn.verified.problems)


def _period(text: str) -> tuple[datetime, datetime]:
    found = re.fullmatch(r"(\d{4})(?:-(\d\d))?", text)
    year, month = (int(found[1]), int(found[2] or 1)) if found else (0, 0)
    if not 1900 <= year < 9000 or not 1 <= month <= 12:
        raise click.BadParameter(
            f"{text!r} is no month or year; write 2026-10 or 2026", param_hint="--period"
        )
    last = month if found and found[2] else 12
    after = (year + 1, 1) if last == 12 else (year, last + 1)
    return datetime(year, month, 1, tzinfo=UTC), datetime(*after, 1, tzinfo=UTC)


@audit.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_(file: Path) -> None:
    """Write the sealed audit into FILE, which `audit verify FILE` checks anywhere. Personal values
    stay here.
    """
    with opened() as app, writing(file) as out:
        for line in export(app.ctx):
            out.write(line)
    with file.open("rb") as lines:
        head, problems = check_file(lines)
    click.echo(
        f"{file}: {counted(head.seq, 'sealed entry', 'sealed entries')}. The chain ends at {head}."
    )
    if problems:
        _refuse(problems)


def _refuse(problems: Sequence[str]) -> NoReturn:
    for problem in problems[:SHOWN]:
        click.echo(problem, err=True)
    click.echo("The audit is NOT as it was sealed; `alerting audit verify` says where.", err=True)
    raise SystemExit(1)
