"""What has a value: names, literals, arithmetic, dates, and the few functions of the language."""

import re
from dataclasses import replace
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from alerting.domain.conditions import arithmetic, instants, shapes, texts
from alerting.domain.conditions.logic import COMPARISONS, Logic
from alerting.domain.conditions.types import Type
from alerting.domain.conditions.walker import Typed, calculated, constant, refused, shown
from alerting.domain.errors import ConditionRefused

_ARITHMETIC = (exp.Paren, exp.Neg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_COMPARING = (*COMPARISONS, exp.Between, exp.In, exp.Is)


class Values(Logic):
    """The kinds of nodes that calculate."""

    def _column(self, node: exp.Column, depth: int) -> Typed:
        name = name_of(node)
        if name.startswith("lists."):
            self.scope.words(name)
            raise ConditionRefused("a list stands in = ANY(...) or in contains_any(...)")
        key, kind = self.scope.find(name)
        self.reads[key] = kind
        either = kind is Type.NUMBER and self._is_only_compared(node)
        if not either and kind in {Type.NUMBER, Type.ANY}:
            self.by_value[key] = kind
            kind = self.kinds.get(key) or (Type.BIGINT if kind is Type.NUMBER else Type.NULL)
        kind = Type.BIGINT if either else kind
        return Typed(type=kind, run=lambda facts: facts.get(key), field=key, either=either)

    def _is_only_compared(self, node: exp.Expr) -> bool:
        """Whether a value only ends in a comparison, at most after arithmetic with numbers: any
        kind of number will do.
        """
        top = node
        while isinstance(top.parent, _ARITHMETIC):
            top = top.parent
        return isinstance(top.parent, _COMPARING) and all(
            self._is_arithmetic(part) for part in top.walk()
        )

    def _is_arithmetic(self, part: exp.Expr) -> bool:
        if isinstance(part, exp.Column):
            return self.scope.find(name_of(part))[1] in {Type.BIGINT, Type.NUMERIC, Type.NUMBER}
        if isinstance(part, exp.Literal):
            return not part.is_string
        return isinstance(part, (*_ARITHMETIC, exp.Identifier))

    def _dot(self, node: exp.Dot, depth: int) -> Typed:
        raise ConditionRefused(f"unknown field {shown(node)}")

    def _literal(self, node: exp.Literal, depth: int) -> Typed:
        if node.is_string:
            return constant(Type.TEXT, node.this)
        if re.fullmatch(r"\d+", node.this) and int(node.this) <= arithmetic.BIGINT_MAX:
            return constant(Type.BIGINT, int(node.this))
        try:
            return constant(Type.NUMERIC, Decimal(node.this))
        except InvalidOperation as error:
            raise ConditionRefused(f"{node.this!r} is not a number") from error

    def _interval(self, node: exp.Interval, depth: int) -> Typed:
        """sqlglot splits `INTERVAL '7 days'` into number and unit."""
        amount, unit = node.this, node.args.get("unit")
        if not (isinstance(amount, exp.Literal) and amount.is_string):
            raise ConditionRefused(
                "an interval is written in quotes", suggestion="INTERVAL '7 days'"
            )
        return constant(
            Type.INTERVAL, instants.read_interval(f"{amount.this} {unit.name if unit else ''}")
        )

    def _cast(self, node: exp.Cast, depth: int) -> Typed:
        """`DATE '2026-03-06'`, `TIMESTAMPTZ '2026-03-06 08:30Z'`, and the day of a time:
        `now::date`.
        """
        wanted = {exp.DType.DATE: Type.DATE, exp.DType.TIMESTAMPTZ: Type.TIME}.get(node.to.this)
        inner = self.compile(node.this, depth)
        if wanted is not None and inner.literal is not None:
            return constant(wanted, instants.read_moment(inner.literal, wanted))
        if wanted is Type.DATE and inner.type in {Type.TIME, Type.DATE, Type.NULL}:
            day = instants.day_of if inner.type is Type.TIME else lambda found: found
            return self._applied(inner, Type.DATE, day)
        raise refused(
            node,
            f"{shown(node)} is not part of the condition language",
            "only ::date, of a time, is",
        )

    def _lower(self, node: exp.Lower, depth: int) -> Typed:
        return self._of_text(node, depth, Type.TEXT, texts.lower)

    def _upper(self, node: exp.Upper, depth: int) -> Typed:
        return self._of_text(node, depth, Type.TEXT, texts.upper)

    def _length(self, node: exp.Length, depth: int) -> Typed:
        return self._of_text(node, depth, Type.BIGINT, len)

    def _of_text(self, node: exp.Func, depth: int, kind: Type, apply: shapes.Calculate) -> Typed:
        inner = self.compile(node.this, depth)
        if inner.type not in {Type.TEXT, Type.NULL}:
            raise ConditionRefused(f"{node.sql_name()} takes a text, not a {inner.type.value}")
        return self._applied(inner, kind, apply)

    def _anonymous(self, node: exp.Anonymous, depth: int) -> Typed:
        """`contains_any(comment, lists.x)`: whether a word or phrase of the list stands in the
        text, as whole words.
        """
        if node.name.lower() != "contains_any" or len(node.expressions) != 2:
            raise ConditionRefused(
                "contains_any takes a text and a list", suggestion="contains_any(comment, lists.x)"
            )
        subject, words = self.compile(node.expressions[0], depth), node.expressions[1]
        if subject.type not in {Type.TEXT, Type.NULL}:
            raise ConditionRefused(f"contains_any searches a text, not a {subject.type.value}")
        if not isinstance(words, exp.Column):
            raise ConditionRefused(
                "contains_any looks for the words of a declared list, such as lists.x"
            )
        search = texts.words_to_regex(self.scope.words(".".join(part.name for part in words.parts)))
        return self._applied(subject, Type.BOOLEAN, lambda text: search(text) is not None)

    def _abs(self, node: exp.Abs, depth: int) -> Typed:
        return self._of_number(node, depth, arithmetic.ABSOLUTE)

    def _neg(self, node: exp.Neg, depth: int) -> Typed:
        inner = self.compile(node.this, depth)
        if inner.type is Type.INTERVAL:
            return self._applied(inner, Type.INTERVAL, lambda interval: -interval)
        return self._of_number(node, depth, arithmetic.NEGATE)

    def _round(self, node: exp.Round, depth: int) -> Typed:
        """Half away from zero; a whole number becomes a fraction, too, as it does in PostgreSQL."""
        places, minus = node.args.get("decimals"), 1
        if isinstance(places, exp.Neg):
            places, minus = places.this, -1
        if places is not None and not (
            isinstance(places, exp.Literal) and re.fullmatch(r"\d{1,3}", places.this)
        ):
            raise ConditionRefused(
                "ROUND takes a number and how many digits to keep", suggestion="ROUND(score, 1)"
            )
        inner, digits = self.compile(node.this, depth), minus * int(places.this) if places else 0
        if not inner.type.is_number:
            raise ConditionRefused(f"needs a number, not a {inner.type.value}")
        return self._applied(inner, Type.NUMERIC, lambda value: arithmetic.rounded(value, digits))

    def _of_number(self, node: exp.Expr, depth: int, on: arithmetic.OfOne) -> Typed:
        inner = self.compile(node.this, depth)
        if not inner.type.is_number:
            raise ConditionRefused(f"needs a number, not a {inner.type.value}")
        if inner.either:
            return replace(self._applied(inner, inner.type, on.either), either=True)
        return self._applied(
            inner, inner.type, on.numeric if inner.type is Type.NUMERIC else on.bigint
        )

    @staticmethod
    def _applied(inner: Typed, kind: Type, apply: shapes.Calculate) -> Typed:
        return calculated(kind, shapes.of_one(inner, apply), inner)

    def _add(self, node: exp.Add, depth: int) -> Typed:
        return self._arithmetic(node, depth, arithmetic.ADD, instants.SUMS)

    def _sub(self, node: exp.Sub, depth: int) -> Typed:
        return self._arithmetic(node, depth, arithmetic.SUBTRACT, instants.DIFFERENCES)

    def _mul(self, node: exp.Mul, depth: int) -> Typed:
        return self._arithmetic(node, depth, arithmetic.MULTIPLY)

    def _div(self, node: exp.Div, depth: int) -> Typed:
        return self._arithmetic(node, depth, arithmetic.DIVIDE)

    def _mod(self, node: exp.Mod, depth: int) -> Typed:
        return self._arithmetic(node, depth, arithmetic.REMAINDER)

    def _arithmetic(
        self,
        node: exp.Binary,
        depth: int,
        on: arithmetic.OfTwo,
        of_moments: dict[tuple[Type, Type], tuple[Type, instants.Calculate]] | None = None,
    ) -> Typed:
        left, right = self.compile(node.left, depth), self.compile(node.right, depth)
        if left.either or right.either:
            self.by_kind = True
            run = shapes.of_either_kind(left, right, on.bigint, on.numeric)
            return Typed(type=Type.BIGINT, run=run, either=True)
        if left.type.is_number and right.type.is_number:
            kind = Type.NUMERIC if Type.NUMERIC in {left.type, right.type} else Type.BIGINT
            calculate: instants.Calculate = on.numeric if kind is Type.NUMERIC else on.bigint
        elif of_moments and (found := _for_types(of_moments, left.type, right.type)):
            kind, calculate = found
        else:
            raise refused(
                node, f"cannot calculate with a {left.type.value} and a {right.type.value}"
            )
        return calculated(kind, shapes.of_two(left, right, calculate), left, right)


def name_of(column: exp.Column) -> str:
    """The name as written, in small letters where it stands in no quotes."""
    return ".".join(
        part.name if part.args.get("quoted") else part.name.lower() for part in column.parts
    )


def _for_types(
    table: dict[tuple[Type, Type], tuple[Type, instants.Calculate]], left: Type, right: Type
) -> tuple[Type, instants.Calculate] | None:
    """The entry for two types; a bare NULL takes the first that fits."""
    for (a, b), found in table.items():
        if left in {a, Type.NULL} and right in {b, Type.NULL}:
            return found
    return None
