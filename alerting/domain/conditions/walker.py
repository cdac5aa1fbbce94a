"""One walk over the tree: what every kind of node needs. `logic` and `values` know the kinds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlglot import exp

from alerting.domain.conditions.instants import at_midnight, read_moment
from alerting.domain.conditions.types import Evaluate, Facts, Scope, Type
from alerting.domain.errors import ConditionRefused

MAX_DEPTH = 60
"""Nesting of one condition: closures recurse, and Python's stack is finite."""

_KNOWN_PARTS = frozenset(
    [
        "this",
        "expression",
        "expressions",
        "low",
        "high",
        "ifs",
        "default",
        "table",
        "db",
        "catalog",
        "is_string",
        "typed",
        "negate",
        "decimals",
        "to",
        "unit",
        "ignore_nulls",
        "fraction_in_string",
    ]
)
"""What the methods read of a node. A part nobody reads, such as SYMMETRIC, must not be passed over
in silence.
"""

_PUNCTUAL = {Type.TIME, Type.DATE}


@dataclass(frozen=True, kw_only=True)
class Typed:
    """A compiled part. `literal` is a text in quotes, which PostgreSQL reads as a date where it
    meets one.

    `field` is the key of the fact where the part is nothing but that; `fixed` where no fact can
    change its value; `either` where it may be a whole number or a fraction, and whoever calculates
    with it must look.
    """

    type: Type
    run: Evaluate
    literal: str | None = None
    field: str | None = None
    fixed: bool = False
    either: bool = False


class Walker:
    """A method per kind of node, found by its class: `_and` for exp.And. `kinds` are the types of
    by-value facts.
    """

    def __init__(self, scope: Scope, kinds: dict[str, Type]) -> None:
        self.scope = scope
        self.kinds = kinds
        self.reads: dict[str, Type] = {}
        self.by_value: dict[str, Type] = {}
        self.by_kind = False
        """Whether it calculates with what may be a whole number or a fraction: 3 and 3.0 may come
        to different things.
        """

    def compile(self, node: exp.Expr, depth: int) -> Typed:
        """The closure and the type of a node. Raises ConditionRefused with the column."""
        if depth > MAX_DEPTH:
            raise ConditionRefused(f"nested deeper than {MAX_DEPTH}")
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None or any(
            value and name not in _KNOWN_PARTS for name, value in node.args.items()
        ):
            raise refused(node, f"{shown(node)} is not part of the condition language")
        try:
            typed: Typed = method(node, depth + 1)
        except ConditionRefused as error:
            if error.column is None:
                error.column = column_of(node)
            raise
        return (
            Typed(type=Type.BOOLEAN, run=negated(typed.run)) if node.args.get("negate") else typed
        )

    def truth(self, node: exp.Expr, depth: int) -> Evaluate:
        """A part that must be true or false."""
        typed = self.compile(node, depth)
        if typed.type not in {Type.BOOLEAN, Type.NULL}:
            raise refused(node, f"{shown(node)} is a {typed.type.value}, not true/false")
        return typed.run

    def comparable(
        self, node: exp.Expr, parts: Sequence[Typed], clash: str = "compares a {} with a {}"
    ) -> list[Typed]:
        """The parts as values of one kind: texts in quotes beside a date become dates, dates beside
        a time times.
        """
        real = {part.type for part in parts if part.literal is None and part.type is not Type.NULL}
        punctual = real & _PUNCTUAL
        if punctual and real == punctual:
            kind = Type.TIME if Type.TIME in punctual else Type.DATE
            return [_as_moment(part, kind) for part in parts]
        kinds = {part.type for part in parts if part.type is not Type.NULL}
        if len(kinds) > 1 and not kinds <= {Type.BIGINT, Type.NUMERIC}:
            first, *others = (part.type for part in parts if part.type is not Type.NULL)
            other = next(
                kind
                for kind in others
                if kind is not first and not (kind.is_number and first.is_number)
            )
            raise refused(node, f"{shown(node)} {clash.format(first.value, other.value)}")
        if Type.TEXTS in kinds:
            raise refused(
                node, f"{shown(node)} needs single values, not lists", "write value = ANY(list)"
            )
        return list(parts)

    def unified(self, node: exp.Expr, parts: Sequence[Typed]) -> tuple[Type, list[Evaluate]]:
        """The parts as alternatives for one value, and its type."""
        made = self.comparable(node, parts, "mixes a {} and a {}")
        kinds = {part.type for part in made if part.type is not Type.NULL}
        kind = Type.NUMERIC if len(kinds) > 1 else next(iter(kinds), Type.NULL)
        return kind, [part.run for part in made]


def _as_moment(part: Typed, kind: Type) -> Typed:
    if part.literal is not None:
        return constant(kind, read_moment(part.literal, kind))
    if part.type is not Type.DATE or kind is Type.DATE:
        return part
    day = part.run

    def run(facts: Facts) -> object:
        found = day(facts)
        return at_midnight(found) if isinstance(found, date) else None

    return replace(part, type=kind, run=run, field=None)


def constant(kind: Type, value: object) -> Typed:
    """A part that no fact can change."""
    literal = value if kind is Type.TEXT and isinstance(value, str) else None
    return Typed(type=kind, run=lambda facts: value, literal=literal, fixed=True)


def calculated(kind: Type, run: Evaluate, *parts: Typed) -> Typed:
    """A value made of others; of literals alone it is calculated here and now."""
    if not all(part.fixed for part in parts):
        return Typed(type=kind, run=run)
    value = run({})
    return Typed(type=kind, run=lambda facts: value, fixed=True)


def negated(run: Evaluate) -> Evaluate:
    """NOT, also the one inside `IS NOT NULL` and `NOT LIKE`, which sqlglot keeps as a flag of the
    node.
    """

    def negated(facts: Facts) -> bool | None:
        value = run(facts)
        return None if value is None else not value

    return negated


def shown(node: exp.Expr) -> str:
    """The node as messages quote it, at most 60 characters of it."""
    return repr(node.sql(dialect="postgres")[:60])


def refused(node: exp.Expr, message: str, suggestion: str | None = None) -> ConditionRefused:
    """The error for a node, with the column where it stands."""
    return ConditionRefused(message, column=column_of(node), suggestion=suggestion)


def column_of(node: exp.Expr) -> int | None:
    """Where the node's first name or literal stands; the tokens carry end positions, counted from
    `SELECT `.
    """
    starts = [int(part.meta["start"]) for part in node.walk() if part.meta.get("start") is not None]
    return max(min(starts) + 1 - len("SELECT "), 1) if starts else None
