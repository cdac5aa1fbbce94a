"""What pydantic finds wrong with a file, in the words of whoever writes it."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from alerting.adapters.files.drop_misfits import Path

_PLAINLY = {
    "dict_type": (
        "names with values are needed here",
        "write `name: value`, one a line and indented",
    ),
    "list_type": ("a list is needed here", "begin each item with `- `"),
    "string_type": ("a text is needed here", "put it in quotes"),
    "int_type": ("a whole number is needed here", "write it without quotes"),
    "int_parsing": ("a whole number is needed here", "write it in digits"),
    "bool_type": ("true or false is needed here", None),
    "bool_parsing": ("true or false is needed here", None),
    "too_short": ("this is empty", "write at least one, or leave the key out"),
    "string_too_short": ("this is empty", None),
    "string_too_long": ("this text is too long", None),
    "model_type": (
        "names with values are needed here",
        "write `name: value`, one a line and indented",
    ),
    "model_attributes_type": (
        "names with values are needed here",
        "write `name: value`, one a line and indented",
    ),
}
"""Pydantic's kinds of findings -> what to tell whoever writes rules, and what to do."""


def said(finding: ErrorDetails, path: Path, form: type[BaseModel]) -> tuple[str, str | None]:
    """One of pydantic's findings as whoever writes the file is told of it, and what to do."""
    message = finding["msg"].removeprefix("Value error, ").replace("Input should", "must")
    suggestion = None
    if finding["type"] == "extra_forbidden":
        key = str(path[-1])
        near = get_close_matches(key, sorted(_keys_of(form)), n=1, cutoff=0.6)
        message, suggestion = (
            f"unknown key {key!r}",
            f"did you mean {near[0]!r}?" if near else None,
        )
    elif finding["type"] == "missing":
        message, suggestion = f"{path[-1]!r} is missing", f"add `{path[-1]}:`"
    elif finding["type"] in _PLAINLY:
        message, suggestion = _PLAINLY[finding["type"]]
    elif finding["type"] == "string_pattern_mismatch":
        message = f"{finding['input']!r} does not fit here"
        capitals = finding["ctx"]["pattern"] == "^[A-Z]{3}$"
        names = "small letters, digits, - and _ only, a letter first"
        suggestion = "three capital letters, such as EUR" if capitals else names
    elif finding["type"] == "literal_error":
        choices = re.findall(r"'([^']*)'", finding["ctx"]["expected"])
        near = get_close_matches(str(finding["input"]), choices, n=1, cutoff=0.6)
        suggestion = f"did you mean {near[0]!r}?" if near else None
    return message, suggestion


def _keys_of(form: type[BaseModel]) -> set[str]:
    """All keys that occur in a form or the forms inside it; good enough to guess what was meant."""
    keys: set[str] = set()
    waiting: list[object] = [form]
    seen: set[object] = set()
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


def _arguments(kind: object) -> Sequence[object]:
    return [argument for argument in getattr(kind, "__args__", ()) if not isinstance(argument, str)]
