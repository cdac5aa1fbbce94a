"""A condition's text becomes closures, once for each combination of types its by-value facts come
in.
"""

from collections.abc import Sequence

from sqlglot import exp

from alerting.domain.conditions.parser import parse
from alerting.domain.conditions.shapes import all_of
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
    """Parse, check names and types, and compile. Raises ConditionRefused with the column where one
    is known.
    """
    tree = _parsed(sql)
    reads, by_value, variants = _variants([tree], scope)
    decide = variants.deciding(by_value)
    requirements, others = [], []
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        requirement = _requirement(part, scope)
        if requirement is None:
            others.append(part)
        else:
            requirements.append(requirement)
    return Condition(
        sql=sql,
        reads=reads,
        by_value=by_value,
        requirements=tuple(requirements),
        variants=variants,
        decide=decide,
        rest=_deciding(others, scope) if others else None,
    )


def _deciding(parts: Sequence[exp.Expr], scope: Scope) -> Evaluate:
    _, by_value, variants = _variants(parts, scope)
    return variants.deciding(by_value)


def _variants(
    parts: Sequence[exp.Expr], scope: Scope
) -> tuple[tuple[str, ...], tuple[str, ...], Variants]:
    """Parts joined by AND: the facts they read, those whose types matter, and the closures for such
    types.
    """
    run, walk = _compile(parts, scope, {})
    by_value = dict(walk.by_value)

    def compile_for(signature: Signature) -> Evaluate:
        kinds = {}
        for (key, declared), found in zip(by_value.items(), signature, strict=True):
            try:
                kinds[key] = type_by_value(declared, found)
            except ConditionRefused as error:
                raise ConditionRefused(f"{key.removeprefix('event.')} {error.message}") from error
        return _compile(parts, scope, kinds)[0]

    return (
        tuple(walk.reads),
        tuple(by_value),
        Variants(compile_for if by_value else lambda signature: run),
    )


_REPEATING = {Type.TEXT, Type.BOOLEAN, Type.BIGINT, Type.NUMBER}
"""Types whose values come again in other events, and can be looked up."""


def _requirement(part: exp.Expr, scope: Scope) -> Requirement | None:
    """Of a part that reads one fact whose kind of number, if it is one, does not matter.

    What is searched for a word is no such fact: no two customers write the same.
    """
    run, walk = _compile([part], scope, {})
    searched = any(_searches(node) for node in part.find_all(exp.Like, exp.ILike, exp.Anonymous))
    if len(walk.reads) != 1 or walk.by_value or walk.by_kind or searched:
        return None
    ((field, kind),) = walk.reads.items()
    return (
        Requirement(field=field, holds=run, texts=_texts(part.unnest()))
        if kind in _REPEATING
        else None
    )


def _searches(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) or str(node.expression.name).startswith("%")


def _texts(part: exp.Expr) -> frozenset[str] | None:
    """Of `field = 'x'` and `field IN ('x', 'y')`."""
    if not isinstance(part, (exp.EQ, exp.In)) or part.args.get("negate"):
        return None
    sides = [part.this, *part.expressions] if isinstance(part, exp.In) else [part.left, part.right]
    field, *values = sides if isinstance(sides[0], exp.Column) else reversed(sides)
    texts = [value.this for value in values if isinstance(value, exp.Literal) and value.is_string]
    return frozenset(texts) if isinstance(field, exp.Column) and len(texts) == len(values) else None


def _parsed(sql: str) -> exp.Expr:
    try:
        return parse(sql)
    except RecursionError as error:
        raise ConditionRefused(f"nested deeper than {MAX_DEPTH}") from error


def _compile(
    parts: Sequence[exp.Expr], scope: Scope, kinds: dict[str, Type]
) -> tuple[Evaluate, Values]:
    walk = Values(scope, kinds)
    runs = []
    for part in parts:
        try:
            typed = walk.compile(part, 0)
        except RecursionError as error:  # showing the refused part
            raise ConditionRefused(f"nested deeper than {MAX_DEPTH}") from error
        if typed.type not in {Type.BOOLEAN, Type.NULL}:
            raise ConditionRefused(
                f"a condition must be true or false, this is a {typed.type.value}"
            )
        runs.append(typed.run)
    return all_of(runs), walk
