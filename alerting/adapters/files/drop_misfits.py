"""What of a file fits its form when everything that does not has been taken out: one mistake must
not hide another.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Form = TypeVar("Form", bound=BaseModel)
Path = tuple[str | int, ...]

_GONE = object()
"""In a list, so that the other items keep their places."""


def without_checks(loc: Path) -> Path:
    """Pydantic's path to a finding without the names of the functions that check."""
    return tuple(
        part for part in loc if not (isinstance(part, str) and part.startswith("function-"))
    )


class Mended:
    """A file's data, from which parts are taken out until the rest fits."""

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = _copy(data)
        self._incomplete: set[Path] = set()

    def read(self, form: type[Form], note: Callable[[Any, Path], None]) -> Form | None:
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
        found: Any = self._data
        for part in path:
            found = found.get(part, []) if isinstance(found, dict) else found[part]
        return [place for place, item in enumerate(found) if item is not _GONE]

    def _original(self, loc: tuple[str | int, ...]) -> Path:
        """A path in what pydantic was given, in the file, with the places items have there."""
        path: list[str | int] = []
        node: Any = self._data
        for part in without_checks(loc):
            if isinstance(node, list) and isinstance(part, int):
                part = self.kept(tuple(path))[part]
            elif not isinstance(node, dict):
                continue  # the name of one type of several
            path.append(part)
            node = node.get(part) if isinstance(node, dict) else node[part]
        return tuple(path)

    def _innermost(self, path: Path) -> Path:
        """The part of the path that leads to something."""
        node: Any = self._data
        for depth, part in enumerate(path):
            if part not in node if isinstance(node, dict) else not isinstance(node, list):
                return path[:depth]
            node = node[part]
        return path

    def _take_out(self, path: Path) -> None:
        node: Any = self._data
        for part in path[:-1]:
            node = node.get(part) if isinstance(node, dict) else node[part]
            if node is None or node is _GONE:
                return  # it went with what is around it
        if isinstance(node, list):
            node[int(path[-1])] = _GONE
        else:
            node.pop(path[-1], None)


def _copy(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _copy(value) for key, value in node.items()}
    return [_copy(item) for item in node] if isinstance(node, list) else node


def _present(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _present(value) for key, value in node.items()}
    return (
        [_present(item) for item in node if item is not _GONE] if isinstance(node, list) else node
    )
