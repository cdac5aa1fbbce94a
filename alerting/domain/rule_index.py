"""Finds the rules that can match an event: a bitmap index over what their conditions require of single facts.

For every field the rules ask about, a value met once is remembered with the rules it leaves possible, one bit each. The
candidates are what all fields of the event leave over, so that rules that cannot match cost next to nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Generic, TypeVar

from alerting.domain.conditions import Requirement

MAX_VALUES, MAX_TEXT = 1_000, 100
"""Values remembered of one field, and their length. What has more, such as a comment, does not come again."""


Rule = TypeVar("Rule")


class RuleIndex(Generic[Rule]):
    """Rules in their order, each with all that its conditions require."""

    def __init__(self, rules: Sequence[tuple[Rule, Sequence[Requirement]]]) -> None:
        self._everyone = (1 << len(rules)) - 1
        self._by_bit = {1 << position: rule for position, (rule, _) in enumerate(rules)}
        asked: dict[str, list[tuple[int, Requirement]]] = defaultdict(list)
        for position, (_, requirements) in enumerate(rules):
            for requirement in requirements:
                asked[requirement.field].append((1 << position, requirement))
        self._fields = [(field, _ByValue(self._everyone, pairs)) for field, pairs in asked.items()]

    def candidates(self, facts: Mapping[str, Any]) -> list[tuple[Rule, bool]]:
        """The rules that can match, in order, each with whether all that is required is known to hold.

        A rule stays where a fact is missing: it may be unknown, and that is counted.
        """
        left = certain = self._everyone
        for field, by_value in self._fields:
            possible, holding = by_value[facts.get(field)]
            left &= possible
            certain &= holding
        found, rules = [], self._by_bit
        while left:
            lowest = left & -left
            found.append((rules[lowest], lowest & certain != 0))
            left ^= lowest
        return found


class _ByValue(dict[Any, tuple[int, int]]):
    """A field's value -> the rules none of whose requirements of this field is false there, and those where all hold."""

    def __init__(self, everyone: int, asked: Sequence[tuple[int, Requirement]]) -> None:
        self._everyone = everyone
        self._asking = reduce(or_, (bit for bit, _ in asked))
        self._others = [(bit, requirement) for bit, requirement in asked if requirement.texts is None]
        self._of_text: dict[str, int] = defaultdict(int)
        texts: dict[int, frozenset[str]] = {}
        for bit, requirement in asked:
            if requirement.texts is not None:
                texts[bit] = requirement.texts & texts.get(bit, requirement.texts)
        self._any_text = everyone & ~sum(texts)
        for bit, wanted in texts.items():
            for text in wanted:
                self._of_text[text] |= bit

    def __missing__(self, value: Any) -> tuple[int, int]:
        possible = self._everyone if value is None else self._any_text | self._of_text.get(value, 0)
        if len(self) >= MAX_VALUES or (isinstance(value, str) and len(value) > MAX_TEXT):
            return possible, self._everyone & ~self._asking
        certain = possible & self._any_text if value is None else possible
        for bit, requirement in self._others:
            truth = requirement.holds({requirement.field: value}) if possible & bit else False
            if truth is not True:
                certain &= ~bit
            if truth is False:
                possible &= ~bit
        self[value] = possible, certain
        return possible, certain
