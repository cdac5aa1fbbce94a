"""Customers with the numbers by which they are to be grouped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from alerting.domain.conditions import Type

Fact = int | Decimal


@dataclass(frozen=True, kw_only=True)
class CustomerFacts:
    """One customer; `facts` are by attribute, as a condition would read them. None is missing."""

    customer: str
    facts: Mapping[str, Fact | None]


@dataclass(frozen=True, kw_only=True)
class FactTable:
    """The customers to group, and the attributes with their types. `undeclared` are those
    rules/attributes.yaml lacks.
    """

    every: Sequence[CustomerFacts]
    kinds: Mapping[str, Type]
    undeclared: Sequence[str] = ()

    @property
    def complete(self) -> list[CustomerFacts]:
        """Those of whom every attribute is known; only they can be grouped."""
        return [one for one in self.every if None not in one.facts.values()]

    def missing(self) -> dict[str, int]:
        """Of how many customers each attribute is missing."""
        return {name: sum(one.facts[name] is None for one in self.every) for name in self.kinds}
