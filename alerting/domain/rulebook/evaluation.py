"""One condition against facts as JSON: what `alerting rules eval` answers, line by line.

Nothing is derived from the facts: what is not there is NULL, and a value of a wrong type is an
error.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from alerting.domain.conditions import Condition, Scope, Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.facts import WrongType, read_fact
from alerting.domain.customers.vocabulary import Vocabulary
from alerting.domain.errors import ConditionRefused, Invalid

PLACES = {"event": "event", "customer": "customer", "signals": "signal"}
"""The parts of a line's facts -> where conditions look for them."""


class FactsInvalid(Invalid):
    """A line that holds no facts."""


def read_json(text: str) -> Any:
    """JSON with exact fractions. Raises FactsInvalid."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise FactsInvalid(f"not JSON: {error}") from error


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


@dataclass(kw_only=True)
class Evaluator:
    """Compiles each condition once. `signals` are names that only the facts tell; the rulebook
    knows the types of its own.
    """

    vocabulary: Vocabulary
    event_type: str | None = None
    signals: set[str] = field(default_factory=set)
    _compiled: dict[str, tuple[Condition, Mapping[str, Type]] | str] = field(default_factory=dict)

    def learn_signals(self, lines: Iterable[Any]) -> None:
        """Note the signals any line has, so that one that is missing elsewhere is NULL there and no
        unknown name.
        """
        for facts in lines:
            signals = facts.get("signals") if isinstance(facts, dict) else None
            self.signals |= set(signals) if isinstance(signals, dict) else set()

    def answer(self, sql: str, facts: Any) -> str:
        """`true`, `false`, `unknown`, or `error: ...` in one line."""
        if sql not in self._compiled:
            self._compiled[sql] = self._compile(sql)
        compiled = self._compiled[sql]
        if isinstance(compiled, str):
            return compiled
        condition, kinds = compiled
        try:
            flat = _flat(facts)
            read = {key: _read(key, flat.get(key), kinds[key]) for key in condition.reads}
            truth = condition.variant(tuple(type(read.get(key)) for key in condition.by_value))(
                read
            )
        except (FactsInvalid, WrongType) as error:
            return _error(str(error))
        except ConditionRefused as error:
            return _error(_told(error))
        return "unknown" if truth is None else str(truth).lower()

    def _compile(self, sql: str) -> tuple[Condition, Mapping[str, Type]] | str:
        scope = self._scope()
        try:
            condition = compile_condition(sql, scope)
        except ConditionRefused as error:
            return _error(_told(error))
        kinds = dict(scope.names.values())
        answers = {key: Type.ANY for key in condition.reads if key not in kinds}
        return condition, {**kinds, **answers}

    def _scope(self) -> Scope:
        unknown = dict.fromkeys(self.signals - self.vocabulary.signals.keys(), Type.ANY)
        signals = {**unknown, **self.vocabulary.signals}
        known = Vocabulary(
            signals=signals, attributes=self.vocabulary.attributes, lists=self.vocabulary.lists
        )
        scope = known.for_rules(self.event_type)
        return Scope(
            names=scope.names,
            open={**scope.open, "signals.": ("signal.", Type.ANY)},
            lists=scope.lists,
        )


_NESTED = ("event.respondent", "event.answers", "customer.attributes")


def _flat(facts: Any) -> dict[str, object]:
    """`{"event": {"score": 2}}` -> `{"event.score": 2}`, with `respondent`, `answers` and
    `attributes` one level down.
    """
    if not isinstance(facts, dict):
        raise FactsInvalid("facts are a JSON object with event, customer and signals")
    flat: dict[str, object] = {}
    for part, place in PLACES.items():
        values = facts.get(part)
        if values is not None and not isinstance(values, dict):
            raise FactsInvalid(f"{part} is a JSON object")
        for name, value in (values or {}).items():
            nested = f"{part}.{name}" in _NESTED
            if nested and value is not None and not isinstance(value, dict):
                raise FactsInvalid(f"{part}.{name} is a JSON object")
            if nested and value is not None:
                below = "" if name == "attributes" else f"{name}."
                flat |= {f"{place}.{below}{inner}": found for inner, found in value.items()}
            else:
                flat[f"{place}.{name}"] = value
    return flat


def _read(key: str, value: Any, kind: Type) -> Any:
    try:
        return read_fact(value, kind)
    except WrongType as error:
        raise WrongType(f"{key.replace('signal.', 'signals.', 1)}: {error}") from error


def _told(error: ConditionRefused) -> str:
    place = f"column {error.column}: " if error.column else ""
    return place + error.message + (f" ({error.suggestion})" if error.suggestion else "")


def _error(message: str) -> str:
    return "error: " + " ".join(message.split())
