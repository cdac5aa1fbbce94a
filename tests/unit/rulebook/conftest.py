"""A copy of rules/ and templates/ to spoil."""

import shutil
from pathlib import Path

import pytest

from tests.support.builders import ROOT


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of rules/ and templates/ to spoil."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    return tmp_path / "rules", tmp_path / "templates"
