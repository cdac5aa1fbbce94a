"""Every file, folder, class and function that the architecture page and docstrings name exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("docs/architecture.md", "CONTRIBUTING.md")
PATH = re.compile(r"`((?:[a-z_]+/)*[a-z_0-9]+\.py)(?:::([A-Za-z_.]+))?`")
FOLDER = re.compile(r"`((?:[a-z_]+/)+)`")
LAYERS = ("alerting", ".", "alerting/entrypoints", "alerting/entrypoints/web", "alerting/domain")


def named_in(page: str) -> list[tuple[str, str | None]]:
    return sorted(set(PATH.findall((ROOT / page).read_text())))


def found(path: str) -> Path | None:
    """Paths begin at the package, or at the root of the repository."""
    places = (ROOT / base / path for base in LAYERS)
    return next((place for place in places if place.exists()), None)


def definitions(path: Path) -> set[str]:
    """Functions, classes, their methods, and names that are assigned at the top."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            members = [one for one in node.body if isinstance(one, ast.FunctionDef)]
            names |= {f"{node.name}.{one.name}" for one in members}
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_exists(page: str) -> None:
    missing = []
    for path, name in named_in(page):
        place = found(path)
        if place is None or (name and name not in definitions(place)):
            missing.append(f"{path}::{name}" if name else path)
    folders = sorted(set(FOLDER.findall((ROOT / page).read_text())))
    missing += [folder for folder in folders if found(folder) is None]
    assert missing == []


def test_the_page_says_where_at_least_twenty_things_are() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    table = text.split("## Where to find what")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "?" in line]
    assert len(rows) >= 20
    assert all(PATH.search(row) for row in rows)


def modules() -> list[Path]:
    return [p for p in (ROOT / "alerting").rglob("*.py") if "migrations" not in p.parts]


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_docstring_cites_what_is_in_the_repository(path: Path) -> None:
    text = path.read_text()
    assert "DESIGN" not in text and "STYLE.md" not in text
    assert [
        one for one, _ in PATH.findall(text) if found(one) is None and not local(path, one)
    ] == []


def local(path: Path, named: str) -> bool:
    """A neighbour named without its folder."""
    return (path.parent / named).exists()


def test_transactions_that_docstrings_cite_stand_on_the_page() -> None:
    page = (ROOT / "docs/architecture.md").read_text()
    numbers = {int(n) for n in re.findall(r"^(\d+)\. \*\*", page, re.MULTILINE)}
    assert numbers == set(range(1, 15))
    cited = {
        int(number)
        for path in modules()
        for number in re.findall(r"transactions? (\d+)", path.read_text())
    }
    assert cited <= numbers
