"""YAML with positions: what stands where, so that every finding names file, line and column.

YAML 1.2 (ruamel.yaml): in 1.1 `on:` is true, `NO` is false and `9:00` is 540. Duplicate keys are
refused.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from pydantic import BaseModel, RootModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.nodes import Node
from ruamel.yaml.reader import ReaderError

from alerting.adapters.files.drop_misfits import Form, Mended, Path, below, without_checks
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.form_words import said
from alerting.domain.errors import Problem

Item = TypeVar("Item")

LOCALE = r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*"


class _Constructor(RoundTripConstructor):
    """Reads on where others stop. Of a key that stands twice the first counts, and the second is
    noted in `twice`.

    A day that no calendar has stays a text: the form says at its place what is needed there.
    """

    def __init__(self, preserve_quotes: bool | None = None, loader: object = None) -> None:
        super().__init__(preserve_quotes=preserve_quotes, loader=loader)
        self.twice: list[StreamMark] = []

    def check_mapping_key(
        self, node: Node, key_node: Node, mapping: Container[object], key: object, value: object
    ) -> bool:
        if key in mapping:
            self.twice.append(key_node.start_mark)
        return key not in mapping

    def day_or_text(self, node: Node) -> object:
        try:
            return self.construct_yaml_timestamp(node)
        except ValueError:
            return self.construct_scalar(node)


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.day_or_text)


class YamlFile:
    """One file, read. `data` is plain Python; positions count from 1."""

    def __init__(self, name: str, text: str, findings: Findings) -> None:
        self.name = name
        self._lines = text.split("\n")
        self._node: object = None
        self._refused = True
        try:
            reader = YAML(typ="rt")
            reader.Constructor = _Constructor
            self._node = reader.load(text)
            self._refused = False
            for mark in reader.constructor.twice:
                self._refuse(findings, mark, "this key stands here twice", "keep one of them")
        except MarkedYAMLError as error:
            hint = (
                "indent with spaces"
                if "\\t" in str(error.problem)
                else "put texts with signs in them in quotes"
            )
            self._refuse(
                findings, error.problem_mark, f"not YAML: {error.problem or error.context}", hint
            )
        except ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            message = f"not YAML: a character that no text has: {chr(error.character)!r}"
            findings.problems.append(
                Problem(file=name, line=line, column=None, message=message, suggestion="remove it")
            )
        except YAMLError as error:
            findings.problems.append(
                Problem(file=name, line=1, column=None, message=f"not YAML: {error}")
            )
        self.data = _plain(self._node)

    def _refuse(
        self, findings: Findings, mark: StreamMark | None, message: str, suggestion: str | None
    ) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        findings.problems.append(
            Problem(
                file=self.name, line=line, column=column, message=message, suggestion=suggestion
            )
        )

    def position(self, path: Path) -> tuple[int | None, int | None]:
        """Where the key or item at `path` stands, or the nearest thing around it."""
        return self._locate(path, of_value=False)

    def value_position(
        self, path: Path, offset: int | None = None
    ) -> tuple[int | None, int | None]:
        """Where the text at `path` begins, or its character `offset` where it stands in the file as
        it is read.
        """
        line, column = self._locate(path, of_value=True)
        rest = self._lines[line - 1][column - 1 :]
        quoted = rest[:1] in {"'", '"'}
        if offset is None or not rest[quoted:].startswith(str(self._at(path))):
            return line, column
        return line, column + offset - (not quoted)

    def at(self, path: Path) -> object:
        """What stands at `path`, as plain Python; None where nothing does."""
        found = self.data
        for part in path:
            found = below(found, part)
        return found

    def _at(self, path: Path) -> object:
        node = self._node
        for part in path:
            node = below(node, part)
        return node

    def _locate(self, path: Path, *, of_value: bool) -> tuple[int, int]:
        node, found = self._node, (1, 1)
        for part in path:
            place = None
            try:
                if isinstance(node, CommentedMap) and part in node:
                    place = node.lc.value(part) if of_value else node.lc.key(part)
                elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                    place = node.lc.item(part)
            except KeyError:
                break  # merged in by `<<`, it stands elsewhere
            if place is None:
                break
            found = (place[0] + 1, place[1] + 1)
            node = below(node, part)
        return found

    def items(self, *path: str | int) -> Iterator[tuple[Path, dict[str, object]]]:
        """The mappings under `path`, item by item, as written: names are checked even where a form
        does not fit.
        """
        found = self.data
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        pairs: Iterable[tuple[str | int, object]] = ()
        if isinstance(found, dict):
            pairs = found.items()
        elif isinstance(found, list):
            pairs = enumerate(found)
        return (((*path, name), item) for name, item in pairs if isinstance(item, dict))

    def names(self, key: str, within: str | None = None) -> Collection[str] | None:
        """The keys under `key`, or each item's `within`, as written; None where the file cannot
        tell.

        Also of a file with faults: what refers to a name that is written there is not wrong, too.
        """
        found = self.data.get(key) if isinstance(self.data, dict) else None
        if within is not None and isinstance(found, list):
            return {
                str(item[within]) for item in found if isinstance(item, dict) and within in item
            }
        return {str(name) for name in found} if within is None and isinstance(found, dict) else None

    def read(self, form: type[Form], findings: Findings) -> Form | None:
        """What of the file fits the form, every finding with its place. None when nothing is
        left.
        """
        if not isinstance(self.data, dict):
            if not self._refused:
                first = next(info.alias or name for name, info in form.model_fields.items())
                message = (
                    "the file is empty"
                    if self.data is None
                    else "the file holds no keys with values"
                )
                hint = (
                    "begin with a name, such as `berlin:`"
                    if issubclass(form, RootModel)
                    else f"begin with `{first}:`"
                )
                findings.add(self, (), message, hint)
            return None
        self._mended = Mended(self.data)
        return self._mended.read(
            form, lambda finding, path: findings.add(self, path, *said(finding, path, form))
        )

    def formed(self, path: Path, forms: Sequence[Item]) -> dict[int, Item]:
        """The items of a form's list by their places in the file, where others may not have
        fitted.
        """
        return dict(zip(self._mended.kept(path), forms, strict=True))

    def is_whole(self, path: Path) -> bool:
        """Whether the form has all that stands at `path`: what it lacks otherwise has been found
        already.
        """
        return self._mended.is_whole(path)

    def note(
        self, error: ValidationError, below: Path, form: type[BaseModel], findings: Findings
    ) -> None:
        """Every finding of a form that stands at `below`, with its place."""
        for finding in error.errors(include_url=False):
            path = below + without_checks(finding["loc"])
            findings.add(self, path, *said(finding, path, form))


def _plain(node: object) -> object:
    if isinstance(node, CommentedMap):
        return {
            str(key) if isinstance(key, date) else key: _plain(value) for key, value in node.items()
        }
    if isinstance(node, CommentedSeq):
        return [_plain(item) for item in node]
    return str(node) if isinstance(node, str) else node


def texts(value: object) -> list[str]:
    """A text or a list of texts, as written; what is neither has been found already."""
    return [
        item for item in (value if isinstance(value, list) else [value]) if isinstance(item, str)
    ]
