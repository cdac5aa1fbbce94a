"""Conditions: SQL boolean expressions over facts, compiled to Python closures.

The meaning is PostgreSQL's: three-valued logic, JSON integers are `bigint` (7/2 = 3), fractions
`numeric`, text compares by code point ("C"). An operator that PostgreSQL would raise on (1/0,
overflow) is NULL here and evaluation goes on. A fact that is missing is NULL. A compiled condition
answers True, False or None (unknown); unknown never fires.

Importing this package brings the types alone: `compiler` needs sqlglot, and whoever only names a
type does without.
"""

from alerting.domain.conditions.types import Condition, Evaluate, Facts, Requirement, Scope, Type

__all__ = ["Condition", "Evaluate", "Facts", "Requirement", "Scope", "Type"]
