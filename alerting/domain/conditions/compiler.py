"""The tree becomes closures: one walk, types checked on the way."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from alerting.domain import arithmetic
from alerting.domain.conditions import texts
from alerting.domain.conditions.parsing import parse
from alerting.domain.conditions.types import Condition, Evaluate, Facts, Scope, Type
from alerting.domain.errors import ConditionRefused

MAX_DEPTH = 60
"""Nesting of one condition: closures recurse, and Python's stack is finite."""


@dataclass(frozen=True, kw_only=True)
class _Typed:
    type: Type
    run: Evaluate


def compile_condition(sql: str, scope: Scope) -> Condition:
    """Parse, check names and types, and compile. Raises ConditionRefused with the column where one is known."""
    compiler = _Compiler(scope)
    try:
        typed = compiler.compile(parse(sql), 0)
    except RecursionError as error:  # parsing, or showing the refused part
        raise ConditionRefused(f"nested deeper than {MAX_DEPTH}") from error
    if typed.type not in {Type.BOOLEAN, Type.NULL}:
        raise ConditionRefused(f"a condition must be true or false, this is a {typed.type.value}")
    return Condition(sql=sql, reads=tuple(dict.fromkeys(compiler.reads)), _evaluate=typed.run)


_COMPARE: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


_KNOWN_PARTS = frozenset(
    "this expression expressions low high ifs default table db catalog is_string typed negate".split()  # noqa: SIM905
)
"""What the methods below read of a node. A part nobody reads, such as SYMMETRIC, must not be passed over in silence."""


