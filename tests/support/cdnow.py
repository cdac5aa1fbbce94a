"""The CDNOW data: 69,659 purchases of 23,570 customers, and the tenth of them that Fader, Hardie
and Lee published about.

They lie in the wheel of `lifetimes`, of which nothing else is used: it is fetched by pip, checked
against its hash and kept in the cache. A run that cannot get them fails and says so.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

_WHEEL = "Lifetimes-0.11.3-py3-none-any.whl"
_PINNED = (
    "lifetimes==0.11.3 "
    "--hash=sha256:261e3dc89977c2b60767ca6728aaa29d429de0c814635070a749c36555895da8\n"
)

SAMPLE = "CDNOW_sample.txt"
"""No heading; the columns are an old number, the customer, the day, the CDs and the dollars."""

MASTER = "CDNOW_master.txt"
"""The heading names customer_id, date, number_of_cds and dollar_value."""


def cdnow_file(name: str) -> Path:
    """One of the files above, from the cache. Raises RuntimeError that says why it cannot be
    had.
    """
    cache = Path(os.environ.get("ALERTING_CACHE") or _cache_home() / "alerting") / "cdnow"
    if not (cache / name).exists():
        cache.mkdir(parents=True, exist_ok=True)
        _fetch(cache)
    return cache / name


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _fetch(cache: Path) -> None:
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        pinned = Path(folder, "pinned.txt")
        pinned.write_text(_PINNED)
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
        ]
        command += ["--require-hashes", "--requirement", str(pinned), "--dest", folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(
                f"the CDNOW data cannot be fetched (pip download lifetimes==0.11.3):\n{done.stderr}"
            )
        with zipfile.ZipFile(Path(folder, _WHEEL)) as wheel:
            for name in (SAMPLE, MASTER):
                whole = Path(folder, name)
                whole.write_bytes(wheel.read(f"lifetimes/datasets/{name}"))
                whole.replace(cache / name)  # never half a file


@pytest.fixture(scope="session")
def cdnow_sample() -> Path:
    return cdnow_file(SAMPLE)


@pytest.fixture(scope="session")
def cdnow_master() -> Path:
    return cdnow_file(MASTER)
