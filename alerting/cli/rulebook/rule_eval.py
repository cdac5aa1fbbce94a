"""`alerting rules eval`: what a condition comes to, tried against facts."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import click

from alerting.adapters.rulebook import rule_files
from alerting.adapters.rulebook.vocabulary_builder import build_vocabulary
from alerting.cli.shared import plain_errors
from alerting.domain.customers.vocabulary import EVENT_FIELDS, Vocabulary
from alerting.domain.rulebook.evaluation import Evaluator, FactsInvalid, read_json


@click.command("eval")
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


def _parsed(line: bytes) -> object:
    try:
        return read_json(line.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").decode("utf-8"))
    except UnicodeDecodeError as error:
        return FactsInvalid(f"not UTF-8 at byte {error.start + 1} of the line")
    except FactsInvalid as error:
        return error


def _facts_of(cases: Iterable[object]) -> list[object]:
    return [case.get("facts") for case in cases if isinstance(case, dict)]


def _answered(evaluator: Evaluator, sql: str | None, line: object) -> str:
    if isinstance(line, FactsInvalid):
        return f"error: {' '.join(str(line).split())}"
    if sql is not None:
        return evaluator.answer(sql, line)
    if not isinstance(line, dict) or not isinstance(line.get("when"), str):
        return 'error: a case is {"when": "SQL", "facts": {...}}'
    return evaluator.answer(line["when"], line.get("facts") or {})
