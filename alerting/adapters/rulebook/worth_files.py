"""rules/health.yaml and rules/value.yaml: how a customer does, and what it is worth."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from alerting.adapters.rulebook.checks.condition_checks import check_conditions
from alerting.adapters.rulebook.forms.customer_forms import HealthForm, ValueForm
from alerting.adapters.rulebook.rule_sources import Sources
from alerting.domain.conditions import Condition
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.health import HealthPart
from alerting.domain.customers.signals import Signal
from alerting.domain.customers.value import PURCHASE, VALUE_READS, value_signals
from alerting.domain.customers.vocabulary import Vocabulary


def read_health(
    sources: Sources, vocabulary: Vocabulary
) -> tuple[Vocabulary, tuple[HealthPart, ...]]:
    """The parts of health, and the vocabulary of segments, tags and rules, which may read it."""
    file = sources.open_file("rules/health.yaml", needed=False)
    if file is None:
        return vocabulary, ()
    form = file.read(HealthForm, sources.findings)
    scope = vocabulary.for_segments()
    found: dict[str, list[tuple[int, Condition]]] = defaultdict(list)
    for part, _ in file.items("parts"):
        name = str(part[-1])
        fits = form is not None and name in form.parts
        forms = file.formed((*part, "scores"), form.parts[name].scores) if form and fits else {}
        for at, given in file.items(*part, "scores"):
            when = sources.condition(file, (*at, "when"), given.get("when"), scope)
            if when is not None and int(at[-1]) in forms:
                found[name].append((forms[int(at[-1])].score, when))
            if when is not None and scope.complete:
                check_conditions(file, [(*at, "when")], scope, sources.findings)
    parts = tuple(
        HealthPart(name=name, weight=part.weight, scores=tuple(found[name]))
        for name, part in (form.parts if form else {}).items()
    )
    return replace(vocabulary, has_health=True), parts


def read_value(
    sources: Sources, vocabulary: Vocabulary, currency: str, whens: Iterable[Condition]
) -> dict[str, Signal]:
    """The signals that what a customer is worth is read from; none where no condition reads
    it.
    """
    file = sources.open_file("rules/value.yaml", needed=False)
    form = file.read(ValueForm, sources.findings) if file else ValueForm()
    if form is None or not any(VALUE_READS.intersection(when.reads) for when in whens):
        return {}
    scope = vocabulary.for_signals(PURCHASE)
    own = compile_condition(f"currency IS NULL OR currency = '{currency}'", scope)
    return value_signals(form.within, own)
