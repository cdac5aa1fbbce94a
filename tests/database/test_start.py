"""The command line starts fast: a command imports what it needs, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from alerting.cli import main
from alerting.cli.groups import LazyGroup

ROOT = Path(__file__).parents[2]

HEAVY = {
    "alembic",
    "apscheduler",
    "css_inline",
    "fastapi",
    "holidays",
    "icalendar",
    "jinja2",
    "kafka",
    "numpy",
    "openpyxl",
    "sqlglot",
    "starlette",
    "uvicorn",
    "vl_convert",
}
"""Libraries that some commands need, and that take long to import."""

OURS = {
    "alerting.adapters.files",
    "alerting.adapters.imports",
    "alerting.adapters.intake",
    "alerting.adapters.mail",
    "alerting.adapters.reports",
    "alerting.adapters.rulebook",
    "alerting.domain.conditions.compiler",
    "alerting.domain.intake.payloads",
    "alerting.domain.rulebook.rulebook",
    "alerting.entrypoints.web",
}
"""Modules of ours that bring such libraries, or many models."""


def imported_by(*words: str, environment: dict[str, str] | None = None) -> set[str]:
    """The modules that are there after `alerting WORDS` in a process of its own."""
    script = (
        "import json, sys\n"
        "from alerting.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env={**os.environ, **(environment or {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return set(found)


def test_the_list_of_commands_imports_none_of_them() -> None:
    modules = imported_by("--help")

    assert "click" in modules
    assert not modules & (HEAVY | OURS | {"sqlalchemy", "pydantic"})
    assert not {name for name in modules if name.startswith("alerting.")} - {
        "alerting.cli",
        "alerting.cli.commands",
        "alerting.cli.groups",
    }


def test_a_list_of_cases_reads_the_database_and_no_rulebook(tmp_path: Path) -> None:
    environment = {"ALERTING_DATA": str(tmp_path)}
    imported_by("migrate", environment=environment)

    modules = imported_by("case", "list", environment=environment)

    assert {"sqlalchemy", "alerting.database.cases.cases"} <= modules
    assert not modules & (HEAVY | OURS)


def lazy(group: click.Group, path: str = "alerting") -> Iterator[tuple[str, LazyGroup, str]]:
    """Every command of a table, with its group and its name there."""
    if not isinstance(group, LazyGroup):
        return
    for name, later in group.later.items():
        yield f"{path} {name}", group, name
        command = later.load()
        if isinstance(command, click.Group):
            yield from lazy(command, f"{path} {name}")


@pytest.mark.parametrize("length", [40, 60, 100])
def test_the_table_says_of_each_command_what_the_command_says_of_itself(length: int) -> None:
    entries = list(lazy(main))

    assert {"alerting run", "alerting case list", "alerting rules test"} <= {e[0] for e in entries}
    for path, group, name in entries:
        said = group.commands[name].get_short_help_str(length)
        assert said == group.later[name].load().get_short_help_str(length), path


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one() -> None:
    with pytest.raises(click.UsageError) as refused:
        main(["reconcil"], standalone_mode=False)

    assert "reconcile" in refused.value.format_message()
