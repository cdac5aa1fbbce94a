"""What conditions may name besides the standing fields: lists, typed attributes and signals, read
from rules/.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import YamlFile
from alerting.adapters.rulebook.checks.condition_checks import check_conditions
from alerting.adapters.rulebook.forms.customer_forms import (
    AttributesForm,
    ListsForm,
    SignalForm,
    SignalsForm,
)
from alerting.adapters.rulebook.rule_sources import Sources
from alerting.domain.conditions import Condition, Scope, Type
from alerting.domain.customers.health import HEALTH_FIELDS
from alerting.domain.customers.signals import Aggregate, Signal
from alerting.domain.customers.value import VALUE_FIELDS
from alerting.domain.customers.vocabulary import (
    ATTRIBUTE_TYPES,
    CUSTOMER_FIELDS,
    EVENT_FIELDS,
    HISTORY,
    Vocabulary,
)
from alerting.domain.errors import RulebookInvalid

_TAKEN = {*CUSTOMER_FIELDS, *HISTORY, *VALUE_FIELDS, *HEALTH_FIELDS, "segment", "tags"}


def build_vocabulary(files: Mapping[str, str]) -> Vocabulary:
    """Lists, typed attributes and signals alone, of files that may be no whole rulebook. Raises
    RulebookInvalid.
    """
    sources = Sources(files=files, findings=Findings())
    vocabulary, _ = read_vocabulary(sources)
    if sources.findings.problems:
        raise RulebookInvalid(sources.findings.problems)
    return vocabulary


def read_vocabulary(sources: Sources) -> tuple[Vocabulary, dict[str, Signal]]:
    """Lists, attributes and signals: what conditions elsewhere may name; and the signals, by
    name.
    """
    lists = _lists(sources)
    attributes = _attributes(sources)
    known = Vocabulary(lists=lists or {}, complete=lists is not None)
    signals, types = _signals(sources, known)
    parts = (lists, attributes, types)
    vocabulary = Vocabulary(
        signals=types or {},
        attributes=attributes or {},
        lists=lists or {},
        complete=all(part is not None for part in parts),
    )
    return vocabulary, signals


def _lists(sources: Sources) -> dict[str, tuple[str, ...]] | None:
    """All that are named, those with faults without words. None where nobody can tell which
    there are.
    """
    file = sources.open_file("rules/lists.yaml", needed=False)
    if file is None:
        return {}
    form, names = file.read(ListsForm, sources.findings), file.names("lists")
    found: dict[str, tuple[str, ...]] = dict.fromkeys(names or (), ())
    for name, given in (form.lists if form else {}).items():
        found[name] = tuple(
            given if isinstance(given, list) else sources.column(file, ("lists", name), given)
        )
    return None if names is None else found


def _attributes(sources: Sources) -> dict[str, Type] | None:
    """All that are named, those with faults as if of any type. None where nobody can tell which
    there are.
    """
    file = sources.open_file("rules/attributes.yaml", needed=False)
    if file is None:
        return {}
    form, names = file.read(AttributesForm, sources.findings), file.names("attributes")
    if names is None:
        return None
    for name in names:
        if name in _TAKEN:
            message = f"every customer has a field {name!r} already"
            sources.findings.add(file, ("attributes", name), message, "choose another name")
    found = dict.fromkeys(names, Type.NULL)
    return found | {
        name: ATTRIBUTE_TYPES[kind] for name, kind in (form.attributes if form else {}).items()
    }


def _signals(
    sources: Sources, known: Vocabulary
) -> tuple[dict[str, Signal], dict[str, Type] | None]:
    """The signals, and the types of all that are named, also of those with faults."""
    file = sources.open_file("rules/signals.yaml", needed=False)
    if file is None:
        return {}, {}
    form = file.read(SignalsForm, sources.findings)
    names = file.names("signals")
    if names is None:
        return {}, None
    reader = _SignalReader(sources=sources, file=file, known=known)
    signals, types = {}, dict.fromkeys(names, Type.NULL)
    for at, given in file.items("signals"):
        name = str(at[-1])
        signal = reader.read(at, given, form.signals.get(name) if form else None)
        if signal is not None:
            signals[name], types[name] = signal, signal.type
    return signals, types


@dataclass(frozen=True, kw_only=True)
class _SignalReader:
    """Reads one signal after the other. `known` are the lists that its conditions may name."""

    sources: Sources
    file: YamlFile
    known: Vocabulary

    def read(
        self, at: YamlPath, given: Mapping[str, object], form: SignalForm | None
    ) -> Signal | None:
        """The signal written at `at`; None where too little of it can be read, which is a
        problem.
        """
        findings = self.sources.findings
        aggregate = next((aggregate for aggregate in Aggregate if aggregate.value in given), None)
        of = given.get(aggregate.value) if aggregate else None
        if aggregate is None or not isinstance(of, str):
            return None
        findings.check_name(self.file, (*at, aggregate.value), "event type", of, EVENT_FIELDS)
        if of not in EVENT_FIELDS:
            return None
        scope = self.known.for_signals(of)
        where = self._condition((*at, "where"), given.get("where"), scope)
        reset = self._condition((*at, "reset_when"), given.get("reset_when"), scope)
        for key, condition in (("where", where), ("reset_when", reset)):
            if condition is not None:
                check_conditions(self.file, [(*at, key)], scope, findings)
        kind = self._type_of_field((*at, "of"), given.get("of"), of, aggregate)
        if form is None:
            return None
        return Signal(
            name=str(at[-1]),
            aggregate=aggregate,
            of=of,
            field=form.of,
            type=aggregate.type_of(kind),
            where=where,
            within=form.within,
            reset_when=reset,
        )

    def _condition(self, path: YamlPath, sql: object, scope: Scope) -> Condition | None:
        return self.sources.condition(self.file, path, sql, scope)

    def _type_of_field(
        self, path: YamlPath, field: object, event_type: str, aggregate: Aggregate
    ) -> Type:
        """The type of the field a signal is computed from; NULL where none can be told."""
        if not isinstance(field, str):
            return Type.NULL
        fields, findings = EVENT_FIELDS[event_type], self.sources.findings
        findings.check_name(self.file, path, "field", field, fields)
        kind = fields.get(field, Type.NULL)
        if aggregate.takes_numbers and kind not in {Type.NUMBER, Type.BIGINT, Type.NULL}:
            message = f"{aggregate} needs a number; {field} is a {kind.value}"
            findings.add(self.file, path, message)
        return kind
