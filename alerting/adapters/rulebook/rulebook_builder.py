"""The texts of rules/ and templates/ become a Rulebook, or a list of everything that is wrong with
them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.calendar_files import read_calendars
from alerting.adapters.rulebook.checks.template_checks import check_mails
from alerting.adapters.rulebook.forms.rule_forms import SettingsForm, SurveysForm
from alerting.adapters.rulebook.promise_builder import ReadPromises, read_promises
from alerting.adapters.rulebook.resolution_files import RESOLUTIONS, read_resolutions
from alerting.adapters.rulebook.routing_builder import ReadRouting, read_routing
from alerting.adapters.rulebook.rule_builder import ReadRules, RuleNames, read_rules
from alerting.adapters.rulebook.rule_sources import NamedPeople, Sources
from alerting.adapters.rulebook.rule_test_files import KnownNames, read_rule_tests
from alerting.adapters.rulebook.segment_builder import ReadSegments, read_segments
from alerting.adapters.rulebook.vocabulary_builder import read_vocabulary
from alerting.adapters.rulebook.words_builder import Translatable, read_words
from alerting.adapters.rulebook.worth_files import read_health, read_value
from alerting.domain.cases.resolutions import Resolutions
from alerting.domain.conditions import Condition
from alerting.domain.customers.health import HealthPart
from alerting.domain.customers.signals import Signal
from alerting.domain.customers.vocabulary import Vocabulary
from alerting.domain.errors import Problem, RulebookInvalid
from alerting.domain.people.people import Known
from alerting.domain.rulebook.rule_tests import BEGIN
from alerting.domain.rulebook.rulebook import Rulebook, Survey, Words

_FILES = tuple(
    f"rules/{name}.yaml"
    for name in (
        *("settings", "attributes", "lists", "signals", "health", "value", "segments"),
        *("routing", "calendars", "sla", "surveys", "people", "resolutions"),
    )
)
_FOLDERS = ("rules/escalations/", "rules/tests/", "rules/words/")


def build_rulebook(
    files: Mapping[str, str],
    people: Mapping[str, Known] | None = None,
    findings: Findings | None = None,
) -> Rulebook:
    """Check and compile. With `people`, names of people are checked, too. Raises RulebookInvalid
    with every problem.

    `findings` gathers them, and the warnings, which make nothing invalid. With neither it is a
    stored rulebook that is only loaded: its rule tests were checked when it came in, decide
    nothing, and must not keep it from working.
    """
    sources = Sources(files=files, findings=findings or Findings())
    _check_file_names(sources)
    parts = _read_parts(sources, NamedPeople(known=people, findings=sources.findings))
    signals = parts.signals | read_value(
        sources, parts.vocabulary, parts.currency, parts.conditions()
    )
    rules = parts.rules
    check_mails(
        sources.files,
        [rule.template for rule in rules.rules.values()],
        rules.templates_named,
        sources.findings,
    )
    parts.promises.warn_of_unused(rules.policies_used, sources)
    words = read_words(sources, Translatable.of(rules.rules, rules.ids, parts.segments.ids))
    if people is not None or findings is not None:
        known = KnownNames(rules=rules.ids or None, roles=parts.routing.roles, people=people)
        begin = parts.settings.go_live if parts.settings else BEGIN
        read_rule_tests(sources.files, known, begin, sources.findings)
    if sources.findings.problems or parts.settings is None:
        raise RulebookInvalid(sources.findings.problems)
    return _whole(sources.files, parts, parts.settings, signals, words)


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What the files of a rulebook say, one by one, as far as they could be read."""

    settings: SettingsForm | None
    vocabulary: Vocabulary
    signals: dict[str, Signal]
    health: tuple[HealthPart, ...]
    segments: ReadSegments
    routing: ReadRouting
    promises: ReadPromises
    surveys: dict[str, Survey]
    resolutions: Resolutions
    rules: ReadRules

    @property
    def currency(self) -> str:
        return self.settings.currency if self.settings else "EUR"

    def conditions(self) -> Iterator[Condition]:
        """Every condition that may read what a customer is worth."""
        yield from self.segments.tags.values()
        for segment in self.segments.segments.values():
            if segment.when is not None:
                yield segment.when
        for part in self.health:
            yield from (when for _, when in part.scores)
        for rule in self.rules.rules.values():
            yield from (named.condition for named in rule.when)


