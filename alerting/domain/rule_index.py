"""Finds the rules that can match an event, by what their conditions demand: `region = 'NW'`, `survey_id IN (...)`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from alerting.domain.conditions import Demands


def demands_of(conditions: Sequence[Demands]) -> Demands:
    """What several conditions demand together: each must hold."""
    found: dict[str, frozenset[str]] = {}
    for demands in conditions:
        for key, values in demands.items():
            found[key] = found[key] & values if key in found else values
    return found


class RuleIndex:
    """Positions of rules by one demanded fact each, the one with the fewest values; the rest is always tried."""

    def __init__(self, demands: Sequence[Demands]) -> None:
        self._always: list[int] = []
        self._by_key: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
        self._of_key: dict[str, list[int]] = defaultdict(list)
        how_many: dict[str, set[str]] = defaultdict(set)
        for demand in demands:
            for key, values in demand.items():
                how_many[key] |= values
        for position, demand in enumerate(demands):
            if not demand:
                self._always.append(position)
                continue
            key = min(demand, key=lambda name: (len(demand[name]) / max(len(how_many[name]), 1), name))
            self._of_key[key].append(position)
            for value in demand[key]:
                self._by_key[key][value].append(position)

    def candidates(self, facts: Mapping[str, Any]) -> list[int]:
        """In order. Where the fact is missing, every rule that asks for it: it is unknown, and that is counted."""
        found = list(self._always)
        for key, by_value in self._by_key.items():
            value = facts.get(key)
            found += self._of_key[key] if value is None else by_value.get(value, ())
        found.sort()
        return found
