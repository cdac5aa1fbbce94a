"""The commands that README and docs/ show, as a reader would copy and paste them.

A block of ```` ```sh ```` is run. The lines of an `output` block stand in what the blocks before it
printed; `…` stands for anything. `sh docker` needs a Docker engine and is not run.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import forked_program
from tests.support.services.process import free_port
from tests.support.world import ROOT

_BLOCK = re.compile(r"^```([^\n]+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    kind: str
    text: str


def blocks_of(path: Path) -> list[Block]:
    return [Block(kind=kind, text=text) for kind, text in _BLOCK.findall(path.read_text())]


def script_of(path: Path) -> str:
    return "\n".join(block.text for block in blocks_of(path) if block.kind == "sh")


def missing_outputs(path: Path, printed: str) -> list[str]:
    """The lines of `output` blocks that do not stand in `printed`, in their order."""
    lines, missing = printed.splitlines(), []
    for shown in (b for b in blocks_of(path) if b.kind == "output"):
        for wanted in (line.strip() for line in shown.text.splitlines() if line.strip()):
            pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("…")))
            found = next((n for n, line in enumerate(lines) if pattern.search(line)), None)
            if found is None:
                missing.append(wanted)
            else:
                del lines[: found + 1]
    return missing


def run_script(
    script: str, folder: Path, *, port: int | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run it in `folder`, on another port than the documented one; what it leaves running ends."""
    script = script.replace("8080", str(port or free_port()))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ALERTING_")}
    ended = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{ended}\n{script}"],
        cwd=folder,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=180,
    )


def make_checkout(folder: Path, program: Path | None = None) -> Path:
    """What the commands need of a checkout that is installed; `program` in place of `alerting`."""
    shutil.copytree(ROOT / "rules", folder / "rules")
    shutil.copytree(ROOT / "templates", folder / "templates")
    shutil.copytree(ROOT / "docs" / "samples", folder / "docs" / "samples")
    settings = folder / "rules" / "settings.yaml"
    settings.write_text(
        settings.read_text().replace("2026-01-01", "2001-01-01")
    )  # whatever date this machine shows
    (folder / ".venv").mkdir()
    programs = folder / ".venv" / "bin"
    if program is None:
        programs.symlink_to(Path(sys.executable).parent)
    else:
        programs.mkdir()
        shutil.copy(program, programs / "alerting")
    return folder


@contextmanager
def quick_program(folder: Path) -> Iterator[Path]:
    """An `alerting` that starts at once, as long as this lasts."""
    path, source = folder / "door", str(Path(forked_program.__file__))
    server = subprocess.Popen([sys.executable, source, "serve", str(path)], cwd=ROOT)
    program = folder / "alerting"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -ISE {source} {path} "$@"\n')
    program.chmod(0o755)
    try:
        give_up = time.monotonic() + 60
        while not path.exists():
            assert server.poll() is None and time.monotonic() < give_up, "it did not start"
            time.sleep(0.02)
        yield program
    finally:
        server.kill()
        server.wait()
