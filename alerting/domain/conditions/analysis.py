"""What can be said about conditions without any facts: which can never be true, and where NULL
springs a trap.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from sqlglot import exp

from alerting.domain.conditions.parser import parse
from alerting.domain.conditions.types import Scope, Type
from alerting.domain.conditions.values import name_of
from alerting.domain.conditions.walker import column_of

_SWAPPED: dict[type[exp.Expr], type[exp.Expr]] = {
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

MANY = 12
"""Values that are listed; of more the first."""

_STAND_INS = {Type.TEXT: "'...'", Type.NUMBER: "0", Type.NUMERIC: "0", Type.BIGINT: "0"}
_LETTERS: dict[type[exp.Expr], Callable[[str], str]] = {exp.Lower: str.lower, exp.Upper: str.upper}
_LOOKED_FOR = (exp.In, exp.EQ, exp.Like, exp.ILike)


@dataclass(frozen=True, kw_only=True)
class Remark:
    """Something about one condition; `column` counts from 1 within its text."""

    condition: int
    column: int | None
    message: str
    suggestion: str | None = None


Value = Decimal | str
Stretch = tuple[int, int | None]
Possible = frozenset[str] | Stretch
"""What a field can be: certain texts, or numbers from one to another (None: any above)."""


@dataclass(kw_only=True)
class _Room:
    """What is left for one field: a stretch of numbers, or a set of texts (None: any)."""

    low: tuple[Decimal, bool] | None = None
    high: tuple[Decimal, bool] | None = None
    texts: frozenset[str] | None = None
    without: frozenset[Value] = frozenset()
    whole: bool = False
    null: bool = False
    some: bool = False
    """Whether it must be NULL, and whether it must not."""
    asked: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        if (self.null and self.some) or (self.texts is not None and not self.texts - self.without):
            return True
        if self.low is None or self.high is None:
            return False
        if self.low == self.high and self.low[0] in self.without:
            return True
        if self.whole:
            first = self.low[0] // 1 + 1 if self.low[0] % 1 or not self.low[1] else self.low[0]
            return first > self.high[0] or (first == self.high[0] and not self.high[1])
        touching = self.low[0] == self.high[0] and not (self.low[1] and self.high[1])
        return self.low[0] > self.high[0] or touching


def never_true(sqls: Iterable[str], scope: Scope, values: Mapping[str, Possible]) -> Remark | None:
    """Why these conditions, which must all hold, can never be true together; None where nothing
    speaks against it.

    `values` are the fields that take only certain values, by their key in the facts. Nothing is
    claimed that is not certain: what this does not understand counts as possible.
    """
    rooms: dict[str, _Room] = {}
    for number, sql in enumerate(sqls):
        for part in _parts(parse(sql)):
            remark = _never(part, scope, values, rooms)
            if remark is not None:
                return Remark(condition=number, column=column_of(part), message=remark)
    return None


def _parts(tree: exp.Expr) -> Iterator[exp.Expr]:
    bare = tree.unnest()
    if isinstance(bare, exp.And):
        yield from (part for side in (bare.left, bare.right) for part in _parts(side))
    else:
        yield bare


def _never(
    part: exp.Expr, scope: Scope, values: Mapping[str, Possible], rooms: dict[str, _Room]
) -> str | None:
    if isinstance(part, exp.Or):
        branches = [
            never_true([branch.sql("postgres")], scope, values) for branch in part.flatten()
        ]
        return branches[0].message if all(branches) and branches[0] else None
    if isinstance(part, exp.Null):
        return "can never be true: NULL is unknown"
    if isinstance(part, exp.Boolean):
        return None if part.this else "can never be true"
    if (
        isinstance(part, exp.In)
        and part.expressions
        and all(isinstance(item, exp.Null) for item in part.expressions)
    ):
        return "can never be true: nothing equals NULL; write IS NULL"
    if isinstance(part, (exp.EQ, exp.NEQ, exp.LT, exp.GT, exp.LTE, exp.GTE)):
        if any(isinstance(side, exp.Null) for side in (part.left, part.right)):
            return "can never be true: nothing compares with NULL; write IS NULL or IS NOT NULL"
        if any(_divides_by_zero(side) for side in (part.left, part.right)):
            return "can never be true: a division by zero is NULL"
    if isinstance(part, exp.EQ) and isinstance(part.right, exp.Any):
        strange = strange_values(part.sql("postgres"), scope, values)
        return f"can never be true: {strange[0].message}" if strange else None
    return _narrow(part, scope, values, rooms)


def _divides_by_zero(node: exp.Expr) -> bool:
    return any(_value(found.expression) == 0 for found in node.find_all(exp.Div, exp.Mod))


def _narrow(
    part: exp.Expr, scope: Scope, values: Mapping[str, Possible], rooms: dict[str, _Room]
) -> str | None:
    for asked, operator, given in _limits(part):
        if isinstance(asked, exp.Column):
            name = name_of(asked)
            key, kind = scope.find(name)
            known, whole = values.get(key), kind is Type.BIGINT
        else:
            key = name = asked.sql("postgres")
            known, whole = (
                (0, None) if isinstance(asked, exp.Length) else None,
                isinstance(asked, exp.Length),
            )
        room = rooms.setdefault(key, _room(known, whole=whole))
        before = list(room.asked)
        room.asked = list(dict.fromkeys([*before, part.sql("postgres")]))
        _limit(room, operator, given)
        if room.is_empty:
            only = f"{name} {_said(known)}" if known and not before else None
            return f"can never be true: {only or ' and '.join(room.asked)}"
    return None


def _room(known: Possible | None, *, whole: bool) -> _Room:
    if not isinstance(known, tuple):
        return _Room(texts=known, whole=whole)
    low, high = known
    return _Room(
        low=(Decimal(low), True), high=None if high is None else (Decimal(high), True), whole=whole
    )


def _said(known: Possible) -> str:
    if isinstance(known, tuple):
        return (
            f"is never below {known[0]}"
            if known[1] is None
            else f"lies between {known[0]} and {known[1]}"
        )
    return f"is one of {_listed(known)}"


def _is_asked(node: exp.Expr) -> bool:
    """A field, or what is reckoned from fields: written alike, it has one value."""
    return (
        not isinstance(node, exp.Any) and _value(node) is None and node.find(exp.Column) is not None
    )


def _limits(part: exp.Expr) -> Iterator[tuple[exp.Expr, type[exp.Expr], list[Value]]]:
    """What a comparison of a field, or of what is reckoned from fields, with literals says of
    it.
    """
    if isinstance(part, exp.Not):
        inner = part.this.unnest()
        if isinstance(inner, (exp.In, exp.Is)) and _is_asked(inner.this):
            values = [_value(item) for item in inner.expressions]
            if isinstance(inner, exp.Is):
                yield inner.this, exp.Not, []
            elif None not in values:
                yield inner.this, exp.NEQ, [value for value in values if value is not None]
        elif isinstance(inner, exp.Column):
            yield inner, exp.EQ, ["FALSE"]
        elif type(inner) in _OPPOSITE:
            yield from _limits(_OPPOSITE[type(inner)](this=inner.this, expression=inner.expression))
        return
    if part.args.get("negate"):
        return
    if isinstance(part, exp.Column):
        yield part, exp.EQ, ["TRUE"]
    elif (
        isinstance(part, exp.Is) and _is_asked(part.this) and isinstance(part.expression, exp.Null)
    ):
        yield part.this, exp.Is, []
    elif isinstance(part, exp.Between) and _is_asked(part.this):
        ends: tuple[tuple[type[exp.Expr], str], ...] = ((exp.GTE, "low"), (exp.LTE, "high"))
        for operator, end in ends:
            if (value := _value(part.args[end])) is not None:
                yield part.this, operator, [value]
    elif isinstance(part, exp.In) and _is_asked(part.this):
        values = [_value(item) for item in part.expressions]
        if None not in values:
            yield part.this, exp.In, [value for value in values if value is not None]
    elif isinstance(part, exp.Binary) and type(part) in _SWAPPED:
        sides = ((part.left, part.right, type(part)), (part.right, part.left, _SWAPPED[type(part)]))
        for field_side, value_side, compared in sides:
            value = _value(value_side)
            if value is not None and _is_asked(field_side):
                yield field_side, compared, [value]


def _value(node: exp.Expr) -> Value | None:
    bare = node.unnest()
    if isinstance(bare, exp.Boolean):
        return "TRUE" if bare.this else "FALSE"
    if isinstance(bare, exp.Neg):
        inner = _value(bare.this)
        return -inner if isinstance(inner, Decimal) else None
    if not isinstance(bare, exp.Literal):
        return None
    return str(bare.this) if bare.is_string else Decimal(bare.this)


def _limit(room: _Room, operator: type[exp.Expr], values: list[Value]) -> None:
    room.null = room.null or operator is exp.Is
    room.some = room.some or operator is not exp.Is
    if not values:
        return
    if operator is exp.NEQ:
        room.without |= frozenset(values)
        return
    numbers = [value for value in values if isinstance(value, Decimal)]
    if not numbers and operator in {exp.EQ, exp.In}:
        texts = frozenset(str(value) for value in values)
        room.texts = texts if room.texts is None else room.texts & texts
    if len(numbers) != len(values):
        return
    if operator in {exp.EQ, exp.In, exp.GT, exp.GTE}:
        low = (min(numbers), operator is not exp.GT)
        room.low = (
            low if room.low is None else max(room.low, low, key=lambda end: (end[0], not end[1]))
        )
    if operator in {exp.EQ, exp.In, exp.LT, exp.LTE}:
        high = (max(numbers), operator is not exp.LT)
        room.high = (
            high if room.high is None else min(room.high, high, key=lambda end: (end[0], end[1]))
        )


def _listed(values: Collection[str]) -> str:
    return ", ".join([*sorted(values)[:MANY], *(["..."] if len(values) > MANY else [])])


def strange_values(sql: str, scope: Scope, values: Mapping[str, Possible]) -> list[Remark]:
    """Comparisons, wherever they stand, with a text that the field never is; `values` as in
    `never_true`.
    """
    found = []
    for node in parse(sql).walk():
        if isinstance(node, exp.In):
            pairs = [(node.this, item) for item in node.expressions]
        elif isinstance(node, (exp.EQ, exp.NEQ)):
            pairs = [(node.left, node.right), (node.right, node.left)]
        else:
            continue
        for field_side, value_side in pairs:
            bare = field_side.this.unnest() if isinstance(field_side, exp.Any) else field_side
            value = _value(value_side)
            if not isinstance(value, str):
                continue
            for kind, changed in _LETTERS.items():
                if isinstance(bare, kind) and value != changed(value):
                    message, hint = (
                        f"{bare.sql('postgres')} is never {value!r}",
                        f"write {changed(value)!r}",
                    )
                    found.append(
                        Remark(
                            condition=0, column=column_of(node), message=message, suggestion=hint
                        )
                    )
            if not isinstance(bare, exp.Column):
                continue
            known = values.get(scope.find(name_of(bare))[0])
            if isinstance(known, frozenset) and value not in known:
                near = get_close_matches(value, sorted(known), n=1, cutoff=0.5)
                message = f"{name_of(bare)} is never {value!r}"
                it_can = f"it can be {_listed(known)}" if known else "none are declared"
                hint = f"did you mean {near[0]!r}?" if near else it_can
                found.append(
                    Remark(condition=0, column=column_of(node), message=message, suggestion=hint)
                )
    return found


def thought_of(sqls: Iterable[str], scope: Scope) -> set[str]:
    """The fields of which conditions that must all hold say what happens when they are missing: by
    IS [NOT] NULL, or because another comparison must be true of them.
    """
    found = set()
    for tree in map(parse, sqls):
        asked = [node.this for node in tree.find_all(exp.Is)]
        parts = [
            part
            for part in _parts(tree)
            if isinstance(part, (*_SWAPPED, exp.In, exp.Between, exp.Like, exp.ILike))
        ]
        positive = [
            part for part in parts if not isinstance(part, exp.NEQ) and not part.args.get("negate")
        ]
        asked += [side for part in positive for side in (part.this, part.args.get("expression"))]
        found |= {scope.find(name_of(side))[0] for side in asked if isinstance(side, exp.Column)}
    return found


def null_traps(sql: str, scope: Scope, never_null: Iterable[str]) -> list[Remark]:
    """Where `field <> 'x'` or NOT IN looks as if it held for a field without a value: it is unknown
    there.
    """
    sure, found = set(never_null), []
    for node in parse(sql).walk():
        inner = node.this.unnest() if isinstance(node, exp.Not) else node
        negated = isinstance(node, exp.NEQ) or (
            isinstance(node, exp.Not) and isinstance(inner, _LOOKED_FOR)
        )
        negated = negated or bool(node.args.get("negate"))
        if (
            not negated
            or isinstance(inner.args.get("expression"), exp.Null)
            or node.find_ancestor(exp.Is)
        ):
            continue
        for side in (inner.this, inner.args.get("expression")):
            if not isinstance(side, exp.Column):
                continue
            name, (key, kind) = name_of(side), scope.find(name_of(side))
            if key not in sure:
                message = f"unknown, and so not true, wherever {name} is missing"
                hint = f"add {name} IS NOT NULL if that is meant"
                if kind in _STAND_INS:
                    hint = f"write COALESCE({name}, {_STAND_INS[kind]}), or {hint}"
                found.append(
                    Remark(condition=0, column=column_of(node), message=message, suggestion=hint)
                )
    return found
