"""Where tests and their fixtures stand, read from the files."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).parents[2]


def files_of_tests(folder: str = "tests") -> list[Path]:
    """Every test_*.py below a folder of the repository, sorted."""
    return sorted((ROOT / folder).rglob("test_*.py"))


def imported(path: Path) -> Iterator[str]:
    """The dotted names of the modules a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def fixtures_outside() -> frozenset[str]:
    """The names of the shared fixtures, of tests/conftest.py and tests/support."""
    files = [ROOT / "tests" / "conftest.py", *(ROOT / "tests" / "support").rglob("*.py")]
    trees = [ast.parse(path.read_text()) for path in files]
    statements = [statement for tree in trees for statement in tree.body]
    return frozenset(one.name for one in statements if _is_fixture(one))


def _is_fixture(statement: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    if not isinstance(statement, ast.FunctionDef):
        return False
    return any(ast.unparse(one).startswith("pytest.fixture") for one in statement.decorator_list)
