"""Closures for the shapes conditions mostly have: a field beside a literal, two conditions joined,
a plain pattern.

Each means what its general form means, with fewer calls. Every event pays for every closure of
every rule that may match.
"""

import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from alerting.domain.conditions import texts
from alerting.domain.conditions.types import Evaluate, Facts
from alerting.domain.conditions.walker import Typed

Calculate = Callable[..., object]
"""Of values whose types the compiler has checked, as `Compare` is."""

_NESTED = 2
"""Operands behind the first that are closures within each other; more of them are a loop."""

Compare = Callable[..., bool]

_FIELD_AGAINST: dict[Compare, Callable[..., Evaluate]] = {
    operator.eq: lambda key, limit: (
        lambda facts: None if (value := facts.get(key)) is None else value == limit
    ),
    operator.ne: lambda key, limit: (
        lambda facts: None if (value := facts.get(key)) is None else value != limit
    ),
    operator.lt: lambda key, limit: (
        lambda facts: None if (value := facts.get(key)) is None else value < limit
    ),
    operator.le: lambda key, limit: (
        lambda facts: None if (value := facts.get(key)) is None else value <= limit
    ),
    operator.gt: lambda key, limit: (
        lambda facts: None if (value := facts.get(key)) is None else value > limit
    ),
    operator.ge: lambda key, limit: (
        lambda facts: None if (value := facts.get(key)) is None else value >= limit
    ),
}


def compared(left: Typed, right: Typed, compare: Compare) -> Evaluate:
    """Unknown where one side is NULL."""
    limit = right.run({}) if right.fixed else None
    if left.field is not None and limit is not None:
        return _FIELD_AGAINST[compare](left.field, limit)
    return of_two(left, right, compare)


def of_one(part: Typed, apply: Calculate) -> Evaluate:
    """What is made of one value; NULL where it is NULL."""
    if part.field is not None:
        key = part.field
        return lambda facts: None if (value := facts.get(key)) is None else apply(value)
    find = part.run
    return lambda facts: None if (value := find(facts)) is None else apply(value)


def of_two(left: Typed, right: Typed, calculate: Calculate) -> Evaluate:
    """What is calculated from two values; NULL where one of them is."""
    first, second = left.run, right.run
    given = second({}) if right.fixed else None
    if given is not None:
        if left.field is not None:
            key = left.field
            return lambda facts: (
                None if (value := facts.get(key)) is None else calculate(value, given)
            )
        return lambda facts: None if (value := first(facts)) is None else calculate(value, given)

    def run(facts: Facts) -> object:
        a, b = first(facts), second(facts)
        return None if a is None or b is None else calculate(a, b)

    return run


def of_either_kind(left: Typed, right: Typed, bigint: Calculate, numeric: Calculate) -> Evaluate:
    """What is calculated from two numbers, each of which may be a whole number or a fraction, which
    makes it one.
    """
    if left.field is None or right.field is None:
        return of_two(
            left, right, lambda a, b: bigint(a, b) if type(a) is type(b) is int else numeric(a, b)
        )
    one, other = left.field, right.field

    def run(facts: Facts) -> object:
        a, b = facts.get(one), facts.get(other)
        if a is None or b is None:
            return None
        return bigint(a, b) if type(a) is type(b) is int else numeric(a, b)

    return run


def between(low: Sequence[Typed], high: Sequence[Typed]) -> Evaluate:
    """A value not below the one bound and not above the other; `low` and `high` are value and
    bound.
    """
    (value, least), (same, most) = low, high
    if value.field is not None and value.field == same.field and least.fixed and most.fixed:
        floor: Any = least.run({})  # of the type of the field, as the compiler has checked
        ceiling: Any = most.run({})
        key = value.field
        if floor is not None and ceiling is not None:
            return lambda facts: (
                None if (found := facts.get(key)) is None else floor <= found <= ceiling
            )
    return all_of([compared(value, least, operator.ge), compared(same, most, operator.le)])


def among(needle: Typed, items: Sequence[Typed]) -> Evaluate:
    """IN. Unknown where nothing is equal and one of the items is NULL."""
    subject, runs = needle.run, [item.run for item in items]
    if not all(item.fixed for item in items):
        return _among_changing(subject, runs)
    given = [item({}) for item in runs]
    known, missed = frozenset(given), None if None in given else False
    if needle.field is not None and missed is False:
        key = needle.field
        return lambda facts: None if (value := facts.get(key)) is None else value in known

    def run(facts: Facts) -> bool | None:
        value = subject(facts)
        if value is None:
            return None
        return True if value in known else missed

    return run


def _among_changing(subject: Evaluate, items: Sequence[Evaluate]) -> Evaluate:
    def run(facts: Facts) -> bool | None:
        value = subject(facts)
        if value is None:
            return None
        found = [item(facts) for item in items]
        if value in found:
            return True
        return None if None in found else False

    return run


def all_of(operands: Sequence[Evaluate]) -> Evaluate:
    """AND: false as soon as one operand is; else unknown if any is unknown."""
    first, *others = operands
    if not others:
        return first
    second = all_of(others) if len(others) <= _NESTED else _chain(others, decisive=False)

    def run(facts: Facts) -> object:
        a = first(facts)
        if a is False:
            return False
        b = second(facts)
        return b if a or b is False else None

    return run


def any_of(operands: Sequence[Evaluate]) -> Evaluate:
    """OR: true as soon as one operand is; else unknown if any is unknown."""
    first, *others = operands
    if not others:
        return first
    second = any_of(others) if len(others) <= _NESTED else _chain(others, decisive=True)

    def run(facts: Facts) -> object:
        a = first(facts)
        if a:
            return True
        b = second(facts)
        return b if a is False or b else None

    return run


def _chain(operands: Sequence[Evaluate], *, decisive: bool) -> Evaluate:
    """In a loop: a condition of a thousand operands must not need a stack of a thousand calls."""

    def run(facts: Facts) -> bool | None:
        answer: bool | None = not decisive
        for operand in operands:
            value = operand(facts)
            if value is decisive:
                return decisive
            if value is None:
                answer = None
        return answer

    return run


def like(pattern: str) -> Callable[[str], bool]:
    """Whether a text matches, without a regular expression where `%` stands only at the ends."""
    bare = pattern.strip("%")
    if re.search(r"[%_\\]", bare) or not bare:
        matches = re.compile(texts.like_to_regex(pattern), re.DOTALL).fullmatch
        return lambda text: matches(text) is not None
    ahead, behind = pattern.startswith("%"), pattern.endswith("%")
    if ahead and behind:
        return lambda text: bare in text
    if behind:
        return lambda text: text.startswith(bare)
    if ahead:
        return lambda text: text.endswith(bare)
    return lambda text: text == bare
