"""What a mail template may ask of the case it is about: `v.customer.name` is there, `v.custmer.name` is not."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from jinja2 import nodes
from pydantic import BaseModel

from alerting.domain.people import Party
from alerting.services.response import PURPOSES
from alerting.services.views import CaseView

_ROOTS: dict[str, type] = {"v": CaseView, "me": Party}


def unknown_attributes(tree: nodes.Template, given: set[str]) -> Iterator[tuple[int, str, str | None]]:
    """Line, what is asked for as it is shown, and the nearest that is there. Names the template itself sets (`given`) are its own."""
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path = _path(node)
        if path is None or path[0] in given - {"v"} or path[0] not in _ROOTS:
            continue
        wrong = _first_wrong(path)
        if wrong is not None:
            asked, known = wrong
            near = get_close_matches(asked.rsplit(".", 1)[-1], known, n=1)
            yield node.lineno, repr(asked), repr(near[0]) if near else None
    yield from _unknown_links(tree)


def _unknown_links(tree: nodes.Template) -> Iterator[tuple[int, str, str | None]]:
    for node in tree.find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name == "link" and node.args:
            given = node.args[0]
            if isinstance(given, nodes.Const) and given.value not in PURPOSES:
                near = get_close_matches(str(given.value), PURPOSES, n=1)
                yield node.lineno, f"link({given.value!r})", f"link({near[0]!r})" if near else None


def _path(node: nodes.Expr) -> list[str] | None:
    """`v.customer.name`, or `v['customer'].name`, as its parts; None where it begins with anything but a name."""
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        name = node.attr
    elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        name = node.arg.value
    else:
        return None
    before = _path(node.node)
    return None if before is None else [*before, name]


def _first_wrong(path: list[str]) -> tuple[str, list[str]] | None:
    shape: Any = _ROOTS[path[0]]
    for nth, name in enumerate(path[1:], 1):
        if not (is_dataclass(shape) or (isinstance(shape, type) and issubclass(shape, BaseModel))):
            return None
        known = _names(shape)
        if name not in known:
            return ".".join(path[: nth + 1]), known
        shape = _type_of(shape, name)
    return None


def _names(shape: Any) -> list[str]:
    own = [field.name for field in fields(shape)] if is_dataclass(shape) else list(shape.model_fields)
    return [*own, *(name for name in dir(shape) if not name.startswith("_") and name not in own)]


def _type_of(shape: Any, name: str) -> Any:
    """The type behind an attribute or property, without None; Any where it cannot be told."""
    found = get_type_hints(shape).get(name)
    if found is None and isinstance(getattr(shape, name, None), property):
        found = get_type_hints(getattr(shape, name).fget).get("return")
    if get_origin(found) in {Union, UnionType}:
        kinds = [kind for kind in get_args(found) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else Any
    return found
