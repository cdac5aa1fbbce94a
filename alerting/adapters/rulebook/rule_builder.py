"""When somebody is told: rules/escalations/*.yaml become rules."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import YamlFile, texts
from alerting.adapters.rulebook.checks.condition_checks import check_conditions, group_values
from alerting.adapters.rulebook.forms.rule_forms import RulesForm
from alerting.adapters.rulebook.rule_sources import Sources
from alerting.domain.cases.sla import Policy
from alerting.domain.conditions import Scope
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.rooms import Possible
from alerting.domain.customers.signals import Aggregate, Signal
from alerting.domain.customers.vocabulary import EVENT_FIELDS, Vocabulary
from alerting.domain.errors import Problem
from alerting.domain.rulebook.rulebook import NamedCondition, Rule

FOLDER = "rules/escalations/"
_COUNTS = {Aggregate.COUNT, Aggregate.DISTINCT, Aggregate.DAYS_SINCE}
_OTHER_EVENTS = [name for name in EVENT_FIELDS if name != "silence"]


@dataclass(frozen=True, kw_only=True)
class RuleNames:
    """What rules may refer to. Of roles, policies, segments and tags None: nobody can tell which
    there are.
    """

    vocabulary: Vocabulary
    signals: Mapping[str, Signal]
    roles: Collection[str] | None
    policies: Mapping[str, Policy]
    policy_names: Collection[str] | None
    segments: Collection[str] | None
    tags: Collection[str] | None

    def possible(self, event_type: str) -> dict[str, Possible]:
        """What the fields of a rule on this event type can be."""
        counted: dict[str, Possible] = {
            f"signal.{signal.name}": (0, None)
            for signal in self.signals.values()
            if signal.aggregate in _COUNTS
        }
        of_type: dict[str, Possible] = {"event.type": frozenset({event_type})}
        return group_values(self.segments, self.tags) | of_type | counted


@dataclass(kw_only=True)
class ReadRules:
    """Rules as far as they could be read, and what they refer to. `ids` are those that are written;
    None where nobody can tell.
    """

    rules: dict[str, Rule] = field(default_factory=dict)
    ids: set[str] | None = field(default_factory=set)
    policies_used: set[str] = field(default_factory=set)
    templates_named: set[str] = field(default_factory=set)


def read_rules(sources: Sources, names: RuleNames) -> ReadRules:
    """rules/escalations/*.yaml, of which there is at least one."""
    found, there_is_one = ReadRules(), False
    for file in sources.open_folder(FOLDER):
        there_is_one = True
        _RuleFile(sources=sources, file=file, names=names).read_into(found)
    if not there_is_one:
        sources.findings.problems.append(
            Problem(
                file=FOLDER.rstrip("/"),
                line=None,
                column=None,
                message="there is no rule",
                suggestion="write rules/escalations/first.yaml",
            )
        )
    return found


@dataclass(frozen=True, kw_only=True)
class _RuleFile:
    """One file of rules, read against the names they may use."""

    sources: Sources
    file: YamlFile
    names: RuleNames

    def read_into(self, found: ReadRules) -> None:
        file = self.file
        form = file.read(RulesForm, self.sources.findings)
        forms = file.formed(("rules",), form.rules) if form else {}
        ids = file.names("rules", "id")
        found.ids = None if found.ids is None or ids is None else found.ids | set(ids)
        for at, given in file.items("rules"):
            if given.get("id") in list(found.rules):
                message = f"the rule {given['id']!r} exists twice"
                self.sources.findings.add(file, (*at, "id"), message, "rename one of them")
            found.policies_used.add(str(given.get("policy")))
            found.templates_named.add(str(given.get("template")))
            self._check_names(at, given)
            self._check_fixer(at, given)
            when = self._when(at, given)
            rule = forms.get(int(at[-1]))
            if rule is not None:
                values = rule.model_dump(exclude={"when", "inform"})
                found.rules[rule.id] = Rule(**values, when=when, inform=tuple(rule.inform))

    def _check_names(self, at: YamlPath, given: Mapping[str, object]) -> None:
        for key in ("caller", "fixer", "inform"):
            for role in texts(given.get(key)):
                self._check_name((*at, key), "role", role, self.names.roles)
        self._check_name((*at, "policy"), "policy", given.get("policy"), self.names.policy_names)

    def _check_name(
        self, path: YamlPath, kind: str, name: object, known: Collection[str] | None
    ) -> None:
        self.sources.findings.check_name(self.file, path, kind, name, known)

    def _check_fixer(self, at: YamlPath, given: Mapping[str, object]) -> None:
        """A policy that binds the fixer, or tells it something, needs one."""
        policy = self.names.policies.get(str(given.get("policy")))
        if policy is None or given.get("fixer"):
            return
        path = (*at, "policy")
        if any(target.by == "fixer" for target in policy.targets.values()):
            message = f"{policy.id} gives the fixer a clock, but the rule names no fixer"
            hint = "add `fixer:`, or take another policy"
            self.sources.findings.add(self.file, path, message, hint)
        elif policy.tells_fixer:
            message = (
                f"{policy.id} has a step that tells the fixer, but the rule names none: it "
                "goes to the caller"
            )
            place = self.file.position(path)
            self.sources.findings.warn(self.file.name, message, "add `fixer:`", *place)

    def _when(self, at: YamlPath, given: Mapping[str, object]) -> tuple[NamedCondition, ...]:
        """The conditions that compile."""
        on, when = given.get("on"), given.get("when")
        self._check_name((*at, "on"), "event type", on, EVENT_FIELDS)
        if not isinstance(on, str) or on not in EVENT_FIELDS or not isinstance(when, dict):
            return ()
        scope = self.names.vocabulary.for_rules(on)
        if on == "silence":
            self._check_name((*at, "of"), "event type", given.get("of"), _OTHER_EVENTS)
        compiled = {
            words: self.sources.condition(self.file, (*at, "when", words), sql, scope)
            for words, sql in when.items()
        }
        named = tuple(
            NamedCondition(name=words, condition=found)
            for words, found in compiled.items()
            if found
        )
        if scope.complete:
            paths = [(*at, "when", one.name) for one in named]
            possible = self.names.possible(on)
            check_conditions(self.file, paths, scope, self.sources.findings, possible)
        return (*named, *_silent(given, scope)) if on == "silence" else named


def _silent(given: Mapping[str, object], scope: Scope) -> list[NamedCondition]:
    """The condition nobody writes: that the silence noticed is this rule's own."""
    own = given.get("id")
    if not isinstance(own, str) or "'" in own:
        return []
    what = {
        "survey.answered": "answered no survey",
        "interaction.recorded": "was not in touch",
    }.get(str(given.get("of")))
    name = f"{what or 'was silent'} for {given.get('for')}"
    return [NamedCondition(name=name, condition=compile_condition(f"rule = '{own}'", scope))]
