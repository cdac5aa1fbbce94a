"""What conditions are made of: types, the names that may be used, and the compiled form."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import Enum
from typing import Any

from alerting.domain.errors import ConditionRefused


class Type(Enum):
    """The types of facts. NULL is the type of a bare NULL and fits everywhere."""

    BIGINT = "whole number"
    NUMERIC = "number"
    TEXT = "text"
    BOOLEAN = "true/false"
    TIME = "time"
    DATE = "date"
    NULL = "null"

    @property
    def is_number(self) -> bool:
        return self in {Type.BIGINT, Type.NUMERIC, Type.NULL}


Facts = Mapping[str, Any]
Evaluate = Callable[[Facts], Any]


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The names a condition may use: what is written -> (key in the facts, type).

    Not `complete` where a file that declares names cannot be read: then an unknown one may be among those.
    """

    names: Mapping[str, tuple[str, Type]]
    complete: bool = True

    def find(self, name: str) -> tuple[str, Type]:
        found = self.names.get(name)
        if found is None and not self.complete:
            return (name, Type.NULL)
        if found is None:
            near = get_close_matches(name.lower(), self.names, n=1, cutoff=0.6)
            raise ConditionRefused(f"unknown field {name!r}", suggestion=f"did you mean {near[0]!r}?" if near else None)
        return found


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A compiled condition: its text, the facts it reads, and its evaluation."""

    sql: str
    reads: tuple[str, ...]
    _evaluate: Evaluate = field(repr=False, compare=False)

    def __call__(self, facts: Facts) -> bool | None:
        """True, False, or None for unknown."""
        result = self._evaluate(facts)
        return None if result is None else bool(result)
