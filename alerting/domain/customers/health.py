"""Health: a weighted score of 0 to 100 from declared parts, each of them visible, missing ones
said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from alerting.domain.conditions import Condition, Type

HEALTH_FIELDS: Mapping[str, Type] = {"health": Type.BIGINT, "health_missing": Type.TEXTS}


@dataclass(frozen=True, kw_only=True)
class HealthPart:
    """One part: the first of its conditions that is true gives its score; where none is, the part
    is missing.
    """

    name: str
    weight: int
    scores: tuple[tuple[int, Condition], ...]

    def score(self, facts: Mapping[str, object]) -> int | None:
        return next((score for score, when in self.scores if when(facts)), None)


@dataclass(frozen=True, kw_only=True)
class Health:
    """What the parts came to, None for those that are missing."""

    parts: Mapping[str, int | None]
    weights: Mapping[str, int]

    @cached_property
    def score(self) -> int | None:
        """The weighted mean of the parts there are, halves rounded up; None without any."""
        known = {name: score for name, score in self.parts.items() if score is not None}
        weight = sum(self.weights[name] for name in known)
        if not weight:
            return None
        total = sum(self.weights[name] * score for name, score in known.items())
        return (2 * total + weight) // (2 * weight)

    @cached_property
    def missing(self) -> list[str]:
        return [name for name, score in self.parts.items() if score is None]


UNKNOWN = Health(parts={}, weights={})
"""Of a rulebook that declares no parts."""


def health_of(parts: Sequence[HealthPart], facts: Mapping[str, object]) -> Health:
    return Health(
        parts={part.name: part.score(facts) for part in parts},
        weights={part.name: part.weight for part in parts},
    )
