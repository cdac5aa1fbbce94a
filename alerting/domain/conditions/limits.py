"""What a comparison with literals says of a field, or of what is computed from fields."""

from collections.abc import Iterator
from decimal import Decimal

from sqlglot import exp

Value = Decimal | str
"""A literal: true and false are texts of capitals."""

Limit = tuple[exp.Expr, type[exp.Expr], list[Value]]
"""What is asked, how it is compared, and with what: `score < 3` is (score, LT, [3]). `Is` and `Not`
without values: it is NULL, or it is not.
"""

SWAPPED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
    exp.EQ: exp.EQ,
    exp.NEQ: exp.NEQ,
}
"""What a comparison says when its sides change places."""


_OPPOSITE: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GTE,
    exp.GT: exp.LTE,
    exp.LTE: exp.GT,
    exp.GTE: exp.LT,
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
}
"""What NOT makes of a comparison: where it is unknown, so is its opposite."""


def limits(part: exp.Expr) -> Iterator[Limit]:
    """What this part of a condition says, where it is true; nothing where that is not certain."""
    if isinstance(part, exp.Not):
        yield from _denied(part.this.unnest())
    elif not part.args.get("negate"):
        yield from _stated(part)


def _denied(inner: exp.Expr) -> Iterator[Limit]:
    if isinstance(inner, exp.Is) and _is_asked(inner.this):
        yield inner.this, exp.Not, []
    elif isinstance(inner, exp.In) and _is_asked(inner.this):
        values = _values(inner.expressions)
        if values is not None:
            yield inner.this, exp.NEQ, values
    elif isinstance(inner, exp.Column):
        yield inner, exp.EQ, ["FALSE"]
    elif type(inner) in _OPPOSITE:
        yield from limits(_OPPOSITE[type(inner)](this=inner.this, expression=inner.expression))


def _stated(part: exp.Expr) -> Iterator[Limit]:
    if isinstance(part, exp.Column):
        yield part, exp.EQ, ["TRUE"]
    elif isinstance(part, exp.Is) and isinstance(part.expression, exp.Null):
        if _is_asked(part.this):
            yield part.this, exp.Is, []
    elif isinstance(part, exp.Between) and _is_asked(part.this):
        yield from _between(part)
    elif isinstance(part, exp.In) and _is_asked(part.this):
        values = _values(part.expressions)
        if values is not None:
            yield part.this, exp.In, values
    elif isinstance(part, exp.Binary) and type(part) in SWAPPED:
        yield from _compared(part)


def _between(part: exp.Between) -> Iterator[Limit]:
    ends: tuple[tuple[type[exp.Expr], str], ...] = ((exp.GTE, "low"), (exp.LTE, "high"))
    for operator, end in ends:
        if (value := value_of(part.args[end])) is not None:
            yield part.this, operator, [value]


def _compared(part: exp.Binary) -> Iterator[Limit]:
    sides = ((part.left, part.right, type(part)), (part.right, part.left, SWAPPED[type(part)]))
    for field_side, value_side, operator in sides:
        value = value_of(value_side)
        if value is not None and _is_asked(field_side):
            yield field_side, operator, [value]


def _is_asked(node: exp.Expr) -> bool:
    """A field, or what is computed from fields: written alike, it has one value."""
    if isinstance(node, exp.Any) or value_of(node) is not None:
        return False
    return node.find(exp.Column) is not None


def _values(items: list[exp.Expr]) -> list[Value] | None:
    """None where one of them is no literal."""
    found = [value_of(item) for item in items]
    known = [value for value in found if value is not None]
    return known if len(known) == len(found) else None


def value_of(node: exp.Expr) -> Value | None:
    """The value of a literal; None for anything else."""
    bare = node.unnest()
    if isinstance(bare, exp.Boolean):
        return "TRUE" if bare.this else "FALSE"
    if isinstance(bare, exp.Neg):
        inner = value_of(bare.this)
        return -inner if isinstance(inner, Decimal) else None
    if not isinstance(bare, exp.Literal):
        return None
    return str(bare.this) if bare.is_string else Decimal(bare.this)
