"""Fair comparison on a noisy machine: contestants take turns in rounds, and what counts is the
median of the ratios.
"""

import gc
import os
import platform
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

ROOT = Path(__file__).parent.parent
ROUNDS = 7


@dataclass(frozen=True, kw_only=True)
class Times:
    """Seconds per round of each contestant, round by round."""

    seconds: Mapping[str, list[float]]

    def median(self, name: str) -> float:
        return median(self.seconds[name])

    def ratio(self, slower: str, faster: str) -> float:
        """How many times the time of `faster` `slower` takes: the median over the rounds."""
        return median(
            a / b for a, b in zip(self.seconds[slower], self.seconds[faster], strict=True)
        )


def take_turns(contestants: Mapping[str, Callable[[], object]]) -> Times:
    """Each runs once to warm up, then once a round. The garbage collector waits."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for run in contestants.values():
        run()
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            for name, run in contestants.items():
                begin = perf_counter()
                run()
                seconds[name].append(perf_counter() - begin)
    finally:
        gc.enable()
    return Times(seconds=seconds)


def where_and_what() -> str:
    """Machine and commit, without which an absolute figure says nothing."""
    cpu = next(
        (line.split(":")[1].strip() for line in _cpu_info() if line.startswith("model name")),
        platform.machine(),
    )
    commit = _git("rev-parse", "--short", "HEAD") + (
        " and changes" if _git("status", "--porcelain", "alerting") else ""
    )
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, commit {commit}"


def verdict(met: bool) -> str:
    return "met" if met else "NOT MET"


def _cpu_info() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
