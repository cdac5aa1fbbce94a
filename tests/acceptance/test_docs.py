"""Every command of docs/ works as shown and prints what is shown; what is generated is up to date.

The tutorial is played once, then the sample data of the how-to guides; each guide continues from a
copy of that.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.doc_commands import (
    blocks_of,
    make_checkout,
    missing_outputs,
    quick_program,
    run_script,
    script_of,
)
from tests.support.world import ROOT

DOCS = ROOT / "docs"
TUTORIAL = DOCS / "tutorial.md"
SAMPLE = DOCS / "how-to" / "index.md"
PAGES = [page for page in DOCS.rglob("*.md") if page.parent.name != "adr"]
GUIDES = [page for page in sorted((DOCS / "how-to").glob("*.md")) if page != SAMPLE]
PLAYED = [page for page in GUIDES if script_of(page)]

KINDS = {"sh", "sh docker", "output", "yaml", "sql", "json", "text", "{toctree}"}
"""Blocks of a page: `sh` is run, `output` is held to what it prints, the rest illustrates."""

STARTED = """
alerting run > run.log 2>&1 &
curl -sS --fail --retry 300 --retry-connrefused --retry-delay 0 --retry-max-time 30 \\
  http://127.0.0.1:8080/readyz
"""
"""What a page that talks to the web role expects to be running."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_program(tmp_path_factory.mktemp("program")) as made:
        yield made


@pytest.fixture(scope="module")
def after_tutorial(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the tutorial was followed to its end."""
    checkout = make_checkout(tmp_path_factory.mktemp("tutorial"), program)
    installed, _, script = script_of(TUTORIAL).partition("\n")
    assert installed == "make install", "which is done, or no test would run"
    _play(TUTORIAL, script, checkout)
    return checkout


@pytest.fixture(scope="module")
def sample(after_tutorial: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That, with the sample data of the how-to guides."""
    checkout = tmp_path_factory.mktemp("sample") / "checkout"
    shutil.copytree(after_tutorial, checkout)
    _play(SAMPLE, script_of(SAMPLE), checkout)
    return checkout


def _play(page: Path, script: str, checkout: Path) -> None:
    done = run_script(script, checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert missing_outputs(page, done.stdout) == [], done.stdout + done.stderr


def test_the_tutorial_runs_as_shown(after_tutorial: Path) -> None:
    mails = list((after_tutorial / "my-alerts" / "var" / "mailbox").glob("*.eml"))
    assert len(mails) == 1
    assert "owner.north@example.com" in mails[0].read_text()


@pytest.mark.parametrize("page", PLAYED, ids=lambda page: page.stem)
def test_each_how_to_guide_runs_as_shown(page: Path, sample: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(sample, checkout)
    terminal, script = blocks_of(SAMPLE)[0].text, script_of(page)
    started = STARTED if "127.0.0.1:8080" in script else ""
    _play(page, f"{terminal}{started}{script}", checkout)


def test_commands_stand_in_blocks_that_are_run() -> None:
    for page in PAGES:
        kinds = {block.kind for block in blocks_of(page)}
        assert kinds <= KINDS, page
        if page not in (TUTORIAL, SAMPLE, *GUIDES):
            assert "sh" not in kinds, f"{page} is not played"
        for block in blocks_of(page):
            if block.kind == "sh docker":
                lines = block.text.splitlines()
                assert all(re.match("docker compose |scripts/make-secrets", one) for one in lines)


def test_the_generated_pages_of_the_reference_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "reference"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
