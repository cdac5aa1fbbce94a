"""What conditions may name besides the standing fields: lists, typed attributes and signals, read
from rules/.
"""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import Findings, YamlFile
from alerting.adapters.rulebook.rule_checks import check_conditions
from alerting.adapters.rulebook.rule_forms import (
    AttributesForm,
    HealthForm,
    ListsForm,
    SignalForm,
    SignalsForm,
    ValueForm,
)
from alerting.domain.conditions import Condition, Scope, Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.health import HEALTH_FIELDS, HealthPart
from alerting.domain.customers.signals import Aggregate, Signal
from alerting.domain.customers.value import PURCHASE, VALUE_FIELDS, VALUE_READS, value_signals
from alerting.domain.customers.vocabulary import (
    ATTRIBUTE_TYPES,
    CUSTOMER_FIELDS,
    EVENT_FIELDS,
    HISTORY,
    Vocabulary,
)
from alerting.domain.errors import ConditionRefused, Problem, RulebookInvalid


def build_vocabulary(files: Mapping[str, str]) -> Vocabulary:
    """Lists, typed attributes and signals alone, of files that may be no whole rulebook. Raises
    RulebookInvalid.
    """
    builder = VocabularyBuilder(files)
    builder.read_vocabulary()
    if builder.findings.problems:
        raise RulebookInvalid(builder.findings.problems)
    return builder.vocabulary


