"""Finds the rules that can match an event: a bitmap index over what their conditions require of single facts.

For every field the rules ask about, a value met once is remembered with the rules it leaves possible, one bit each. The
candidates are what all fields of the event leave over, so that rules that cannot match cost next to nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from alerting.domain.conditions import Requirement

MAX_VALUES, MAX_TEXT = 1_000, 100
"""Values remembered of one field, and their length. What has more, such as a comment, does not come again."""


class RuleIndex:
    """Rules by position, each with all that its conditions require."""

    def __init__(self, rules: Sequence[Sequence[Requirement]]) -> None:
        self._everyone = (1 << len(rules)) - 1
        asked: dict[str, list[tuple[int, Requirement]]] = defaultdict(list)
        for position, requirements in enumerate(rules):
            for requirement in requirements:
                asked[requirement.field].append((1 << position, requirement))
        self._fields = [(field, _Possible(self._everyone, pairs)) for field, pairs in asked.items()]

    def candidates(self, facts: Mapping[str, Any]) -> list[int]:
        """In order. A rule stays where a fact is missing: it may be unknown, and that is counted."""
        left = self._everyone
        for field, possible in self._fields:
            left &= possible[facts.get(field)]
        found = []
        while left:
            lowest = left & -left
            found.append(lowest.bit_length() - 1)
            left ^= lowest
        return found


class _Possible(dict[Any, int]):
    """A field's value -> the rules none of whose requirements of this field is false there."""

    def __init__(self, everyone: int, asked: Sequence[tuple[int, Requirement]]) -> None:
        self._everyone = everyone
        self._others = [(bit, requirement) for bit, requirement in asked if requirement.texts is None]
        texts: dict[int, frozenset[str]] = {}
        for bit, requirement in asked:
            if requirement.texts is not None:
                texts[bit] = requirement.texts & texts.get(bit, requirement.texts)
        self._any_text = everyone & ~sum(texts)
        self._of_text: dict[str, int] = defaultdict(int)
        for bit, wanted in texts.items():
            for text in wanted:
                self._of_text[text] |= bit

    def __missing__(self, value: Any) -> int:
        found = self._everyone if value is None else self._any_text | self._of_text.get(value, 0)
        if len(self) >= MAX_VALUES or (isinstance(value, str) and len(value) > MAX_TEXT):
            return found
        for bit, requirement in self._others:
            if found & bit and requirement.holds({requirement.field: value}) is False:
                found &= ~bit
        self[value] = found
        return found
