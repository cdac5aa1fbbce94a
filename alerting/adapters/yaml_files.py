"""YAML with positions: what stands where, so that every finding names file, line and column.

YAML 1.2 (ruamel.yaml): in 1.1 `on:` is true, `NO` is false and `9:00` is 540. Duplicate keys are refused.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from alerting.domain.errors import ConditionRefused, Problem

Form = TypeVar("Form", bound=BaseModel)
Path = tuple[str | int, ...]


@dataclass(kw_only=True)
class Findings:
    """Problems collected over all files, so that they can be shown at once."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, file: "YamlFile", path: Path, message: str, suggestion: str | None = None) -> None:
        line, column = file.position(path)
        self.problems.append(Problem(file=file.name, line=line, column=column, message=message, suggestion=suggestion))

    def refuse_condition(self, file: "YamlFile", path: Path, error: ConditionRefused) -> None:
        """A condition's own column counts from the quote it stands behind; one over several lines names its start."""
        line, column = file.value_position(path)
        if column is not None and error.column is not None:
            column += error.column
        self.problems.append(
            Problem(file=file.name, line=line, column=column, message=error.message, suggestion=error.suggestion)
        )

    def unknown_name(self, file: "YamlFile", path: Path, kind: str, name: str, known: Iterable[str]) -> None:
        """A name that refers to nothing, with the nearest one that would."""
        names = sorted(known)
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names) or 'none'}"
        self.add(file, path, f"no {kind} is called {name!r}", hint)


class YamlFile:
    """One file, read. `data` is plain Python; positions count from 1."""

    def __init__(self, name: str, text: str, findings: Findings) -> None:
        self.name = name
        self._node: Any = None
        try:
            self._node = YAML(typ="rt").load(text)
        except DuplicateKeyError as error:
            self._refuse(findings, error, "this key stands here twice", "keep one of them")
        except MarkedYAMLError as error:
            self._refuse(findings, error, f"not YAML: {error.problem or error.context}", None)
        except YAMLError as error:
            findings.problems.append(Problem(file=name, line=None, column=None, message=f"not YAML: {error}"))
        self.data = _plain(self._node)

    def _refuse(self, findings: Findings, error: MarkedYAMLError, message: str, suggestion: str | None) -> None:
        mark = error.problem_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        findings.problems.append(
            Problem(file=self.name, line=line, column=column, message=message, suggestion=suggestion)
        )

    def position(self, path: Path) -> tuple[int | None, int | None]:
        """Where the key or item at `path` stands, or the nearest thing around it."""
        return self._locate(path, of_value=False)

    def value_position(self, path: Path) -> tuple[int | None, int | None]:
        return self._locate(path, of_value=True)

    def _locate(self, path: Path, *, of_value: bool) -> tuple[int | None, int | None]:
        node, found = self._node, (1, 1)
        for part in path:
            place = None
            if isinstance(node, CommentedMap) and part in node:
                place = node.lc.value(part) if of_value else node.lc.key(part)
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                place = node.lc.item(part)
            if place is None:
                break
            found = (place[0] + 1, place[1] + 1)
            node = node[part]
        return found

    def read(self, form: type[Form], findings: Findings) -> Form | None:
        """The file as a form; every finding with its place. None when it does not fit."""
        if self.data is None:
            if self._node is None and not findings.problems:
                findings.add(self, (), "the file is empty")
            return None
        try:
            return form.model_validate(self.data)
        except ValidationError as error:
            for finding in error.errors(include_url=False):
                self._note(finding, form, findings)
            return None

    def _note(self, finding: Any, form: type[BaseModel], findings: Findings) -> None:
        path = tuple(part for part in finding["loc"] if not (isinstance(part, str) and part.startswith("function-")))
        message = finding["msg"].removeprefix("Value error, ")
        suggestion = None
        if finding["type"] == "extra_forbidden":
            key = str(path[-1])
            near = get_close_matches(key, sorted(_keys_of(form)), n=1, cutoff=0.6)
            message, suggestion = f"unknown key {key!r}", f"did you mean {near[0]!r}?" if near else None
        elif finding["type"] == "missing":
            message = f"{path[-1]!r} is missing"
        findings.add(self, path, message, suggestion)


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(item) for item in node]
    return str(node) if isinstance(node, str) else node


def _keys_of(form: type[BaseModel]) -> set[str]:
    """All keys that occur in a form or the forms inside it; good enough to guess what was meant."""
    keys: set[str] = set()
    waiting: list[Any] = [form]
    seen: set[Any] = set()
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            for name, info in kind.model_fields.items():
                keys.add(info.alias or name)
                waiting.append(info.annotation)
        waiting += list(_arguments(kind))
    return keys


def _arguments(kind: Any) -> Sequence[Any]:
    return [argument for argument in getattr(kind, "__args__", ()) if not isinstance(argument, str)]