def _read_parts(sources: Sources, people: NamedPeople) -> _Parts:
    """In the order in which the files refer to each other."""
    settings = _read_settings(sources, people)
    vocabulary, signals = read_vocabulary(sources)
    vocabulary, health = read_health(sources, vocabulary)
    segments = read_segments(sources, vocabulary)
    routing = read_routing(sources, people, segments.ids)
    promises = read_promises(sources, routing.roles, settings.calendar if settings else None)
    surveys = _read_surveys(sources)
    resolutions = read_resolutions(
        sources.open_file(RESOLUTIONS, needed=False), sources.findings, routing.roles, surveys
    )
    names = RuleNames(
        vocabulary=vocabulary,
        signals=signals,
        roles=routing.roles,
        policies=promises.policies,
        policy_names=promises.names,
        segments=segments.ids,
        tags=segments.tag_names,
    )
    return _Parts(
        settings=settings,
        vocabulary=vocabulary,
        signals=signals,
        health=health,
        segments=segments,
        routing=routing,
        promises=promises,
        surveys=surveys,
        resolutions=resolutions,
        rules=read_rules(sources, names),
    )


def _whole(
    files: Mapping[str, str],
    parts: _Parts,
    settings: SettingsForm,
    signals: Mapping[str, Signal],
    words: Mapping[str, Words],
) -> Rulebook:
    segments = parts.segments
    return Rulebook(
        files=dict(files),
        go_live=settings.go_live,
        notify_max_age=settings.notify_max_age,
        lateness=settings.lateness,
        calendars=parts.promises.calendars or {},
        audit_holder=settings.audit_holder,
        wait_at_most=settings.wait_at_most,
        weekly_mail=settings.weekly_mail,
        resolutions=parts.resolutions,
        second_person=settings.second_person,
        currency=settings.currency,
        segments=tuple(segments.segments.values()),
        tags=segments.tags,
        signals=signals,
        attributes=parts.vocabulary.attributes,
        lists={name: tuple(listed) for name, listed in parts.vocabulary.lists.items()},
        policies=parts.promises.policies,
        routing=parts.routing.routing,
        surveys=parts.surveys,
        rules=tuple(parts.rules.rules.values()),
        health=parts.health,
        words=words,
    )


def _read_settings(sources: Sources, people: NamedPeople) -> SettingsForm | None:
    file = sources.open_file("rules/settings.yaml")
    form = file.read(SettingsForm, sources.findings) if file else None
    if file and form and form.audit_holder is not None:
        people.check_person(file, ("audit_holder",), form.audit_holder)
    if file and form and form.calendar is not None:
        known = read_calendars(sources.files, Findings())
        sources.findings.check_name(file, ("calendar",), "calendar", form.calendar, known)
    return form


def _read_surveys(sources: Sources) -> dict[str, Survey]:
    file = sources.open_file("rules/surveys.yaml", needed=False)
    form = file.read(SurveysForm, sources.findings) if file else None
    if form is None:
        return {}
    return {name: Survey(id=name, **given.model_dump()) for name, given in form.surveys.items()}


def _check_file_names(sources: Sources) -> None:
    """A misspelt name would be silently passed over otherwise."""
    for name in sources.files:
        if _is_read(name):
            continue
        near = get_close_matches(name, _FILES, n=1, cutoff=0.8)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"known are {', '.join(_FILES)} and rules/escalations/*.yaml"
        )
        message = "nothing reads a file of this name"
        sources.findings.problems.append(
            Problem(file=name, line=None, column=None, message=message, suggestion=hint)
        )


def _is_read(name: str) -> bool:
    if name in _FILES or not name.startswith("rules/"):
        return True
    if name.startswith(_FOLDERS) and name.endswith((".yaml", ".yml")):
        return True
    return name.endswith((".csv", ".ics", ".md"))
