"""An installation of one's own for the command line: rules/ and templates/ in a folder, and
commands run in it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from alerting.bootstrap import bootstrap
from alerting.cli import main
from alerting.settings import read_settings
from tests.support.world import ROOT, World


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """rules/ and templates/ of one's own, whose go_live lies before any date a machine may show."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    settings = tmp_path / "rules" / "settings.yaml"
    settings.write_text(settings.read_text().replace("2026-01-01", "2001-01-01"))
    return tmp_path


@pytest.fixture
def alerting(installation: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(installation)

    def run(*arguments: str, **variables: str) -> Done:
        found = CliRunner().invoke(
            main, list(arguments), env={"ALERTING_LOG_LEVEL": "ERROR", **variables}
        )
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return Done(returncode=found.exit_code, stdout=found.stdout, stderr=found.stderr)

    return run


@pytest.fixture
def process(installation: Path) -> Run:
    def run(*arguments: str, **variables: str) -> Done:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ALERTING_")}
        environment |= {"PYTHONWARNINGS": "default", "ALERTING_LOG_LEVEL": "ERROR", **variables}
        command = [str(Path(sys.executable).parent / "alerting"), *arguments]
        done = subprocess.run(
            command, cwd=installation, env=environment, capture_output=True, text=True, timeout=60
        )
        return Done(returncode=done.returncode, stdout=done.stdout, stderr=done.stderr)

    return run


@pytest.fixture
def migrated(alerting: Run) -> Run:
    done = alerting("migrate")
    assert done.returncode == 0, done.stderr
    return alerting


@pytest.fixture
def own_world(installation: Path, migrated: Run) -> Iterator[World]:
    """The same installation from inside, to put events into it."""
    settings = {
        "ALERTING_DATA": str(installation / "var"),
        "ALERTING_RULES": str(installation / "rules"),
        "ALERTING_TEMPLATES": str(installation / "templates"),
    }
    app = bootstrap(read_settings(settings))
    yield World(app=app, folder=installation)
    app.close()
