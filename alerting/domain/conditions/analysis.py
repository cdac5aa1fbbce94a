"""What can be said about conditions without any facts: which can never be true, and where NULL
springs a trap.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from sqlglot import exp

from alerting.domain.conditions.limits import SWAPPED, limits, value_of
from alerting.domain.conditions.parser import parse
from alerting.domain.conditions.rooms import Possible, Room, listed, room_of, said
from alerting.domain.conditions.types import Scope, Type
from alerting.domain.conditions.values import name_of
from alerting.domain.conditions.walker import column_of

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


def never_true(sqls: Iterable[str], scope: Scope, values: Mapping[str, Possible]) -> Remark | None:
    """Why these conditions, which must all hold, can never be true together; None where nothing
    speaks against it.

    `values` are the fields that take only certain values, by their key in the facts. Nothing is
    claimed that is not certain: what this does not understand counts as possible.
    """
    rooms: dict[str, Room] = {}
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
    part: exp.Expr, scope: Scope, values: Mapping[str, Possible], rooms: dict[str, Room]
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
    return any(value_of(found.expression) == 0 for found in node.find_all(exp.Div, exp.Mod))


def _narrow(
    part: exp.Expr, scope: Scope, values: Mapping[str, Possible], rooms: dict[str, Room]
) -> str | None:
    for asked, operator, given in limits(part):
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
        room = rooms.setdefault(key, room_of(known, whole=whole))
        before = list(room.asked)
        room.asked = list(dict.fromkeys([*before, part.sql("postgres")]))
        room.narrow(operator, given)
        if room.is_empty:
            only = f"{name} {said(known)}" if known and not before else None
            return f"can never be true: {only or ' and '.join(room.asked)}"
    return None


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
            value = value_of(value_side)
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
                it_can = f"it can be {listed(known)}" if known else "none are declared"
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
            if isinstance(part, (*SWAPPED, exp.In, exp.Between, exp.Like, exp.ILike))
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