class _Compiler:
    """One walk over the tree; a method per kind of node, found by its class."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.reads: list[str] = []

    def compile(self, node: exp.Expr, depth: int) -> _Typed:
        if depth > MAX_DEPTH:
            raise ConditionRefused(f"nested deeper than {MAX_DEPTH}")
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if type(node) in _COMPARE:
            method = self._comparison
        if method is None or any(value and name not in _KNOWN_PARTS for name, value in node.args.items()):
            raise _refused(node, f"{node.sql(dialect='postgres')[:60]!r} is not part of the condition language")
        try:
            typed: _Typed = method(node, depth + 1)
        except ConditionRefused as error:
            if error.column is None:
                error.column = _column_of(node)
            raise
        return _Typed(type=Type.BOOLEAN, run=_negated(typed.run)) if node.args.get("negate") else typed

    def _paren(self, node: exp.Paren, depth: int) -> _Typed:
        return self.compile(node.this, depth)

    def _column(self, node: exp.Column, depth: int) -> _Typed:
        name = ".".join(part.name for part in node.parts)
        key, kind = self.scope.find(name)
        self.reads.append(key)
        return _Typed(type=kind, run=lambda facts: facts.get(key))

    def _dot(self, node: exp.Dot, depth: int) -> _Typed:
        raise ConditionRefused(f"unknown field {node.sql(dialect='postgres')!r}")

    def _literal(self, node: exp.Literal, depth: int) -> _Typed:
        if node.is_string:
            return _constant(Type.TEXT, node.this)
        if re.fullmatch(r"\d+", node.this) and int(node.this) <= arithmetic.BIGINT_MAX:
            return _constant(Type.BIGINT, int(node.this))
        try:
            return _constant(Type.NUMERIC, Decimal(node.this))
        except InvalidOperation as error:
            raise ConditionRefused(f"{node.this!r} is not a number") from error

    def _boolean(self, node: exp.Boolean, depth: int) -> _Typed:
        return _constant(Type.BOOLEAN, bool(node.this))

    def _null(self, node: exp.Null, depth: int) -> _Typed:
        return _constant(Type.NULL, None)

    def _and(self, node: exp.And, depth: int) -> _Typed:
        return self._connected(node, depth, decisive=False)

    def _or(self, node: exp.Or, depth: int) -> _Typed:
        return self._connected(node, depth, decisive=True)

    def _connected(self, node: exp.Connector, depth: int, *, decisive: bool) -> _Typed:
        """A chain of AND is false, one of OR true, as soon as one operand is; else unknown if any is unknown."""
        operands = [self._truth(operand, depth) for operand in node.flatten()]

        def run(facts: Facts) -> bool | None:
            answer: bool | None = not decisive
            for operand in operands:
                value: bool | None = operand(facts)
                if value is decisive:
                    return decisive
                if value is None:
                    answer = None
            return answer

        return _Typed(type=Type.BOOLEAN, run=run)

    def _not(self, node: exp.Not, depth: int) -> _Typed:
        return _Typed(type=Type.BOOLEAN, run=_negated(self._truth(node.this, depth)))

    def _truth(self, node: exp.Expr, depth: int) -> Evaluate:
        typed = self.compile(node, depth)
        if typed.type not in {Type.BOOLEAN, Type.NULL}:
            raise _refused(node, f"{node.sql(dialect='postgres')!r} is a {typed.type.value}, not true/false")
        return typed.run

    def _comparison(self, node: exp.Binary, depth: int) -> _Typed:
        for side in (node.left, node.right):
            if type(side) in _COMPARE:
                raise _refused(side, "comparisons do not chain; put parentheses around one, or connect them with AND")
        left, right = self.compile(node.left, depth), self.compile(node.right, depth)
        _same_kind(node, left.type, right.type)
        compare, first, second = _COMPARE[type(node)], left.run, right.run

        def run(facts: Facts) -> bool | None:
            a = first(facts)
            if a is None:
                return None
            b = second(facts)
            return None if b is None else compare(a, b)

        return _Typed(type=Type.BOOLEAN, run=run)

    def _in(self, node: exp.In, depth: int) -> _Typed:
        if node.args.get("query") or node.args.get("unnest") or not node.expressions:
            raise ConditionRefused("IN takes a list of values, no subquery")
        needle = self.compile(node.this, depth)
        items = [self.compile(item, depth) for item in node.expressions]
        for item in items:
            _same_kind(node, needle.type, item.type)

        def run(facts: Facts) -> bool | None:
            value = needle.run(facts)
            if value is None:
                return None
            found = [item.run(facts) for item in items]
            return True if value in found else None if None in found else False

        return _Typed(type=Type.BOOLEAN, run=run)

    def _between(self, node: exp.Between, depth: int) -> _Typed:
        subject, low, high = (self.compile(node.args[part], depth) for part in ("this", "low", "high"))
        _same_kind(node, subject.type, low.type)
        _same_kind(node, subject.type, high.type)

        def run(facts: Facts) -> bool | None:
            value, least, most = subject.run(facts), low.run(facts), high.run(facts)
            if value is None:
                return None
            below = least is not None and value < least
            if below or (most is not None and value > most):
                return False
            return None if least is None or most is None else True

        return _Typed(type=Type.BOOLEAN, run=run)

    def _is(self, node: exp.Is, depth: int) -> _Typed:
        inner, wanted = self.compile(node.this, depth), node.expression
        if isinstance(wanted, exp.Null):
            return _Typed(type=Type.BOOLEAN, run=lambda facts: inner.run(facts) is None)
        if isinstance(wanted, exp.Boolean):
            if inner.type not in {Type.BOOLEAN, Type.NULL}:
                raise ConditionRefused(f"IS TRUE and IS FALSE ask a true/false value, not a {inner.type.value}")
            truth = bool(wanted.this)
            return _Typed(type=Type.BOOLEAN, run=lambda facts: inner.run(facts) is truth)
        raise ConditionRefused("IS is followed by NULL, TRUE or FALSE")

    def _like(self, node: exp.Like, depth: int) -> _Typed:
        return self._pattern(node, depth, lambda text: text)

    def _ilike(self, node: exp.ILike, depth: int) -> _Typed:
        return self._pattern(node, depth, texts.lower)

    def _pattern(self, node: exp.Binary, depth: int, fold: Callable[[str], str]) -> _Typed:
        if type(node.left) in {exp.Like, exp.ILike}:
            raise _refused(node.left, "put parentheses around the first comparison")
        subject = self.compile(node.left, depth)
        if subject.type not in {Type.TEXT, Type.NULL} or not (
            isinstance(node.right, exp.Literal) and node.right.is_string
        ):
            raise ConditionRefused("LIKE compares a text with a pattern written in quotes")
        matches = re.compile(texts.like_to_regex(fold(node.right.this)), re.DOTALL).fullmatch

        def run(facts: Facts) -> bool | None:
            text = subject.run(facts)
            return None if text is None else matches(fold(text)) is not None

        return _Typed(type=Type.BOOLEAN, run=run)

    def _case(self, node: exp.Case, depth: int) -> _Typed:
        if node.this is not None:
            raise ConditionRefused("write CASE WHEN condition THEN value ... END")
        branches = [
            (self._truth(when.this, depth), self.compile(when.args["true"], depth)) for when in node.args["ifs"]
        ]
        default = node.args.get("default")
        otherwise = self.compile(default, depth) if default is not None else _constant(Type.NULL, None)
        kind = _common(node, [value.type for _, value in branches] + [otherwise.type])

        def run(facts: Facts) -> Any:
            for when, value in branches:
                if when(facts):
                    return value.run(facts)
            return otherwise.run(facts)

        return _Typed(type=kind, run=run)

    def _coalesce(self, node: exp.Coalesce, depth: int) -> _Typed:
        values = [self.compile(item, depth) for item in [node.this, *node.expressions]]
        kind = _common(node, [value.type for value in values])

        def run(facts: Facts) -> Any:
            for value in values:
                found = value.run(facts)
                if found is not None:
                    return found
            return None

        return _Typed(type=kind, run=run)

    def _lower(self, node: exp.Lower, depth: int) -> _Typed:
        return self._of_text(node, depth, Type.TEXT, texts.lower)

    def _upper(self, node: exp.Upper, depth: int) -> _Typed:
        return self._of_text(node, depth, Type.TEXT, texts.upper)

    def _length(self, node: exp.Length, depth: int) -> _Typed:
        return self._of_text(node, depth, Type.BIGINT, len)

    def _of_text(self, node: exp.Func, depth: int, kind: Type, apply: Callable[[str], Any]) -> _Typed:
        inner = self.compile(node.this, depth)
        if inner.type not in {Type.TEXT, Type.NULL}:
            raise ConditionRefused(f"{node.sql_name()} takes a text, not a {inner.type.value}")

        def run(facts: Facts) -> Any:
            value = inner.run(facts)
            return None if value is None else apply(value)

        return _Typed(type=kind, run=run)

    def _abs(self, node: exp.Abs, depth: int) -> _Typed:
        return self._of_number(node, depth, arithmetic.ABSOLUTE)

    def _neg(self, node: exp.Neg, depth: int) -> _Typed:
        return self._of_number(node, depth, arithmetic.NEGATE)

    def _of_number(self, node: exp.Expr, depth: int, on: arithmetic.OfOne) -> _Typed:
        inner = self.compile(node.this, depth)
        if not inner.type.is_number:
            raise ConditionRefused(f"needs a number, not a {inner.type.value}")
        calculate = on.numeric if inner.type is Type.NUMERIC else on.bigint

        def run(facts: Facts) -> Any:
            value = inner.run(facts)
            return None if value is None else calculate(value)

        return _Typed(type=inner.type, run=run)

    def _add(self, node: exp.Add, depth: int) -> _Typed:
        return self._arithmetic(node, depth, arithmetic.ADD)

    def _sub(self, node: exp.Sub, depth: int) -> _Typed:
        return self._arithmetic(node, depth, arithmetic.SUBTRACT)

    def _mul(self, node: exp.Mul, depth: int) -> _Typed:
        return self._arithmetic(node, depth, arithmetic.MULTIPLY)

    def _div(self, node: exp.Div, depth: int) -> _Typed:
        return self._arithmetic(node, depth, arithmetic.DIVIDE)

    def _mod(self, node: exp.Mod, depth: int) -> _Typed:
        return self._arithmetic(node, depth, arithmetic.REMAINDER)

    def _arithmetic(self, node: exp.Binary, depth: int, on: arithmetic.OfTwo) -> _Typed:
        left, right = self.compile(node.left, depth), self.compile(node.right, depth)
        if not (left.type.is_number and right.type.is_number):
            raise ConditionRefused(f"cannot calculate with a {left.type.value} and a {right.type.value}")
        kind = Type.NUMERIC if Type.NUMERIC in {left.type, right.type} else Type.BIGINT
        calculate = on.numeric if kind is Type.NUMERIC else on.bigint

        def run(facts: Facts) -> Any:
            a, b = left.run(facts), right.run(facts)
            return None if a is None or b is None else calculate(a, b)

        return _Typed(type=kind, run=run)


def _negated(run: Evaluate) -> Evaluate:
    """NOT, also the one inside `IS NOT NULL` and `NOT LIKE`, which sqlglot keeps as a flag of the node."""

    def negated(facts: Facts) -> bool | None:
        value = run(facts)
        return None if value is None else not value

    return negated


def _constant(kind: Type, value: Any) -> _Typed:
    return _Typed(type=kind, run=lambda facts: value)


def _same_kind(node: exp.Expr, left: Type, right: Type) -> None:
    if Type.NULL in {left, right} or left is right or (left.is_number and right.is_number):
        return
    raise ConditionRefused(f"{node.sql(dialect='postgres')!r} compares a {left.value} with a {right.value}")


def _common(node: exp.Expr, kinds: list[Type]) -> Type:
    real = {kind for kind in kinds if kind is not Type.NULL}
    if len(real) <= 1:
        return real.pop() if real else Type.NULL
    if real <= {Type.BIGINT, Type.NUMERIC}:
        return Type.NUMERIC
    names = " and ".join(sorted(kind.value for kind in real))
    raise ConditionRefused(f"{node.sql(dialect='postgres')[:60]!r} mixes {names}")


def _refused(node: exp.Expr, message: str) -> ConditionRefused:
    return ConditionRefused(message, column=_column_of(node))


def _column_of(node: exp.Expr) -> int | None:
    """Where the node's first name or literal stands; the tokens carry end positions, counted from `SELECT `."""
    starts = [int(part.meta["start"]) for part in node.walk() if part.meta.get("start") is not None]
    return max(min(starts) + 1 - len("SELECT "), 1) if starts else None
