"""Finds the rules that can match an event: a bitmap index over what their conditions require of
single facts.

For every field the rules ask about, a value met once is remembered with the rules it leaves
possible, one bit each. The candidates are what all fields of the event leave over, so that rules
that cannot match cost next to nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any, Generic, TypeVar

from alerting.domain.conditions import Condition, Evaluate, Facts, Requirement
from alerting.domain.conditions.shapes import all_of

MAX_VALUES, MAX_TEXT = 1_000, 100
"""Values remembered of one field, and their length. What has more, such as a comment, does not come
again.
"""

MAX_PATTERNS = 250
"""Combinations remembered of eight rules; there could be thousands, and memory is finite."""

Rule = TypeVar("Rule")


class RuleIndex(Generic[Rule]):
    """Rules in their order, each with its conditions."""

    def __init__(self, rules: Sequence[tuple[Rule, Sequence[Condition]]]) -> None:
        self._how_many = len(rules)
        self._everyone = (1 << len(rules)) - 1
        self._eights = [_Eight(rules[at : at + 8]) for at in range(0, len(rules), 8)]
        asked: dict[str, list[tuple[int, Requirement]]] = defaultdict(list)
        for position, (_, conditions) in enumerate(rules):
            for requirement in (one for condition in conditions for one in condition.requirements):
                asked[requirement.field].append((1 << position, requirement))
        self._fields = [(field, _ByValue(len(rules), pairs)) for field, pairs in asked.items()]

    def possible(self, facts: Facts) -> list[Rule]:
        """Those none of whose conditions is false, in order."""
        left, unsure = self._left(facts)
        found = []
        for eight, some, open_ones in zip(self._eights, left, unsure, strict=True):
            if not some:
                continue
            for rule, ask in eight[some | open_ones << 8]:
                if ask is None or ask(facts) is not False:
                    found.append(rule)
        return found

    def any_left(self, known: Facts) -> bool:
        """Whether these facts alone leave any rule possible; those that are not among them are not
        asked for.
        """
        left = self._everyone
        for field, by_value in self._fields:
            if field in known:
                left &= by_value[known[field]]
        return left != 0

    def _left(self, facts: Facts) -> tuple[bytes, bytes]:
        """One bit for each rule: whether nothing it requires is false, and whether something of it
        is unknown.

        A rule stays where a fact is missing: it may be unknown, and that is counted.
        """
        both = -1
        for field, by_value in self._fields:
            both &= by_value[facts.get(field)]
        left, length = both & self._everyone, len(self._eights)
        unsure = left & ~(both >> self._how_many)
        return left.to_bytes(length, "little"), unsure.to_bytes(length, "little")


class _Eight(dict[int, list[tuple[Rule, Evaluate | None]]]):
    """Eight neighbours: bits of those left, and above them of those that are unsure -> what to ask
    of each of the left.
    """

    def __init__(self, rules: Sequence[tuple[Rule, Sequence[Condition]]]) -> None:
        self._rules = rules

    def __missing__(self, bits: int) -> list[tuple[Rule, Evaluate | None]]:
        found = []
        for at, (rule, conditions) in enumerate(self._rules):
            if bits >> at & 1:
                asked = [one.decide if bits >> 8 >> at & 1 else one.rest for one in conditions]
                left = [ask for ask in asked if ask is not None]
                found.append((rule, all_of(left) if left else None))
        if len(self) >= MAX_PATTERNS:
            self.clear()
        self[bits] = found
        return found


class _ByValue(dict[Any, int]):
    """A field's value -> the rules none of whose requirements of this field is false there, one bit
    each; above these bits as many again for the rules all of whose requirements of it hold.
    """

    def __init__(self, how_many: int, asked: Sequence[tuple[int, Requirement]]) -> None:
        self._how_many = how_many
        self._everyone = (1 << how_many) - 1
        self._asking = reduce(or_, (bit for bit, _ in asked))
        self._others = [
            (bit, requirement) for bit, requirement in asked if requirement.texts is None
        ]
        self._of_text: dict[str, int] = defaultdict(int)
        texts: dict[int, frozenset[str]] = {}
        for bit, requirement in asked:
            if requirement.texts is not None:
                texts[bit] = requirement.texts & texts.get(bit, requirement.texts)
        self._any_text = self._everyone & ~sum(texts)
        for bit, wanted in texts.items():
            for text in wanted:
                self._of_text[text] |= bit

    def __missing__(self, value: Any) -> int:
        possible = self._everyone if value is None else self._any_text | self._of_text.get(value, 0)
        if len(self) >= MAX_VALUES or (isinstance(value, str) and len(value) > MAX_TEXT):
            return possible | (self._everyone & ~self._asking) << self._how_many
        certain = possible & self._any_text if value is None else possible
        for bit, requirement in self._others:
            truth = requirement.holds({requirement.field: value}) if possible & bit else False
            if truth is not True:
                certain &= ~bit
            if truth is False:
                possible &= ~bit
        self[value] = both = possible | certain << self._how_many
        return both
