"""The starter files, spoiled, and what is found."""

from pathlib import Path

import pytest

from alerting.adapters.rulebook.rule_files import read_all
from alerting.domain.errors import RulebookInvalid
from tests.support.builders import problems_of, starter_files

SETTINGS = "rules/settings.yaml"


SEGMENTS = "rules/segments.yaml"


SIGNALS = "rules/signals.yaml"


ROUTING = "rules/routing.yaml"


SLA = "rules/sla.yaml"


SURVEYS = "rules/surveys.yaml"


KEY_ACCOUNTS = "rules/escalations/key_accounts.yaml"


def with_file(name: str, text: str | None) -> dict[str, str]:
    """The starter files with one of them rewritten, or gone."""
    return {n: t for n, t in {**starter_files(), name: text}.items() if t is not None}


def found(files: dict[str, str]) -> list[str]:
    return [str(problem) for problem in problems_of(files)]


def the_problem(files: dict[str, str]) -> str:
    (only,) = found(files)
    return only


def refused(rules: Path, templates: Path) -> list[str]:
    with pytest.raises(RulebookInvalid) as caught:
        read_all(rules, templates)
    return [str(problem) for problem in caught.value.problems]
