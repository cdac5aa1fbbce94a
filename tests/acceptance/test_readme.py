"""The README's commands work as shown, and the schemas are generated from the code."""

import re
import subprocess
import sys
from pathlib import Path

from tests.support.doc_commands import blocks_of, make_checkout, run_script
from tests.support.world import ROOT

README = ROOT / "README.md"
BLOCKS = blocks_of(README)


def test_the_first_commands_are_those_of_the_makefile() -> None:
    shell = [block.text for block in BLOCKS if block.kind == "sh"]
    assert shell[0].splitlines() == ["make demo ARGS=--exit", "make test"]
    demo = run_script("make demo ARGS=--exit", ROOT)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "All of it happened" in demo.stdout
    shown = run_script("make -n test", ROOT)  # this very run is `make test`
    assert "pytest" in shown.stdout


def test_the_commands_of_a_rule_of_ones_own_run_as_shown(tmp_path: Path) -> None:
    shell = [block.text for block in BLOCKS if block.kind == "sh"]
    done = run_script("\n".join(shell[1:]), make_checkout(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "no problems",
        "1 new",
        "Birchwood Mills",
        "FIRES asks-for-a-call",
        "C-1 is contacted",
        "100%",
    ):
        assert words in done.stdout, done.stdout + done.stderr


def test_only_blocks_marked_docker_are_not_run() -> None:
    assert {block.kind for block in BLOCKS} == {"sh", "sh docker"}
    for command in re.findall(r"docker compose [a-z]+", README.read_text()):
        assert command == "docker compose up"


def test_every_link_of_the_readme_leads_somewhere() -> None:
    """Those of docs/ are checked when the site is built."""
    links = re.findall(r"\]\(([^)#]+)", README.read_text())
    assert len(links) > 5
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_schemas_and_openapi_are_generated_from_the_code() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "schemas"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
