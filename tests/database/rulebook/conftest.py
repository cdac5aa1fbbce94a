"""A file of rule tests, played by the command line."""

from pathlib import Path

import pytest

from tests.support.installation import Done, Run
from tests.support.rulebook.rule_tests import OWN, Play


@pytest.fixture
def tested(alerting: Run, installation: Path) -> Play:
    """Play a file of one's own and nothing else."""

    def play(text: str, *arguments: str, **variables: str) -> Done:
        (installation / OWN).write_text(text)
        return alerting("rules", "test", "-k", "own.yaml", *arguments, **variables)

    return play
