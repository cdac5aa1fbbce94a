"""A condition's text becomes closures, once for each combination of types its by-value facts come in."""

from collections.abc import Iterator

from sqlglot import exp

from alerting.domain.conditions.parsing import parse
from alerting.domain.conditions.types import (
    Condition,
    Evaluate,
    Requirement,
    Scope,
    Signature,
    Type,
    Variants,
    type_by_value,
)
from alerting.domain.conditions.values import Values
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
        reads=tuple(walk.reads),
        by_value=tuple(by_value),
        requirements=tuple(_requirements(parse(sql), scope)),
        variants=Variants(compile_for if by_value else lambda signature: run),
    )


_REPEATING = {Type.TEXT, Type.BOOLEAN, Type.BIGINT, Type.NUMBER}
"""Types whose values come again in other events, and can be looked up."""


def _requirements(tree: exp.Expr, scope: Scope) -> Iterator[Requirement]:
    """Of the parts joined by AND, those that read one fact whose kind of number, if it is one, does not matter."""
    bare = tree.unnest()
    if isinstance(bare, exp.And):
        for part in bare.flatten():
            yield from _requirements(part, scope)
        return
    walk = Values(scope, {})
    holds = walk.compile(tree, 0).run
    if len(walk.reads) == 1 and not walk.by_value:
        ((field, kind),) = walk.reads.items()
        if kind in _REPEATING:
            yield Requirement(field=field, holds=holds, texts=_texts(bare))


def _texts(part: exp.Expr) -> frozenset[str] | None:
    """Of `field = 'x'` and `field IN ('x', 'y')`."""
    if not isinstance(part, (exp.EQ, exp.In)) or part.args.get("negate"):
        return None
    sides = [part.this, *part.expressions] if isinstance(part, exp.In) else [part.left, part.right]
    field, *values = sides if isinstance(sides[0], exp.Column) else reversed(sides)
    texts = [value.this for value in values if isinstance(value, exp.Literal) and value.is_string]
    return frozenset(texts) if isinstance(field, exp.Column) and len(texts) == len(values) else None


def _compile(sql: str, scope: Scope, kinds: dict[str, Type]) -> tuple[Evaluate, Values]:
    walk = Values(scope, kinds)
    try:
        typed = walk.compile(parse(sql), 0)
    except RecursionError as error:  # parsing, or showing the refused part
        raise ConditionRefused(f"nested deeper than {MAX_DEPTH}") from error
    if typed.type not in {Type.BOOLEAN, Type.NULL}:
        raise ConditionRefused(f"a condition must be true or false, this is a {typed.type.value}")
    return typed.run, walk
