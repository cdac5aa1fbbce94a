"""rules/ and templates/ of one's own."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.support.system.roles import ROOT


def copy_rules(folder: Path, edit: Callable[[Path], None] = lambda folder: None) -> Path:
    """rules/ and templates/ into `folder`, with a go_live long ago, so that no test depends on the
    date.

    `edit` gets the folder and may change the copy further.
    """
    for name in ("rules", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    settings = folder / "rules" / "settings.yaml"
    text, count = re.subn(
        r'^go_live: "[^"]*"', 'go_live: "2000-01-01T00:00:00Z"', settings.read_text(), flags=re.M
    )
    assert count == 1
    settings.write_text(text)
    edit(folder)
    return folder / "rules"


def replace_in(path: Path, old: str, new: str) -> int:
    """Replace the first `old`; returns the number of its line."""
    text = path.read_text()
    assert old in text, f"{path.name} no longer has {old!r}"
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1
