"""What conditions are made of: types, the names that may be used, and the compiled form."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum

from alerting.domain.errors import ConditionRefused


class Type(Enum):
    """The types of facts and of expressions.

    NUMBER and ANY are declared only: the fact at hand decides (an integer is BIGINT, a fraction
    NUMERIC), as JSON does. NULL is the type of a bare NULL and fits everywhere.
    """

    BIGINT = "whole number"
    NUMERIC = "number"
    NUMBER = "number of either kind"
    TEXT = "text"
    BOOLEAN = "true/false"
    TIME = "time"
    DATE = "date"
    INTERVAL = "interval"
    TEXTS = "list of texts"
    ANY = "any value"
    NULL = "null"

    @property
    def words(self) -> str:
        """As people are told of it."""
        return self.value.removesuffix(" of either kind")

    @property
    def is_number(self) -> bool:
        return self in {Type.BIGINT, Type.NUMERIC, Type.NULL}


Fact = None | bool | int | Decimal | float | str | date | datetime | timedelta | list[str | None]
"""A value that conditions calculate with; fractions are Decimal, times are in UTC."""

Facts = Mapping[str, object]
Evaluate = Callable[[Facts], object]
Signature = tuple[type, ...]
"""The Python types of the facts whose values decide how a condition is compiled."""

_BY_VALUE: Mapping[type, Type] = {
    int: Type.BIGINT,
    Decimal: Type.NUMERIC,
    str: Type.TEXT,
    bool: Type.BOOLEAN,
    list: Type.TEXTS,
    tuple: Type.TEXTS,
    datetime: Type.TIME,
    date: Type.DATE,
}


def type_by_value(declared: Type, found: type) -> Type:
    """What a fact declared as NUMBER or ANY is where its value has the Python type `found`."""
    if found is type(None):
        return Type.BIGINT if declared is Type.NUMBER else Type.NULL
    kind = _BY_VALUE.get(found, Type.ANY)
    if kind is Type.ANY or (declared is Type.NUMBER and not kind.is_number):
        raise ConditionRefused(f"takes no {found.__name__}")
    return kind


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The names a condition may use: what is written -> (key in the facts, type).

    `open` are prefixes below which every name exists: `answers.` -> (prefix of the key, type).
    `lists` are the declared lists of words or ids. Not `complete` where a file that declares names
    cannot be read: an unknown name may be one.
    """

    names: Mapping[str, tuple[str, Type]]
    open: Mapping[str, tuple[str, Type]] = field(default_factory=dict)
    lists: Mapping[str, Sequence[str]] = field(default_factory=dict)
    complete: bool = True

    def find(self, name: str) -> tuple[str, Type]:
        """The key in the facts and the type. Raises ConditionRefused for an unknown name."""
        found = self.names.get(name)
        if found is not None:
            return found
        for prefix, (key, kind) in self.open.items():
            if name.startswith(prefix):
                return key + name.removeprefix(prefix), kind
        if not self.complete:
            return name, Type.NULL
        raise ConditionRefused(f"unknown field {name!r}", suggestion=_nearest(name, self.names))

    def words(self, name: str) -> Sequence[str]:
        """The list `lists.<name>`."""
        found = self.lists.get(name.removeprefix("lists."))
        if found is None or not name.startswith("lists."):
            if not self.complete:
                return ()
            known = [f"lists.{known}" for known in self.lists]
            hint = _nearest(name, known) or "declare it in rules/lists.yaml"
            raise ConditionRefused(f"no list is called {name!r}", suggestion=hint)
        return found


def _nearest(name: str, known: Mapping[str, object] | Sequence[str]) -> str | None:
    near = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else None


class Variants(dict[Signature, Evaluate]):
    """A condition as compiled for each combination of types met so far. Where they do not fit, it
    is unknown.
    """

    def __init__(self, compile_for: Callable[[Signature], Evaluate]) -> None:
        self.compile_for = compile_for

    def __missing__(self, signature: Signature) -> Evaluate:
        if len(self) >= 1_000:
            self.clear()  # answers of a survey may be anything; memory is finite
        try:
            run = self.compile_for(signature)
        except ConditionRefused:
            run = _unknown
        self[signature] = run
        return run

    def deciding(self, keys: Sequence[str]) -> Evaluate:
        """Looks at the types of these facts and evaluates the variant for them; most conditions
        have one or none.
        """
        if not keys:
            return self[()]
        if len(keys) == 1:
            only = keys[0]
            return lambda facts: self[(type(facts.get(only)),)](facts)
        if len(keys) == 2:
            one, other = keys
            return lambda facts: self[type(facts.get(one)), type(facts.get(other))](facts)
        return lambda facts: self[tuple([type(facts.get(key)) for key in keys])](facts)


def _unknown(facts: Facts) -> None:
    """The truth of what cannot be decided."""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """A part that must not be false if the condition is to be true, and that reads one fact, which
    can be hashed.

    `texts` where it asks whether the fact is one of these, and nothing else.
    """

    field: str
    holds: Evaluate
    texts: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A compiled condition: its text and the facts it reads. Evaluating it never raises."""

    sql: str
    reads: tuple[str, ...]
    by_value: tuple[str, ...] = ()
    """Those of the facts whose values decide the types."""
    requirements: tuple[Requirement, ...] = field(default=(), compare=False)
    variants: Variants = field(repr=False, compare=False)
    decide: Evaluate = field(repr=False, compare=False)
    """Calling the condition, without the detour over its class."""
    rest: Evaluate | None = field(repr=False, compare=False)
    """What is left to ask where all the requirements are known to hold; None where nothing is."""

    def __call__(self, facts: Facts) -> bool | None:
        """True, False, or None for unknown: facts are missing, or have types the condition can do
        nothing with.
        """
        value = self.decide(facts)
        return None if value is None else bool(value)

    def variant(self, signature: Signature) -> Evaluate:
        """The condition for facts of these types. Raises ConditionRefused where they do not fit."""
        run = self.variants[signature]
        return run if run is not _unknown else self.variants.compile_for(signature)
