"""What a mail template may ask of the case it is about: `v.customer.name` is there,
`v.custmer.name` is not.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import UnionType
from typing import Any, TypeGuard, Union, get_args, get_origin, get_type_hints

from jinja2 import nodes
from pydantic import BaseModel

from alerting.domain.people.people import Party
from alerting.services.cases.case_view import CaseView
from alerting.services.cases.respond import PURPOSES

_ROOTS: dict[str, type] = {"v": CaseView, "me": Party}


def unknown_attributes(
    tree: nodes.Template, given: set[str]
) -> Iterator[tuple[int, str, str | None]]:
    """Line, what is asked for as it is shown, and the nearest that is there. Names the template
    itself sets (`given`) are its own.
    """
    roots = {name: kind for name, kind in _ROOTS.items() if name not in given - {"v"}} | _own_names(
        tree
    )
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        path = _path(node)
        if path is None or path[0] not in roots:
            continue
        wrong = _first_wrong(path, roots[path[0]])
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
    """`v.customer.name`, or `v['customer'].name`, as its parts; None where it begins with anything
    but a name.
    """
    if isinstance(node, nodes.Name):
        return [node.name]
    if isinstance(node, nodes.Getattr):
        name = node.attr
    elif (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
    ):
        name = node.arg.value
    else:
        return None
    before = _path(node.node)
    return None if before is None else [*before, name]


def _own_names(tree: nodes.Template) -> dict[str, object]:
    """What the names a template gives itself stand for: `{% for a in v.alerts %}`, `{% set c =
    v.customer %}`. Those that are given twice, or to a macro, may stand for anything.
    """
    found: dict[str, object] = {}
    times = Counter(
        name.name for name in tree.find_all(nodes.Name) if name.ctx in {"store", "param"}
    )
    parameters = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "param"}
    given: list[tuple[nodes.Node, nodes.Node, bool]] = [
        (node.target, node.node, False) for node in tree.find_all(nodes.Assign)
    ]
    given += [(node.target, node.iter, True) for node in tree.find_all(nodes.For)]
    for target, source, one_of in given:
        path = _path(source) if isinstance(source, nodes.Expr) else None
        known = {**_ROOTS, **found}
        if not isinstance(target, nodes.Name) or path is None or path[0] not in known:
            continue
        kind = known[path[0]]
        for name in path[1:]:
            kind = _type_of(kind, name) if _is_shape(kind) else None
        found[target.name] = _element_of(kind) if one_of else kind
    return {
        name: kind for name, kind in found.items() if times[name] == 1 and name not in parameters
    }


def _element_of(kind: object) -> object:
    origin, within = get_origin(kind), get_args(kind)
    several = isinstance(origin, type) and issubclass(origin, Sequence)
    return within[0] if several and within else None


def _is_shape(kind: object) -> TypeGuard[type]:
    return isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseModel))


def _first_wrong(path: list[str], shape: object) -> tuple[str, list[str]] | None:
    for nth, name in enumerate(path[1:], 1):
        if not _is_shape(shape):
            return None
        known = _names(shape)
        if name not in known:
            return ".".join(path[: nth + 1]), known
        shape = _type_of(shape, name)
    return None


def _names(shape: type) -> list[str]:
    if issubclass(shape, BaseModel):
        own = list(shape.model_fields)
    else:
        own = [field.name for field in fields(shape)] if is_dataclass(shape) else []
    return [*own, *(name for name in dir(shape) if not name.startswith("_") and name not in own)]


def _type_of(shape: object, name: str) -> object:
    """The type behind an attribute or property, without None; Any where it cannot be told."""
    found = get_type_hints(shape).get(name)
    if found is None and isinstance(getattr(shape, name, None), property):
        found = get_type_hints(getattr(shape, name).fget).get("return")
    if get_origin(found) in {Union, UnionType}:
        kinds = [kind for kind in get_args(found) if kind is not type(None)]
        return kinds[0] if len(kinds) == 1 else Any
    return found
