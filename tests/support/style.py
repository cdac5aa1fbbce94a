"""Python files against the rules of form, by their syntax trees. What breaks a rule is named by its
file and function, so that a change elsewhere in the file does not change the name.
"""

import ast
from functools import cache
from pathlib import Path

from tests.support.layout import ROOT

FOLDERS = ("alerting", "tests", "bench")
RELEASED = "alerting/database/migrations/versions"
"""Released migrations are never edited."""

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSION = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
NAMED = (*FUNCTION, ast.ClassDef)
LOOKED_AT = (*FUNCTION, *COMPREHENSION, ast.IfExp)


@cache
def files() -> tuple[str, ...]:
    """Every Python file of ours, scripts without an ending too, as paths within the repository."""
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file()]
    found += [path for path in scripts if "python" in path.read_text().partition("\n")[0]]
    names = [str(path.relative_to(ROOT)) for path in found]
    return tuple(sorted(name for name in names if not name.startswith(RELEASED)))


@cache
def nodes() -> tuple[tuple[str, ast.AST], ...]:
    """The conditional expressions, comprehensions and functions of every file, each with the place
    it stands in: `file::function`, `file::Class.function`, or the file alone at its top.
    """
    found: list[tuple[str, ast.AST]] = []
    waiting: list[tuple[str, ast.AST]] = [
        (name, ast.parse((ROOT / name).read_text())) for name in files()
    ]
    while waiting:
        within, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            place = within
            if isinstance(child, NAMED):
                place = f"{within}{'.' if '::' in within else '::'}{child.name}"
            if isinstance(child, LOOKED_AT):
                found.append((place, child))
            waiting.append((place, child))
    return tuple(found)


def nested_conditionals() -> set[str]:
    """Conditional expressions within another one."""
    return {place for place, node in nodes() if _is_nested(node)}


def _is_nested(node: ast.AST) -> bool:
    if not isinstance(node, ast.IfExp):
        return False
    parts = (node.test, node.body, node.orelse)
    return any(isinstance(inner, ast.IfExp) for part in parts for inner in ast.walk(part))


def long_comprehensions(most: int = 2) -> set[str]:
    """Comprehensions of more clauses, each `for` and each `if` counted."""
    return {place for place, node in nodes() if _clauses(node) > most}


def _clauses(node: ast.AST) -> int:
    if not isinstance(node, COMPREHENSION):
        return 0
    return len(node.generators) + sum(len(each.ifs) for each in node.generators)


def long_functions(most: int = 50) -> set[str]:
    """Functions of more lines, from `def` to the last."""
    return {place for place, node in nodes() if _lines(node) > most}


def _lines(node: ast.AST) -> int:
    if not isinstance(node, FUNCTION) or node.end_lineno is None:
        return 0
    return node.end_lineno - node.lineno + 1


def long_files(most: int = 300) -> set[str]:
    return {name for name in files() if len((ROOT / name).read_text().splitlines()) > most}


def full_folders(most: int = 15) -> set[str]:
    """Folders with more Python files, `__init__.py` not counted."""
    counted = [Path(name).parent for name in files() if not name.endswith("__init__.py")]
    return {str(folder) for folder in counted if counted.count(folder) > most}


def gerunds(nouns: frozenset[str]) -> set[str]:
    """Modules of the product whose name is, or ends in, a word in -ing that is none of the
    nouns.
    """
    product = [name for name in files() if name.startswith("alerting/")]
    last = {name: Path(name).stem.rpartition("_")[2] for name in product}
    return {name for name, word in last.items() if word.endswith("ing") and word not in nouns}
