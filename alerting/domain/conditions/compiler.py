"""A condition's text becomes closures, once for each combination of types its by-value facts come in."""

from sqlglot import exp

from alerting.domain.conditions.parsing import parse
from alerting.domain.conditions.types import (
    Condition,
    Demands,
    Evaluate,
    Scope,
    Signature,
    Type,
    Variants,
    type_by_value,
)
from alerting.domain.conditions.values import Values, name_of
from alerting.domain.conditions.walker import MAX_DEPTH
from alerting.domain.errors import ConditionRefused


def compile_condition(sql: str, scope: Scope) -> Condition:
    """Parse, check names and types, and compile. Raises ConditionRefused with the column where one is known."""
    run, walk = _compile(sql, scope, {})
    by_value = dict(walk.by_value)

    def compile_for(signature: Signature) -> Evaluate:
        kinds = {}
        for (key, declared), found in zip(by_value.items(), signature, strict=True):
            try:
                kinds[key] = type_by_value(declared, found)
            except ConditionRefused as error:
                raise ConditionRefused(f"{key.removeprefix('event.')} {error.message}") from error
        return _compile(sql, scope, kinds)[0]

    return Condition(
        sql=sql,
        reads=tuple(dict.fromkeys(walk.reads)),
        by_value=tuple(by_value),
        demands=_demands(parse(sql), scope),
        variants=Variants(compile_for if by_value else lambda signature: run),
    )


def _demands(tree: exp.Expr, scope: Scope) -> Demands:
    """From the top of the tree: `field = 'x'` and `field IN ('x', 'y')`, alone or joined by AND."""
    found: dict[str, frozenset[str]] = {}
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        bare = part.unnest()
        sides = [bare.this, *bare.expressions] if isinstance(bare, exp.In) else [bare.this, bare.args.get("expression")]
        if not isinstance(bare, (exp.EQ, exp.In)) or bare.args.get("negate"):
            continue
        field, *values = sides if isinstance(sides[0], exp.Column) else reversed(sides)
        texts = [value.this for value in values if isinstance(value, exp.Literal) and value.is_string]
        if isinstance(field, exp.Column) and len(texts) == len(values):
            key, kind = scope.find(name_of(field))
            if kind is Type.TEXT:
                found[key] = found[key] & frozenset(texts) if key in found else frozenset(texts)
    return found


def _compile(sql: str, scope: Scope, kinds: dict[str, Type]) -> tuple[Evaluate, Values]:
    walk = Values(scope, kinds)
    try:
        typed = walk.compile(parse(sql), 0)
    except RecursionError as error:  # parsing, or showing the refused part
        raise ConditionRefused(f"nested deeper than {MAX_DEPTH}") from error
    if typed.type not in {Type.BOOLEAN, Type.NULL}:
        raise ConditionRefused(f"a condition must be true or false, this is a {typed.type.value}")
    return typed.run, walk
