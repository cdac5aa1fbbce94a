"""What the reference says of a form, a field and a type; the sentences of descriptions.yaml."""

import datetime
import types
import typing
from collections.abc import Iterator, Sequence
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel
from ruamel.yaml import YAML

from alerting.adapters.rulebook import calendar_files
from alerting.adapters.rulebook.forms import values
from alerting.adapters.rulebook.forms.rule_test_forms import Moment, Offset
from alerting.domain.intake import payloads
from alerting.domain.people import people
from alerting.domain.times.days import IsoDate
from alerting.domain.times.durations import format_duration

CALLED: dict[Any, str] = {
    values.Length: "length, such as `7d`",
    values.Duration: "length, such as `0h`",
    values.Identifier: "identifier",
    values.Worded: "text (at most 120 characters)",
    people.PartyId: "id",
    people.Address: "mail address",
    people.Zone: "time zone",
    people.QuietHours: "`20:00-07:00`",
    people.Pause: "length, at most `1d`",
    people.Day: "day",
    IsoDate: "day",
    calendar_files.Periods: "periods",
    payloads.ClockTime: "`09:00`",
    payloads.Country: "country code",
    payloads.Language: "language tag",
    payloads.Zone: "time zone",
    payloads.CustomerId: "id (1 to 200 characters)",
    payloads.Id: "id (1 to 200 characters)",
    payloads.Line: "text (at most 500 characters)",
    payloads.Text: "text (at most 100,000 characters)",
    payloads.Contract: "object",
    Moment: "offset or time",
    Offset: "offset",
    Any: "any value",
    object: "any value",
    str: "text",
    int: "whole number",
    float: "number",
    int | float: "number",
    bool: "true or false",
    AwareDatetime: "time with its zone",
    datetime.datetime: "time with its zone",
    datetime.date: "day",
    datetime.timedelta: "length",
    Fraction: "share, such as `80%`",
    type(None): "",
}
"""What a type is called; types that are not here are described by their parts."""


class Texts:
    """The sentences of descriptions.yaml, of which each must be used."""

    def __init__(self, path: Path) -> None:
        self.all: dict[str, Any] = YAML(typ="safe").load(path.read_text())
        self.used: set[tuple[str, ...]] = set()
        self.missing: list[str] = []

    def of(self, *path: str) -> Any:
        found: Any = self.all
        for name in path:
            if name not in found:
                self.missing.append(" / ".join(path))
                return ""
            found = found[name]
        self.used.add(path)
        return found

    def unused(self) -> Iterator[str]:
        for path in _leaves(self.all, ()):
            if path not in self.used:
                yield " / ".join(path)


def _leaves(given: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if not isinstance(given, dict):
        yield path
        return
    for name, inner in given.items():
        yield from _leaves(inner, (*path, str(name)))


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join("| " + " | ".join(c.replace("|", "\\|") for c in row) + " |\n" for row in lines)


def type_words(kind: Any) -> str:
    """What may be written for this annotation."""
    with_name = next((words for known, words in CALLED.items() if known == kind), None)
    if with_name is not None:
        return with_name
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return type_words(parts[0]) + _limits(parts[1:])
    if origin is Literal:
        return ", ".join(f"`{str(part).lower()}`" for part in parts)
    if origin in (typing.Union, types.UnionType):
        told = [words for part in parts if (words := type_words(part))]
        return "number" if "number" in told else " or ".join(told)
    if origin in (list, tuple, frozenset):
        return f"list of {type_words(parts[0])}"
    if origin is dict:
        return f"{type_words(parts[1])} by {'name' if parts[0] is str else type_words(parts[0])}"
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{one.value}`" for one in kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{title_of(kind)}](#{title_of(kind).lower()})"
    return "text"


def _limits(metadata: Sequence[Any]) -> str:
    """The bounds of a number, in words."""
    inner = [one for field in metadata for one in getattr(field, "metadata", [])]
    low = max((one.ge for one in inner if hasattr(one, "ge")), default=-payloads.MAX_NUMBER)
    high = min((one.le for one in inner if hasattr(one, "le")), default=payloads.MAX_NUMBER)
    if low <= -payloads.MAX_NUMBER:
        return ""
    return f", {low} or more" if high >= payloads.MAX_NUMBER else f", {low} to {high}"


def title_of(form: type[BaseModel]) -> str:
    return form.__name__.removesuffix("Form")


def default_words(field: Any) -> str:
    if field.is_required():
        return "required"
    given = field.get_default(call_default_factory=True)
    if given is None or given in ({}, [], ()):
        return ""
    if isinstance(given, datetime.timedelta):
        return f"`{format_duration(given).replace(' ', '')}`"
    if isinstance(given, BaseModel):
        return ""
    return f"`{str(given).lower() if isinstance(given, bool) else given}`"


def forms_in(kind: Any) -> Iterator[type[BaseModel]]:
    """The forms an annotation mentions, in order."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for part in typing.get_args(kind):
        yield from forms_in(part)


def hints_of(form: type[BaseModel]) -> dict[str, Any]:
    hints = typing.get_type_hints(form, include_extras=True)
    return {
        name: field.annotation if name == "root" else hints[name]
        for name, field in form.model_fields.items()
    }


def nested(form: type[BaseModel], found: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """The form and all it consists of, each once, from the whole to the parts."""
    if form in found:
        return found
    found.append(form)
    for kind in hints_of(form).values():
        for inner in forms_in(kind):
            nested(inner, found)
    return found


def fields_table(form: type[BaseModel], texts: Texts, place: str) -> str:
    hints = hints_of(form)
    rows = []
    for name, field in form.model_fields.items():
        key = field.alias or name
        told = texts.of(place, form.__name__, key)
        rows.append([f"`{key}`", type_words(hints[name]), default_words(field), told])
    heading = "key" if place == "forms" else "field"
    return table([heading, "type", "default", "meaning"], rows)
