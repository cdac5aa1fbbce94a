"""What of a file fits its form when everything that does not has been taken out: one mistake must
not hide another.
"""

from collections.abc import Callable
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Form = TypeVar("Form", bound=BaseModel)
Path = tuple[str | int, ...]

_GONE = object()
"""In a list, so that the other items keep their places."""


def without_checks(loc: Path) -> Path:
    """Pydantic's path to a finding without the names of the functions that check."""
    return tuple(
        part for part in loc if not (isinstance(part, str) and part.startswith("function-"))
    )


def below(node: object, part: str | int) -> object:
    """What stands one step below; None where nothing does."""
    if isinstance(node, dict):
        return node.get(part)
    if isinstance(node, list) and isinstance(part, int) and 0 <= part < len(node):
        return node[part]
    return None


class Mended:
    """A file's data, from which parts are taken out until the rest fits."""

    def __init__(self, data: dict[str, object]) -> None:
        self._data = _copy(data)
        self._incomplete: set[Path] = set()

    def read(self, form: type[Form], note: Callable[[ErrorDetails, Path], None]) -> Form | None:
        """The form of what is left; None when nothing is. `note` is told each of pydantic's
        findings with its path.
        """
        while True:
            try:
                return form.model_validate(_present(self._data))
            except ValidationError as error:
                found = [
                    (finding, self._original(finding["loc"]))
                    for finding in error.errors(include_url=False)
                ]
            for finding, path in found:
                if path not in self._incomplete:
                    note(finding, path)
            for finding, path in found:
                unknown = (
                    finding["type"] == "extra_forbidden"
                )  # missed by what it stands in, if by anything
                around = (
                    [path[:-1]] if unknown else [path[:depth] for depth in range(len(path) + 1)]
                )
                self._incomplete.update(around)
            for path in {self._innermost(path) for _, path in found}:
                if not path:
                    return None
                self._take_out(path)

    def is_whole(self, path: Path) -> bool:
        """Whether nothing was taken out there: what is wrong with it otherwise is no mere
        consequence.
        """
        return path not in self._incomplete

    def kept(self, path: Path) -> list[int]:
        """The places, in the file, of the items that are left in the list at `path`."""
        found: object = self._data
        for part in path:
            found = below(found, part)
        items = found if isinstance(found, list) else []
        return [place for place, item in enumerate(items) if item is not _GONE]

    def _original(self, loc: tuple[str | int, ...]) -> Path:
        """A path in what pydantic was given, in the file, with the places items have there."""
        path: list[str | int] = []
        node: object = self._data
        for part in without_checks(loc):
            if isinstance(node, list) and isinstance(part, int):
                part = self.kept(tuple(path))[part]
            elif not isinstance(node, dict):
                continue  # the name of one type of several
            path.append(part)
            node = below(node, part)
        return tuple(path)

    def _innermost(self, path: Path) -> Path:
        """The part of the path that leads to something."""
        node: object = self._data
        for depth, part in enumerate(path):
            leads = part in node if isinstance(node, dict) else isinstance(node, list)
            if not leads:
                return path[:depth]
            node = below(node, part)
        return path

    def _take_out(self, path: Path) -> None:
        node: object = self._data
        for part in path[:-1]:
            node = below(node, part)
            if node is None or node is _GONE:
                return  # it went with what is around it
        if isinstance(node, list):
            node[int(path[-1])] = _GONE
        elif isinstance(node, dict):
            node.pop(path[-1], None)


def _copy(node: object) -> object:
    if isinstance(node, dict):
        return {key: _copy(value) for key, value in node.items()}
    return [_copy(item) for item in node] if isinstance(node, list) else node


def _present(node: object) -> object:
    if isinstance(node, dict):
        return {key: _present(value) for key, value in node.items()}
    return (
        [_present(item) for item in node if item is not _GONE] if isinstance(node, list) else node
    )
