"""Numbers as PostgreSQL calculates with them: `bigint` and `numeric`. Where it would raise, the
result is None.

Each operation comes in both kinds; the compiler chooses by the types of the operands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, InvalidOperation, Overflow

BIGINT_MIN, BIGINT_MAX = -(2**63), 2**63 - 1

_EXACT = Context(
    prec=2_000, rounding=ROUND_HALF_UP, traps=[DivisionByZero, InvalidOperation, Overflow]
)
"""Room for any two JSON numbers to be added or multiplied without rounding; Python's own context
stops at 28 digits.
"""


Number = int | Decimal
"""A whole number within `bigint`, or any other number."""


@dataclass(frozen=True, kw_only=True)
class OfOne:
    """An operation on one number that is not NULL."""

    bigint: Callable[[int], int | None]
    numeric: Callable[[Number], Decimal | None]

    def either(self, a: Number) -> Number | None:
        """By the kind of number found."""
        return self.bigint(a) if type(a) is int else self.numeric(a)


@dataclass(frozen=True, kw_only=True)
class OfTwo:
    """An operation on two numbers that are not NULL."""

    bigint: Callable[[int, int], int | None]
    numeric: Callable[[Number, Number], Decimal | None]


def _in_range(value: int) -> int | None:
    """None where PostgreSQL says `bigint out of range`."""
    return value if BIGINT_MIN <= value <= BIGINT_MAX else None


def _quotient(a: int, b: int) -> int | None:
    """Towards zero, where Python's floors: -7 / 2 = -3."""
    if b == 0:
        return None
    quotient = abs(a) // abs(b)
    return _in_range(quotient if (a < 0) == (b < 0) else -quotient)


def _remainder(a: int, b: int) -> int | None:
    """The sign follows the dividend: -7 % 3 = -1."""
    if b == 0:
        return None
    rest = abs(a) % abs(b)
    return rest if a >= 0 else -rest


def _exactly(
    calculate: Callable[[Decimal, Decimal], Decimal],
) -> Callable[[Number, Number], Decimal | None]:
    def run(a: Number, b: Number) -> Decimal | None:
        try:
            return calculate(Decimal(a), Decimal(b))
        except ArithmeticError:
            return None

    return run


def _divide(a: Decimal, b: Decimal) -> Decimal:
    """At least 16 significant digits, as PostgreSQL's `select_div_scale` (numeric.c) decides: 1 / 3
    is not a third.
    """
    (weight_a, first_a), (weight_b, first_b) = _leading(a), _leading(b)
    weight = weight_a - weight_b - (first_a <= first_b)
    scale = min(max(16 - 4 * weight, _scale(a), _scale(b), 0), 1_000)
    return _EXACT.quantize(_EXACT.divide(a, b), Decimal((0, (1,), -scale)))


def _leading(value: Decimal) -> tuple[int, int]:
    """Power and value of the first digit to the base of 10,000, in which PostgreSQL keeps
    numbers.
    """
    if not value:
        return 0, 0
    weight = value.adjusted() // 4
    return weight, int(_EXACT.scaleb(value.copy_abs(), -4 * weight))


def _scale(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


ABSOLUTE = OfOne(bigint=lambda a: _in_range(abs(a)), numeric=lambda a: Decimal(a).copy_abs())
NEGATE = OfOne(bigint=lambda a: _in_range(-a), numeric=lambda a: Decimal(a).copy_negate())
ADD = OfTwo(
    bigint=lambda a, b: c if BIGINT_MIN <= (c := a + b) <= BIGINT_MAX else None,
    numeric=_exactly(_EXACT.add),
)
SUBTRACT = OfTwo(
    bigint=lambda a, b: c if BIGINT_MIN <= (c := a - b) <= BIGINT_MAX else None,
    numeric=_exactly(_EXACT.subtract),
)
MULTIPLY = OfTwo(
    bigint=lambda a, b: c if BIGINT_MIN <= (c := a * b) <= BIGINT_MAX else None,
    numeric=_exactly(_EXACT.multiply),
)
DIVIDE = OfTwo(bigint=_quotient, numeric=_exactly(_divide))
REMAINDER = OfTwo(bigint=_remainder, numeric=_exactly(_EXACT.remainder))


def rounded(value: Number, places: int) -> Decimal:
    """Half away from zero, to `places` digits after the point, or before it where negative."""
    exact = Decimal(value)
    if _scale(exact) <= places:
        return exact
    return _EXACT.quantize(exact, Decimal((0, (1,), -places))) + 0


def total(values: Sequence[Number]) -> Number:
    """The exact sum of whole numbers and fractions; whole numbers stay whole where the sum is a
    `bigint`.
    """
    wholes = [value for value in values if isinstance(value, int)]
    if len(wholes) == len(values):
        whole = sum(wholes)
        return whole if _in_range(whole) is not None else Decimal(whole)
    found = Decimal(0)
    for value in values:
        found = _EXACT.add(found, Decimal(value))
    return found
