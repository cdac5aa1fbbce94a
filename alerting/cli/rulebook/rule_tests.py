"""`alerting rules test`: the rules' own tests, played on a temporary installation that no mail ever
leaves.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from alerting.adapters.files.findings import Findings
from alerting.adapters.logs import configure_logs
from alerting.adapters.rulebook import rule_files
from alerting.adapters.rulebook.rule_test_files import KnownNames, read_rule_tests
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.bootstrap import App, bootstrap, prepare
from alerting.cli.shared import plain_errors, print_json
from alerting.cli.words import printable
from alerting.database import instance
from alerting.database.engine import Database
from alerting.database.migrate import migrate
from alerting.domain.errors import Problem, RulebookInvalid
from alerting.domain.rulebook.rule_tests import (
    Place,
    RuleTest,
    TestResult,
    format_offset,
    judge_test,
)
from alerting.services.rulebook.play_rule_test import play
from alerting.settings import read_settings

WRONG = 2
"""The exit code where nothing could be tested: a file is wrong, or there is no such test."""


@click.command("test")
@click.option(
    "-k", "word", default="", help="Only tests with WORD in their name or file.", metavar="WORD"
)
@click.option(
    "--rules",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Another folder than ALERTING_RULES.",
)
@click.option("--json", "as_json_", is_flag=True)
def rules_test(word: str, folder: Path | None, as_json_: bool) -> None:
    """Play rules/tests/*.yaml: these customers and events must bring these alerts, mails and missed
    promises.

    Each test has an installation of its own, whose clock is moved; no mail leaves it. Exit code 1
    where a test fails, 2 where a file is wrong.
    """
    with plain_errors():
        settings = read_settings()
        configure_logs("ERROR")
        rules = folder or settings.rules
        try:
            tests = _read(rules, settings.templates)
        except RulebookInvalid as error:
            _tell_problems(error.problems, as_json_)
            raise SystemExit(WRONG) from error
        chosen = [
            test for test in tests if word.casefold() in f"{test.place.file} {test.name}".casefold()
        ]
        if not chosen:
            click.echo(_nothing_to_play(tests, word), err=True)
            raise SystemExit(WRONG)
        verdicts = []
        for verdict in _played(chosen, rules, settings.templates):
            verdicts.append(verdict)
            if not as_json_:
                _tell(verdict)
        failed = sum(not verdict.passed for verdict in verdicts)
        if as_json_:
            tests_ = [_as_json(verdict) for verdict in verdicts]
            print_json({"passed": len(verdicts) - failed, "failed": failed, "tests": tests_})
        else:
            click.echo(f"{len(verdicts) - failed} passed, {failed} failed")
    if failed:
        raise SystemExit(1)


def _read(rules: Path, templates: Path) -> list[RuleTest]:
    """The tests of a rulebook that is right as a whole. Raises RulebookInvalid."""
    files, people = rule_files.read_all(rules, templates)
    rulebook = build_rulebook(files)
    known = KnownNames(
        rules=[rule.id for rule in rulebook.rules],
        roles=list(rulebook.routing.roles),
        people=list(people),
    )
    return read_rule_tests(files, known, rulebook.go_live, Findings())


def _nothing_to_play(tests: Sequence[RuleTest], word: str) -> str:
    if not tests:
        return (
            "error: there is no test; write rules/tests/first.yaml, see docs/how-to/test-a-rule.md"
        )
    return f"error: none of {len(tests)} tests has {word!r} in its name or file"


def _tell_problems(problems: Sequence[Problem], as_json_: bool) -> None:
    if as_json_:
        print_json({"problems": [asdict(problem) for problem in problems]})
        return
    for problem in problems:
        click.echo(str(problem), err=True)
    click.echo("Nothing was tested.", err=True)


def _played(tests: Sequence[RuleTest], rules: Path, templates: Path) -> Iterator[TestResult]:
    """Each test on a copy of one prepared installation: migrating and activating once is what takes
    time.
    """
    with TemporaryDirectory(prefix="alerting-rules-test-") as name:
        folder = Path(name)
        app = _installed(folder, rules, templates)
        prepared = folder / "alerting.db"
        for number, test in enumerate(tests):
            copy = folder / f"test-{number}.db"
            shutil.copyfile(prepared, copy)
            with _opened(copy) as database:
                played = play(replace(app.ctx, db=database), app.post, test)
            yield judge_test(test, played)


def _installed(folder: Path, rules: Path, templates: Path) -> App:
    """SQLite, a mailbox folder and these rules, and nothing from the environment: no test reaches a
    mail server.
    """
    given = {
        "ALERTING_DATA": str(folder),
        "ALERTING_RULES": str(rules),
        "ALERTING_TEMPLATES": str(templates),
        "ALERTING_MAIL_FROM": "Rule tests <rule-tests@localhost>",
    }
    app = bootstrap(read_settings(given))
    try:
        migrate(app.ctx.db)
        with app.ctx.db.write() as tx:
            instance.begin_instance(tx, "demo", tx.now())
        prepare(app)
    finally:
        app.close()  # SQLite's file is whole, and can be copied, once nobody has it open
    return app


@contextmanager
def _opened(path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.close()


def _tell(verdict: TestResult) -> None:
    colour, word = ("green", "PASS") if verdict.passed else ("red", "FAIL")
    click.echo(
        f"{click.style(word, fg=colour)} {printable(verdict.test.name)} ({verdict.test.place})"
    )
    if verdict.passed:
        return
    for place, message in _failures(verdict):
        click.echo(f"     {place}: {printable(message)}")
    click.echo("     what happened:" if verdict.played.happened else "     nothing happened")
    for line in [*map(str, verdict.played.happened), *verdict.played.remarks]:
        click.echo(f"       {printable(line)}")


def _failures(verdict: TestResult) -> list[tuple[Place, str]]:
    """Every reason to fail, with the line it stands for, in the order of the file."""
    test = verdict.test
    found = [(fault.place or test.place, fault.message) for fault in verdict.played.faults]
    found += [
        (expected.place, f"expected {expected}, which did not happen")
        for expected in verdict.missing
    ]
    found += [
        (expected.place, f"expected {expected}, but {happening}")
        for expected, happening in verdict.forbidden
    ]
    found += [
        (test.place, f"only what is expected may happen, but {happening}")
        for happening in verdict.surplus
    ]
    return sorted(found, key=lambda failure: (failure[0].file, failure[0].line or 0))


def _as_json(verdict: TestResult) -> dict[str, object]:
    test = verdict.test
    return {
        "name": test.name,
        "file": test.place.file,
        "line": test.place.line,
        "passed": verdict.passed,
        "failures": [
            {"line": place.line, "message": message} for place, message in _failures(verdict)
        ],
        "happened": [
            {
                "at": format_offset(happening.at),
                "kind": happening.kind,
                "what": happening.what,
                "to": happening.to,
                "customer": happening.customer,
            }
            for happening in verdict.played.happened
        ],
        "remarks": list(verdict.played.remarks),
    }
