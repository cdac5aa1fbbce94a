"""What is true, false or unknown: connections, comparisons, membership, patterns, choices."""

import operator
from collections.abc import Callable

from sqlglot import exp

from alerting.domain.conditions import shapes, texts
from alerting.domain.conditions.types import Evaluate, Facts, Type
from alerting.domain.conditions.walker import Typed, Walker, constant, negated, refused
from alerting.domain.errors import ConditionRefused

COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


class Logic(Walker):
    """The kinds of nodes that decide."""

    def _paren(self, node: exp.Paren, depth: int) -> Typed:
        return self.compile(node.this, depth)

    def _boolean(self, node: exp.Boolean, depth: int) -> Typed:
        return constant(Type.BOOLEAN, bool(node.this))

    def _null(self, node: exp.Null, depth: int) -> Typed:
        return constant(Type.NULL, None)

    def _and(self, node: exp.And, depth: int) -> Typed:
        return Typed(type=Type.BOOLEAN, run=shapes.all_of(self._operands(node, depth)))

    def _or(self, node: exp.Or, depth: int) -> Typed:
        return Typed(type=Type.BOOLEAN, run=shapes.any_of(self._operands(node, depth)))

    def _operands(self, node: exp.Connector, depth: int) -> list[Evaluate]:
        return [self.truth(operand, depth) for operand in node.flatten()]

    def _not(self, node: exp.Not, depth: int) -> Typed:
        return Typed(type=Type.BOOLEAN, run=negated(self.truth(node.this, depth)))

    def _eq(self, node: exp.EQ, depth: int) -> Typed:
        if isinstance(node.right, exp.Any):
            return self._member(node, node.right.this, depth)
        return self._compared(node, depth, operator.eq)

    def _neq(self, node: exp.NEQ, depth: int) -> Typed:
        if (
            isinstance(node.right, exp.Anonymous)
            and node.right.name.upper() == "ALL"
            and len(node.right.expressions) == 1
        ):
            member = self._member(node, node.right.expressions[0], depth)
            return Typed(type=Type.BOOLEAN, run=negated(member.run))
        return self._compared(node, depth, operator.ne)

    def _lt(self, node: exp.LT, depth: int) -> Typed:
        return self._compared(node, depth, operator.lt)

    def _lte(self, node: exp.LTE, depth: int) -> Typed:
        return self._compared(node, depth, operator.le)

    def _gt(self, node: exp.GT, depth: int) -> Typed:
        return self._compared(node, depth, operator.gt)

    def _gte(self, node: exp.GTE, depth: int) -> Typed:
        return self._compared(node, depth, operator.ge)

    def _compared(self, node: exp.Binary, depth: int, compare: shapes.Compare) -> Typed:
        for side in (node.left, node.right):
            if isinstance(side, COMPARISONS):
                raise refused(
                    side,
                    "comparisons do not chain; put parentheses around one, or connect them with "
                    "AND",
                )
        left, right = self.comparable(
            node, [self.compile(side, depth) for side in (node.left, node.right)]
        )
        return Typed(type=Type.BOOLEAN, run=shapes.compared(left, right, compare))

    def _member(self, node: exp.Binary, within: exp.Expr, depth: int) -> Typed:
        """`text = ANY(list)`. Nothing is in an empty list, not even NULL; in a list that is NULL
        nobody knows.
        """
        needle, inner = self.compile(node.left, depth), within.unnest()
        if needle.type not in {Type.TEXT, Type.NULL}:
            raise refused(
                node.left, f"ANY looks for a text in a list of texts, not for a {needle.type.value}"
            )
        found = self.listed(inner, depth)

        def run(facts: Facts) -> bool | None:
            items = found(facts)
            if not isinstance(items, (list, tuple, frozenset)):
                return None
            if not items:
                return False
            value = needle.run(facts)
            if value is None:
                return None
            if value in items:
                return True
            return None if None in items else False

        return Typed(type=Type.BOOLEAN, run=run)

    def listed(self, node: exp.Expr, depth: int) -> Evaluate:
        """A list: a field that holds texts, or one declared under rules/."""
        if isinstance(node, exp.Column) and node.parts[0].name.lower() == "lists":
            words = frozenset(self.scope.words(".".join(part.name for part in node.parts)))
            return lambda facts: words
        typed = self.compile(node, depth)
        if typed.type not in {Type.TEXTS, Type.NULL}:
            raise refused(node, f"a list is needed here, not a {typed.type.value}")
        return typed.run

    def _in(self, node: exp.In, depth: int) -> Typed:
        if node.args.get("query") or node.args.get("unnest") or not node.expressions:
            raise ConditionRefused("IN takes a list of values, no subquery")
        given = [self.compile(item, depth) for item in (node.this, *node.expressions)]
        needle, *items = self.comparable(node, given)
        return Typed(type=Type.BOOLEAN, run=shapes.among(needle, items))

    def _between(self, node: exp.Between, depth: int) -> Typed:
        """Each bound may make another kind of the value: a date beside a date, a time beside a
        time.
        """
        value, low, high = (
            self._once(node.this, depth),
            *(self.compile(node.args[end], depth) for end in ("low", "high")),
        )
        return Typed(
            type=Type.BOOLEAN,
            run=shapes.between(
                self.comparable(node, [value, low]), self.comparable(node, [value, high])
            ),
        )

    def _once(self, node: exp.Expr, depth: int) -> Typed:
        """Compiled once however often it is asked for: nested ranges would double the work at every
        level.
        """
        kept = node.meta.get("compiled")
        if kept is None or kept[0] is not self:
            kept = (self, self.compile(node, depth))
            node.meta["compiled"] = kept
        typed: Typed = kept[1]
        return typed

    def _is(self, node: exp.Is, depth: int) -> Typed:
        inner, wanted = self.compile(node.this, depth), node.expression
        if isinstance(wanted, exp.Null):
            return Typed(type=Type.BOOLEAN, run=lambda facts: inner.run(facts) is None)
        if isinstance(wanted, exp.Boolean):
            if inner.type not in {Type.BOOLEAN, Type.NULL}:
                raise ConditionRefused(
                    f"IS TRUE and IS FALSE ask a true/false value, not a {inner.type.value}"
                )
            truth = bool(wanted.this)
            return Typed(type=Type.BOOLEAN, run=lambda facts: inner.run(facts) is truth)
        raise ConditionRefused("IS is followed by NULL, TRUE or FALSE")

    def _like(self, node: exp.Like, depth: int) -> Typed:
        return self._pattern(node, depth, None)

    def _ilike(self, node: exp.ILike, depth: int) -> Typed:
        return self._pattern(node, depth, texts.lower)

    def _pattern(self, node: exp.Binary, depth: int, fold: Callable[[str], str] | None) -> Typed:
        if isinstance(node.left, (exp.Like, exp.ILike)):
            raise refused(node.left, "put parentheses around the first comparison")
        subject = self.compile(node.left, depth)
        if subject.type not in {Type.TEXT, Type.NULL} or not (
            isinstance(node.right, exp.Literal) and node.right.is_string
        ):
            raise ConditionRefused("LIKE compares a text with a pattern written in quotes")
        matches = shapes.like(fold(node.right.this) if fold else node.right.this)
        found = (lambda text: matches(fold(text))) if fold else matches
        return Typed(type=Type.BOOLEAN, run=shapes.of_one(subject, found))

    def _case(self, node: exp.Case, depth: int) -> Typed:
        whens = [self._when(node, when.this, depth) for when in node.args["ifs"]]
        default = node.args.get("default")
        values = [self.compile(when.args["true"], depth) for when in node.args["ifs"]]
        values.append(
            self.compile(default, depth) if default is not None else constant(Type.NULL, None)
        )
        kind, (*thens, otherwise) = self.unified(node, values)
        branches = list(zip(whens, thens, strict=True))

        def run(facts: Facts) -> object:
            for when, value in branches:
                if when(facts):
                    return value(facts)
            return otherwise(facts)

        return Typed(type=kind, run=run)

    def _when(self, node: exp.Case, when: exp.Expr, depth: int) -> Evaluate:
        """`CASE WHEN truth`, or `CASE value WHEN value`, which asks whether they are equal."""
        if node.this is None:
            return self.truth(when, depth)
        sides = [self._once(node.this, depth), self.compile(when, depth)]
        left, right = (part.run for part in self.comparable(node, sides))

        def run(facts: Facts) -> bool | None:
            a, b = left(facts), right(facts)
            return None if a is None or b is None else bool(a == b)

        return run

    def _coalesce(self, node: exp.Coalesce, depth: int) -> Typed:
        kind, values = self._alternatives(node, depth)

        def run(facts: Facts) -> object:
            for value in values:
                found = value(facts)
                if found is not None:
                    return found
            return None

        return Typed(type=kind, run=run)

    def _greatest(self, node: exp.Greatest, depth: int) -> Typed:
        return self._extreme(node, depth, max)

    def _least(self, node: exp.Least, depth: int) -> Typed:
        return self._extreme(node, depth, min)

    def _extreme(self, node: exp.Func, depth: int, choose: Callable[..., object]) -> Typed:
        """NULLs are passed over, as PostgreSQL does; only of nothing else the answer is NULL."""
        kind, values = self._alternatives(node, depth)

        def run(facts: Facts) -> object:
            found = [one for value in values if (one := value(facts)) is not None]
            return choose(found) if found else None

        return Typed(type=kind, run=run)

    def _alternatives(self, node: exp.Func, depth: int) -> tuple[Type, list[Evaluate]]:
        return self.unified(
            node, [self.compile(item, depth) for item in (node.this, *node.expressions)]
        )
