"""`alerting check` and `alerting rules ...`: what a rule does, before it sends anything."""

import getpass
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import click

from alerting.adapters.files.yaml_files import Findings
from alerting.adapters.rulebook import rule_files
from alerting.adapters.rulebook.vocabulary_builder import build_vocabulary
from alerting.bootstrap import App
from alerting.cli.people.people import tell_people_findings
from alerting.cli.shared import opened, plain_errors, print_json, table, written_rulebook
from alerting.cli.words import counted, printable
from alerting.database.rulebook import rulebooks
from alerting.domain.customers.vocabulary import EVENT_FIELDS, Vocabulary
from alerting.domain.errors import RulebookInvalid
from alerting.domain.people.people import Known
from alerting.domain.rulebook.evaluation import Evaluator, FactsInvalid, read_json
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.rulebook.rulebook_diff import RulebookDiff, compare
from alerting.services.rulebook.activation import activate_rulebook, stored_rulebook
from alerting.settings import read_settings


@click.command()
@click.option(
    "--people",
    "of_people",
    is_flag=True,
    help="Hold the people in force against customers and cases.",
)
@click.option("--json", "as_json_", is_flag=True)
def check(of_people: bool, as_json_: bool) -> None:
    """Read all of rules/ and templates/ and say what is wrong, with file and line. Exit code 1 for
    problems.

    With --people look into the database instead: whom nobody owns, who cannot be reached, steps
    that reach nobody.
    """
    if of_people:
        tell_people_findings(as_json_)
        return
    with plain_errors():
        settings = read_settings()
        findings = Findings()
        try:
            files, people = rule_files.read_all(settings.rules, settings.templates, findings)
            read = (
                f"{counted(len(files), 'file')}, "
                f"{counted(len(people), 'person or office', 'people and offices')}"
            )
        except RulebookInvalid:
            read = ""
        if as_json_:
            found = {"problems": findings.problems, "warnings": findings.warnings}
            print_json({name: [asdict(one) for one in ones] for name, ones in found.items()})
        else:
            _tell_findings(findings, read)
    if findings.problems:
        raise SystemExit(1)


def _tell_findings(findings: Findings, read: str) -> None:
    for warning in findings.warnings:
        click.echo(f"warning: {warning}", err=True)
    for problem in findings.problems:
        click.echo(str(problem), err=True)
    warned = counted(len(findings.warnings), "warning")
    if findings.problems:
        click.echo(f"{counted(len(findings.problems), 'problem')}, {warned}.", err=True)
    else:
        click.echo(f"{read}: no problems, {warned}.")


@click.group()
def rules() -> None:
    """Rulebooks: everything under rules/ and templates/mail/, as one version."""


@rules.command()
@click.argument("beginning", metavar="[HASH]", required=False)
@click.option("--author", default=None, help="Who decides this; your login name by default.")
@click.option("--reason", default="", help="Why; kept in the audit.")
def activate(beginning: str | None, author: str | None, reason: str) -> None:
    """Check rules/ and templates/, show what changes, and make them the active rulebook of every
    process.

    With HASH (or its beginning, see `rules history`) go back to a stored one; people stay as they
    are.
    """
    with opened() as app:
        people: dict[str, Known] = {}
        if beginning is None:
            rulebook, people = written_rulebook(app, app.settings.rules, app.settings.templates)
        else:
            rulebook = stored_rulebook(app.ctx, beginning)
        before = _active(app)
        _tell_difference(compare(before, rulebook))
        done = activate_rulebook(
            app.ctx,
            rulebook.files,
            people,
            author=author or getpass.getuser(),
            reason=reason or "not given",
            expected=before.hash if before else None,
        )
        if done.waiting:
            click.echo(
                f"Proposed: rulebook {done.hash[:12]}. Somebody else must run `rules activate` for "
                "it, too."
            )
        else:
            said = "Active now" if done.changed else "Already active, nothing changed"
            click.echo(f"{said}: rulebook {done.hash[:12]}")


def _active(app: App) -> Rulebook | None:
    with app.ctx.db.read() as tx:
        return app.ctx.shelf.active(tx) if rulebooks.active_hash(tx) else None


