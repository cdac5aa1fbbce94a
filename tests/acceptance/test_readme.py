"""The README's commands work as shown, and what is generated from the code is up to date."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.services.process import free_port
from tests.support.world import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(sh[^\n]*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def _run(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ALERTING_")}
    command = ["bash", "-euo", "pipefail", "-c", script]
    return subprocess.run(
        command,
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_the_first_commands_are_those_of_the_makefile() -> None:
    kind, text = BLOCKS[0]
    assert (kind, text.split("\n")[:2]) == ("sh", ["make demo ARGS=--exit", "make test"])
    demo = _run("make demo ARGS=--exit", ROOT)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "All of it happened" in demo.stdout
    shown = _run("make -n test", ROOT)  # this very run is `make test`
    assert "pytest" in shown.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the commands need of a checkout that is installed."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    settings = tmp_path / "rules" / "settings.yaml"
    settings.write_text(
        settings.read_text().replace("2026-01-01", "2001-01-01")
    )  # whatever date this machine shows
    return tmp_path


def test_the_commands_of_a_rule_of_ones_own_run_as_shown(checkout: Path) -> None:
    script = "\n".join(text for kind, text in BLOCKS[1:] if kind == "sh").replace(
        "8080", str(free_port())
    )
    done = _run(f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}", checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "no problems",
        " passed, 0 failed",
        "1 new",
        "Birchwood Mills",
        "C-1 is contacted",
        "100%",
        "Active now",
        "/f/relationship?i=",
    ):
        assert words in done.stdout, done.stdout + done.stderr


def test_the_commands_about_rule_tests_run_as_shown(checkout: Path) -> None:
    section = (
        (ROOT / "docs" / "rules.md").read_text().partition("## Tests\n")[2].partition("\n## ")[0]
    )
    (script,) = re.findall(r"^```sh\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    done = _run(f'PATH="$PWD/.venv/bin:$PATH"\n{script}', checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = (line for line in done.stdout.splitlines() if " passed, 0 failed" in line)
    assert first == "1 passed, 0 failed"
    assert int(second.split()[0]) > 10


def test_only_blocks_marked_docker_are_not_run() -> None:
    assert {kind for kind, _ in BLOCKS} == {"sh", "sh docker"}
    for command in re.findall(r"docker compose [a-z]+", README):
        assert command == "docker compose up"


def test_schemas_and_openapi_are_generated_from_the_code() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "schemas"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_every_variable_is_documented() -> None:
    from alerting.settings import KNOWN_VARIABLES

    text = (ROOT / "docs" / "operations.md").read_text()
    kafka = {f"ALERTING_KAFKA_{name}" for name in ("SASL_MECHANISM", "USER", "PASSWORD", "CA_FILE")}
    smtp = {f"ALERTING_SMTP_{name}" for name in ("PASSWORD", "CA_FILE")}
    plain = {
        name for name in KNOWN_VARIABLES if not name.endswith("_FILE") or name.endswith("CA_FILE")
    }
    missing = [
        name
        for name in sorted(plain - kafka - smtp)
        if f"`{name}`" not in text and not name.endswith("CA_FILE")
    ]
    assert missing == []