class VocabularyBuilder:
    """Reads lists, attributes and signals, and compiles conditions; the rulebook's builder goes on
    from here.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files
        self.findings = Findings()
        self.vocabulary = Vocabulary()

    def open_file(self, name: str, *, needed: bool = True) -> YamlFile | None:
        text = self.files.get(name)
        if text is None:
            if needed:
                self.findings.problems.append(
                    Problem(file=name, line=None, column=None, message="is missing")
                )
            return None
        return YamlFile(name, text, self.findings)

    def condition(
        self, file: YamlFile, path: YamlPath, sql: object, scope: Scope
    ) -> Condition | None:
        """None where there is none, or it is refused; what is no text is the form's business."""
        if not isinstance(sql, str):
            return None
        try:
            return compile_condition(sql, scope)
        except ConditionRefused as error:
            self.findings.refuse_condition(file, path, error)
            return None

    def read_vocabulary(self) -> dict[str, Signal]:
        """Lists, attributes and signals: what conditions elsewhere may name. Returns the
        signals.
        """
        lists = self._lists()
        attributes = self._attributes()
        known = Vocabulary(lists=lists or {}, complete=lists is not None)
        signals, types = self._signals(known)
        parts = (lists, attributes, types)
        self.vocabulary = Vocabulary(
            signals=types or {},
            attributes=attributes or {},
            lists=lists or {},
            complete=all(part is not None for part in parts),
        )
        return signals

    def read_health(self) -> tuple[HealthPart, ...]:
        """The parts of health; from here on segments, tags and rules may read it."""
        file = self.open_file("rules/health.yaml", needed=False)
        if file is None:
            return ()
        form = file.read(HealthForm, self.findings)
        scope = self.vocabulary.for_segments()
        found: dict[str, list[tuple[int, Condition]]] = defaultdict(list)
        for part, _ in file.items("parts"):
            name = str(part[-1])
            fits = form is not None and name in form.parts
            forms = file.formed((*part, "scores"), form.parts[name].scores) if form and fits else {}
            for at, given in file.items(*part, "scores"):
                when = self.condition(file, (*at, "when"), given.get("when"), scope)
                if when is not None and int(at[-1]) in forms:
                    found[name].append((forms[int(at[-1])].score, when))
                if when is not None and scope.complete:
                    check_conditions(file, [(*at, "when")], scope, self.findings)
        self.vocabulary = replace(self.vocabulary, has_health=True)
        if form is None:
            return ()
        return tuple(
            HealthPart(name=name, weight=part.weight, scores=tuple(found[name]))
            for name, part in form.parts.items()
        )

    def read_value(self, currency: str, whens: Iterable[Condition]) -> dict[str, Signal]:
        """The signals that what a customer is worth is read from; none where no condition reads
        it.
        """
        file = self.open_file("rules/value.yaml", needed=False)
        form = file.read(ValueForm, self.findings) if file else ValueForm()
        if form is None or not any(VALUE_READS.intersection(when.reads) for when in whens):
            return {}
        scope = self.vocabulary.for_signals(PURCHASE)
        own = compile_condition(f"currency IS NULL OR currency = '{currency}'", scope)
        return value_signals(form.within, own)

    def _lists(self) -> dict[str, tuple[str, ...]] | None:
        """All that are named, those with faults without words. None where nobody can tell which
        there are.
        """
        file = self.open_file("rules/lists.yaml", needed=False)
        if file is None:
            return {}
        form, names = file.read(ListsForm, self.findings), file.names("lists")
        found: dict[str, tuple[str, ...]] = dict.fromkeys(names or (), ())
        for name, given in (form.lists if form else {}).items():
            found[name] = tuple(
                given if isinstance(given, list) else self.column(file, ("lists", name), given)
            )
        return None if names is None else found

    def _attributes(self) -> dict[str, Type] | None:
        """All that are named, those with faults as if of any type. None where nobody can tell which
        there are.
        """
        file = self.open_file("rules/attributes.yaml", needed=False)
        if file is None:
            return {}
        form, names = file.read(AttributesForm, self.findings), file.names("attributes")
        if names is None:
            return None
        for name in names:
            if name in {
                *CUSTOMER_FIELDS,
                *HISTORY,
                *VALUE_FIELDS,
                *HEALTH_FIELDS,
                "segment",
                "tags",
            }:
                message = f"every customer has a field {name!r} already"
                self.findings.add(file, ("attributes", name), message, "choose another name")
        found = dict.fromkeys(names, Type.NULL)
        return found | {
            name: ATTRIBUTE_TYPES[kind] for name, kind in (form.attributes if form else {}).items()
        }

    def _signals(self, known: Vocabulary) -> tuple[dict[str, Signal], dict[str, Type] | None]:
        """The signals, and the types of all that are named, also of those with faults."""
        file = self.open_file("rules/signals.yaml", needed=False)
        if file is None:
            return {}, {}
        form = file.read(SignalsForm, self.findings)
        names = file.names("signals")
        if names is None:
            return {}, None
        signals, types = {}, dict.fromkeys(names, Type.NULL)
        for at, given in file.items("signals"):
            name = str(at[-1])
            signal = self._signal(file, at, given, known, form.signals.get(name) if form else None)
            if signal is not None:
                signals[name], types[name] = signal, signal.type
        return signals, types

    def _signal(
        self,
        file: YamlFile,
        at: YamlPath,
        given: Mapping[str, Any],
        known: Vocabulary,
        form: SignalForm | None,
    ) -> Signal | None:
        aggregate = next((aggregate for aggregate in Aggregate if aggregate.value in given), None)
        of = given.get(aggregate.value) if aggregate else None
        if aggregate is None or not isinstance(of, str):
            return None
        self.findings.check_name(file, (*at, aggregate.value), "event type", of, EVENT_FIELDS)
        if of not in EVENT_FIELDS:
            return None
        scope = known.for_signals(of)
        where = self.condition(file, (*at, "where"), given.get("where"), scope)
        reset = self.condition(file, (*at, "reset_when"), given.get("reset_when"), scope)
        for key, condition in (("where", where), ("reset_when", reset)):
            if condition is not None:
                check_conditions(file, [(*at, key)], scope, self.findings)
        field, kind = given.get("of"), Type.NULL
        if isinstance(field, str):
            self.findings.check_name(file, (*at, "of"), "field", field, EVENT_FIELDS[of])
            kind = EVENT_FIELDS[of].get(field, Type.NULL)
            if aggregate.takes_numbers and kind not in {Type.NUMBER, Type.BIGINT, Type.NULL}:
                self.findings.add(
                    file, (*at, "of"), f"{aggregate} needs a number; {field} is a {kind.value}"
                )
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

    def column(
        self, file: YamlFile, path: YamlPath, name: str, heading: str | None = None
    ) -> list[str]:
        """The first column of a CSV file under rules/, below its heading."""
        tables = {n.removeprefix("rules/") for n in self.files if n.endswith(".csv")}
        self.findings.check_name(file, path, "list", name, tables)
        text = self.files.get(f"rules/{name}", heading or "").removeprefix(
            "\ufeff"
        )  # Excel begins with that mark
        try:
            reader = csv.reader(io.StringIO(text), strict=True)
            rows = [row for row in reader if row and row[0].strip()]
        except csv.Error as error:
            message = (
                "this quote does not end"
                if "unexpected end" in str(error)
                else f"no table: {error}"
            )
            problem = Problem(
                file=f"rules/{name}", line=reader.line_num, column=None, message=message
            )
            self.findings.problems.append(problem)
            return []
        twice = sorted(
            word for word, count in Counter(row[0].strip() for row in rows[1:]).items() if count > 1
        )
        if twice:
            self.findings.warn(
                f"rules/{name}", f"stands here twice: {', '.join(twice[:5])}", "keep one of each"
            )
        if heading is not None and (not rows or rows[0][0].strip() != heading):
            message, hint = (
                f"the first line must begin with {heading}",
                "separate columns by commas",
            )
            problem = Problem(
                file=f"rules/{name}", line=1, column=1, message=message, suggestion=hint
            )
            self.findings.problems.append(problem)
        return [row[0].strip() for row in rows[1:]]