def _tell_difference(difference: RulebookDiff) -> None:
    for sentence in difference.rules:
        click.echo(f"* {printable(sentence)}")
    for line in difference.lines:
        colour = {"+": "green", "-": "red"}.get(line[:1])
        click.secho(printable(line, keep="\t"), fg=colour)


@rules.command()
@click.option("--json", "as_json_", is_flag=True)
def history(as_json_: bool) -> None:
    """Which rulebook was activated when, by whom and why; newest first."""
    with opened() as app:
        with app.ctx.db.read() as tx:
            done, waiting, active = (
                rulebooks.activations(tx),
                rulebooks.proposals(tx),
                rulebooks.active_hash(tx),
            )
        rows = [
            {"at": p.proposed_at, "state": "proposed", "by": p.author, **_why(p)} for p in waiting
        ]
        for n, row in enumerate(done):
            state = "active" if n == 0 and row.rulebook == active else ""
            by = f"{row.author}, {row.approver}" if row.approver else row.author
            rows.append({"at": row.activated_at, "state": state, "by": by, **_why(row)})
        if as_json_:
            print_json(rows)
            return
        shown = [
            [
                f"{r['at']:%Y-%m-%d %H:%M}Z",
                str(r["rulebook"])[:12],
                r["state"],
                r["by"],
                r["reason"],
            ]
            for r in rows
        ]
        table(["at", "rulebook", "", "by", "reason"], shown)


def _why(row: Any) -> dict[str, str]:
    return {"rulebook": row.rulebook, "reason": row.reason}


@rules.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="[B]", required=False)
def diff(before: str, after: str | None) -> None:
    """What two rulebooks differ in: stored ones by the beginning of their hash; without B the files
    of today.
    """
    with opened() as app:
        old = stored_rulebook(app.ctx, before)
        if after is not None:
            new = stored_rulebook(app.ctx, after)
        else:
            new, _ = written_rulebook(app, app.settings.rules, app.settings.templates)
        difference = compare(old, new)
        _tell_difference(difference)
        if difference.is_empty:
            click.echo("They are the same.")


@rules.command("eval")
@click.option("--when", "sql", help="The condition, tried against each line of --facts.")
@click.option(
    "--facts", type=click.File("rb"), help='Lines such as {"event": {"score": 2}}; - is stdin.'
)
@click.option(
    "--cases", type=click.File("rb"), help='Lines such as {"when": "SQL", "facts": {...}}.'
)
@click.option(
    "--on",
    "event_type",
    type=click.Choice(list(EVENT_FIELDS)),
    help="Only the fields of this event type.",
)
@click.option(
    "--rules",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder whose lists, typed attributes and signals may be named.",
)
def evaluate(
    sql: str | None,
    facts: BinaryIO | None,
    cases: BinaryIO | None,
    event_type: str | None,
    folder: Path | None,
) -> None:
    """Say what a condition comes to: true, false, unknown or error, one line for each line."""
    if (cases is None) == (facts is None) or (facts is None) != (sql is None):
        raise click.UsageError("give --when with --facts, or --cases")
    with plain_errors():
        vocabulary = build_vocabulary(rule_files.read_rules(folder)) if folder else Vocabulary()
        lines = [_parsed(line) for line in (cases or facts or ())]
        evaluator = Evaluator(vocabulary=vocabulary, event_type=event_type)
        evaluator.learn_signals(_facts_of(lines) if cases else lines)
        for line in lines:
            click.echo(_answered(evaluator, sql, line))


def _parsed(line: bytes) -> Any:
    try:
        return read_json(line.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").decode("utf-8"))
    except UnicodeDecodeError as error:
        return FactsInvalid(f"not UTF-8 at byte {error.start + 1} of the line")
    except FactsInvalid as error:
        return error


def _facts_of(cases: Iterable[Any]) -> list[Any]:
    return [case.get("facts") for case in cases if isinstance(case, dict)]


def _answered(evaluator: Evaluator, sql: str | None, line: Any) -> str:
    if isinstance(line, FactsInvalid):
        return f"error: {' '.join(str(line).split())}"
    if sql is not None:
        return evaluator.answer(sql, line)
    if not isinstance(line, dict) or not isinstance(line.get("when"), str):
        return 'error: a case is {"when": "SQL", "facts": {...}}'
    return evaluator.answer(line["when"], line.get("facts") or {})
