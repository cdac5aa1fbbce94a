"""What is wrong with files, collected with its place."""

from collections.abc import Collection
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Protocol

from alerting.adapters.files.drop_misfits import Path
from alerting.domain.errors import ConditionRefused, Problem


class Placed(Protocol):
    """A file that knows where its parts stand; lines and columns count from 1."""

    @property
    def name(self) -> str: ...
    def position(self, path: Path) -> tuple[int | None, int | None]:
        """Where the key or item at `path` stands; None where nobody can tell."""

    def value_position(
        self, path: Path, offset: int | None = None
    ) -> tuple[int | None, int | None]:
        """Where the value at `path` begins, or its character `offset`."""


@dataclass(kw_only=True)
class Findings:
    """Problems collected over all files, so that they can be shown at once."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def warn(
        self,
        file: str,
        message: str,
        suggestion: str | None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        """Something that works, but seldom as it was meant."""
        self.warnings.append(
            Problem(file=file, line=line, column=column, message=message, suggestion=suggestion)
        )

    def add(self, file: Placed, path: Path, message: str, suggestion: str | None = None) -> None:
        """A problem with what stands at `path`."""
        line, column = file.position(path)
        self.problems.append(
            Problem(
                file=file.name, line=line, column=column, message=message, suggestion=suggestion
            )
        )

    def refuse_condition(self, file: Placed, path: Path, error: ConditionRefused) -> None:
        """Where in the condition; one over several lines or with escapes names its start."""
        line, column = file.value_position(path, error.column)
        self.problems.append(
            Problem(
                file=file.name,
                line=line,
                column=column,
                message=error.message,
                suggestion=error.suggestion,
            )
        )

    def check_name(
        self, file: Placed, path: Path, kind: str, name: object, known: Collection[str] | None
    ) -> None:
        """A name that refers to nothing, with the nearest one that would.

        `known` None: nobody can tell, for the file that says it cannot be read. What is no text is
        the form's business.
        """
        if known is None or not isinstance(name, str) or name in known:
            return
        near = get_close_matches(name, sorted(known), n=1, cutoff=0.5)
        hint = (
            f"did you mean {near[0]!r}?"
            if near
            else f"known are {', '.join(sorted(known)) or 'none'}"
        )
        self.add(file, path, f"no {kind} is called {name!r}", hint)
