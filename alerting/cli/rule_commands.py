"""`alerting check` and `alerting rules ...`: what a rule does, before it sends anything."""

import getpass
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

import click

from alerting.adapters import rule_files
from alerting.adapters.rulebook_builder import build_rulebook, build_vocabulary
from alerting.cli.running import opened, plain_errors
from alerting.domain.evaluation import Evaluator, FactsInvalid, read_json
from alerting.domain.vocabulary import EVENT_FIELDS, Vocabulary
from alerting.services.activation import activate_rulebook
from alerting.settings import read_settings


@click.command()
def check() -> None:
    """Read all of rules/ and templates/ and say what is wrong, with file and line."""
    with plain_errors():
        settings = read_settings()
        files, people = rule_files.read_all(settings.rules, settings.templates)
        rulebook = build_rulebook(files, people)
        click.echo(f"{len(files)} files, {len(rulebook.rules)} rules, {len(people)} people and offices: no problems.")


@click.group()
def rules() -> None:
    """Rulebooks: everything under rules/ and templates/mail/, as one version."""


@rules.command()
@click.option("--author", default=None, help="Who decides this; your login name by default.")
@click.option("--reason", default="", help="Why; kept in the audit.")
def activate(author: str | None, reason: str) -> None:
    """Check rules/ and templates/, and make them the active rulebook of every process."""
    with opened() as app:
        files, people = rule_files.read_all(app.settings.rules, app.settings.templates)
        name, changed = activate_rulebook(
            app.ctx, files, people, author=author or getpass.getuser(), reason=reason or "not given"
        )
        click.echo(f"{'Active now' if changed else 'Already active, nothing changed'}: rulebook {name[:12]}")


@rules.command("eval")
@click.option("--when", "sql", help="The condition, tried against each line of --facts.")
@click.option("--facts", type=click.File(encoding="utf-8"), help='Lines such as {"event": {"score": 2}}; - is stdin.')
@click.option("--cases", type=click.File(encoding="utf-8"), help='Lines such as {"when": "SQL", "facts": {...}}.')
@click.option("--on", "event_type", type=click.Choice(list(EVENT_FIELDS)), help="Only the fields of this event type.")
@click.option(
    "--rules",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder whose lists, typed attributes and signals may be named.",
)
def evaluate(
    sql: str | None, facts: TextIO | None, cases: TextIO | None, event_type: str | None, folder: Path | None
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


def _parsed(line: str) -> Any:
    try:
        return read_json(line)
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
