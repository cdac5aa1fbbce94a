"""Conditions: SQL boolean expressions over facts, compiled to Python closures.

The meaning is PostgreSQL's: three-valued logic, JSON integers are `bigint` (7/2 = 3), fractions
`numeric`, text compares by code point ("C"). An operator that PostgreSQL would raise on (1/0,
overflow) is NULL here and evaluation goes on. A fact that is missing is NULL. A compiled condition
answers True, False or None (unknown); unknown never fires.
"""

from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.parser import MAX_LENGTH
from alerting.domain.conditions.shapes import all_of
from alerting.domain.conditions.types import Condition, Evaluate, Facts, Requirement, Scope, Type
from alerting.domain.conditions.walker import MAX_DEPTH

__all__ = [
    "MAX_DEPTH",
    "MAX_LENGTH",
    "Condition",
    "Evaluate",
    "Facts",
    "Requirement",
    "Scope",
    "Type",
    "all_of",
    "compile_condition",
]
