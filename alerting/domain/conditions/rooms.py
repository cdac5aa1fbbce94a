"""What is left for one field when several comparisons must hold of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

from sqlglot import exp

from alerting.domain.conditions.limits import Value

MANY = 12
"""Values that are listed; of more the first."""

Stretch = tuple[int, int | None]
Possible = frozenset[str] | Stretch
"""What a field can be: certain texts, or numbers from one to another (None: any above)."""


@dataclass(kw_only=True)
class Room:
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

    def narrow(self, operator: type[exp.Expr], values: list[Value]) -> None:
        """Take out all but what a comparison with these values lets through, see `limits`."""
        self.null = self.null or operator is exp.Is
        self.some = self.some or operator is not exp.Is
        if not values:
            return
        if operator is exp.NEQ:
            self.without |= frozenset(values)
            return
        numbers = [value for value in values if isinstance(value, Decimal)]
        if not numbers and operator in {exp.EQ, exp.In}:
            texts = frozenset(str(value) for value in values)
            self.texts = texts if self.texts is None else self.texts & texts
        if len(numbers) != len(values):
            return
        if operator in {exp.EQ, exp.In, exp.GT, exp.GTE}:
            low = (min(numbers), operator is not exp.GT)
            self.low = max(self.low or low, low, key=lambda end: (end[0], not end[1]))
        if operator in {exp.EQ, exp.In, exp.LT, exp.LTE}:
            high = (max(numbers), operator is not exp.LT)
            self.high = min(self.high or high, high, key=lambda end: (end[0], end[1]))


def room_of(known: Possible | None, *, whole: bool) -> Room:
    """All that a field can be; `whole` where its numbers have no fractions."""
    if not isinstance(known, tuple):
        return Room(texts=known, whole=whole)
    low, high = known
    return Room(
        low=(Decimal(low), True), high=None if high is None else (Decimal(high), True), whole=whole
    )


def said(known: Possible) -> str:
    """What a field can be, as a sentence goes on behind its name."""
    if isinstance(known, tuple):
        return (
            f"is never below {known[0]}"
            if known[1] is None
            else f"lies between {known[0]} and {known[1]}"
        )
    return f"is one of {listed(known)}"


def listed(values: Collection[str]) -> str:
    """The first `MANY`, in their order."""
    return ", ".join([*sorted(values)[:MANY], *(["..."] if len(values) > MANY else [])])
