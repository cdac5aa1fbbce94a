"""The texts of rules/ and templates/ become a Rulebook, or a list of everything that is wrong with
them.
"""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import LOCALE, Findings, YamlFile, texts
from alerting.adapters.rulebook.calendar_files import read_calendars
from alerting.adapters.rulebook.resolution_files import RESOLUTIONS, read_resolutions
from alerting.adapters.rulebook.routing_builder import RoutingBuilder
from alerting.adapters.rulebook.rule_checks import (
    MAIL_FILES,
    check_conditions,
    check_mail_file,
    check_template,
    check_unused,
)
from alerting.adapters.rulebook.rule_forms import (
    RulesForm,
    SegmentsForm,
    SettingsForm,
    SurveysForm,
    WordsForm,
)
from alerting.adapters.rulebook.rule_test_files import KnownNames, read_rule_tests
from alerting.domain.cases.sla import Policy
from alerting.domain.conditions import Condition, Scope
from alerting.domain.conditions.analysis import Possible
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.segments import Segment
from alerting.domain.customers.signals import Aggregate
from alerting.domain.customers.vocabulary import EVENT_FIELDS
from alerting.domain.errors import Problem, RulebookInvalid
from alerting.domain.people.people import Known
from alerting.domain.rulebook.rule_tests import BEGIN
from alerting.domain.rulebook.rulebook import NamedCondition, Rule, Rulebook, Survey, Words

_FILES = tuple(
    f"rules/{name}.yaml"
    for name in (
        *("settings", "attributes", "lists", "signals", "health", "value", "segments"),
        *("routing", "calendars", "sla", "surveys", "people", "resolutions"),
    )
)
STANDING_TEMPLATES = (
    "call", "fix", "informed", "handled", "reminder", "stand_in", "overdue", "undelivered",
    "digest", "withdrawn", "waiting", "resumed", "stale", "review", "correction", "weekly",
)  # fmt: skip
"""Mails the product sends by itself; a rule may name another one in place of `call`."""


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
    builder = _Builder(files, people)
    builder.checks_tests = people is not None or findings is not None
    builder.findings = findings or builder.findings
    return builder.build()


def _silent(given: Mapping[str, Any], scope: Scope) -> list[NamedCondition]:
    """The condition nobody writes: that the silence noticed is this rule's own."""
    if not isinstance(given.get("id"), str) or "'" in given["id"]:
        return []
    own = compile_condition(f"rule = '{given['id']}'", scope)
    what = {
        "survey.answered": "answered no survey",
        "interaction.recorded": "was not in touch",
    }.get(str(given.get("of")))
    return [NamedCondition(name=f"{what or 'was silent'} for {given.get('for')}", condition=own)]


class _Builder(RoutingBuilder):
    """One rulebook in the making: parts in the order in which they refer to each other."""

    def __init__(self, files: Mapping[str, str], people: Mapping[str, Known] | None) -> None:
        super().__init__(files, people)
        self.checks_tests = False
        self.tags: dict[str, Condition] = {}
        self.tag_names: Collection[str] | None = None
        self.rule_ids: set[str] | None = set()
        self.policies_used: set[str] = set()
        self.never_negative: dict[str, Possible] = {}
        self.templates_named: set[str] = set()

    def build(self) -> Rulebook:
        self._unknown_files()
        settings_form = self._settings()
        signals = self.read_vocabulary()
        counts = {Aggregate.COUNT, Aggregate.DISTINCT, Aggregate.DAYS_SINCE}
        self.never_negative = {
            f"signal.{s.name}": (0, None) for s in signals.values() if s.aggregate in counts
        }
        health = self.read_health()
        segments = self._segments()
        routing = self.read_routing()
        policies = self.read_policies()
        surveys = self._surveys()
        resolutions = read_resolutions(
            self.open_file(RESOLUTIONS, needed=False), self.findings, self.roles, surveys
        )
        rules = self._rules(policies)
        currency = settings_form.currency if settings_form else "EUR"
        whens = [
            *self.tags.values(),
            *(s.when for s in segments.values()),
            *(w for p in health for _, w in p.scores),
        ]
        whens += [named.condition for rule in rules.values() for named in rule.when]
        signals |= self.read_value(currency, [when for when in whens if when is not None])
        self._templates(rules)
        if self.sla_file is not None and self.policy_names:
            check_unused(
                self.sla_file, "policy", self.policy_names, self.policies_used, self.findings
            )
        words = self._words(rules)
        if self.checks_tests:
            known = KnownNames(rules=self.rule_ids or None, roles=self.roles, people=self.people)
            read_rule_tests(
                self.files, known, settings_form.go_live if settings_form else BEGIN, self.findings
            )
        if self.findings.problems or settings_form is None:
            raise RulebookInvalid(self.findings.problems)
        return Rulebook(
            files=dict(self.files),
            go_live=settings_form.go_live,
            notify_max_age=settings_form.notify_max_age,
            lateness=settings_form.lateness,
            calendars=self.calendars or {},
            audit_holder=settings_form.audit_holder,
            wait_at_most=settings_form.wait_at_most,
            weekly_mail=settings_form.weekly_mail,
            resolutions=resolutions,
            second_person=settings_form.second_person,
            currency=settings_form.currency,
            segments=tuple(segments.values()),
            tags=self.tags,
            signals=signals,
            attributes=self.vocabulary.attributes,
            lists={name: tuple(words) for name, words in self.vocabulary.lists.items()},
            policies=policies,
            routing=routing,
            surveys=surveys,
            rules=tuple(rules.values()),
            health=health,
            words=words,
        )

    def _settings(self) -> SettingsForm | None:
        file = self.open_file("rules/settings.yaml")
        form = file.read(SettingsForm, self.findings) if file else None
        if file and form and form.audit_holder is not None:
            self.named_person(file, ("audit_holder",), form.audit_holder)
        if file and form and form.calendar is not None:
            self.default_calendar = form.calendar
            known = read_calendars(self.files, Findings())
            self.findings.check_name(file, ("calendar",), "calendar", form.calendar, known)
        return form

    def _unknown_files(self) -> None:
        """A misspelt name would be silently passed over otherwise."""
        for name in self.files:
            if (
                name in _FILES
                or not name.startswith("rules/")
                or name.endswith((".csv", ".ics", ".md"))
            ):
                continue
            if name.startswith(
                ("rules/escalations/", "rules/tests/", "rules/words/")
            ) and name.endswith((".yaml", ".yml")):
                continue
            near = get_close_matches(name, _FILES, n=1, cutoff=0.8)
            hint = (
                f"did you mean {near[0]}?"
                if near
                else f"known are {', '.join(_FILES)} and rules/escalations/*.yaml"
            )
            message = "nothing reads a file of this name"
            self.findings.problems.append(
                Problem(file=name, line=None, column=None, message=message, suggestion=hint)
            )

    def _segments(self) -> dict[str, Segment]:
        file = self.open_file("rules/segments.yaml")
        if file is None:
            return {}
        form = file.read(SegmentsForm, self.findings)
        self.segment_ids = file.names("segments", "id")
        self.tag_names = file.names("tags") or (() if file.at(("tags",)) is None else None)
        scope = self.vocabulary.for_segments()
        whens, lists = {}, {}
        for at, given in file.items("segments"):
            whens[at[-1]] = self.condition(file, (*at, "when"), given.get("when"), scope)
            if whens[at[-1]] is not None and scope.complete:
                check_conditions(file, [(*at, "when")], scope, self.findings)
            lists[at[-1]] = self._members(file, (*at, "members"), given.get("members"))
        for name, sql in (form.tags if form else {}).items():
            condition = self.condition(file, ("tags", name), sql, scope)
            if condition is not None:
                self.tags[name] = condition
                check_conditions(file, [("tags", name)], scope, self.findings)
        segments: dict[str, Segment] = {}
        for i, segment in (file.formed(("segments",), form.segments) if form else {}).items():
            if segment.id in segments:
                message = f"the segment {segment.id!r} stands here twice"
                self.findings.add(file, ("segments", i, "id"), message, "rename one of them")
            if segment.otherwise and form and segment is not form.segments[-1]:
                message = "what stands after 'otherwise' is never reached"
                self.findings.add(file, ("segments", i, "otherwise"), message, "put it last")
            segments[segment.id] = Segment(
                id=segment.id,
                rank=segment.rank,
                title=segment.title or segment.id.replace("_", " "),
                members=lists[i],
                listed_in=segment.members,
                when=whens[i],
                otherwise=bool(segment.otherwise),
            )
        return segments

    def _members(self, file: YamlFile, path: YamlPath, name: object) -> frozenset[str] | None:
        """The customer ids in the first column of a CSV file beside segments.yaml."""
        if not isinstance(name, str):
            return None
        return frozenset(self.column(file, path, name, heading="customer_id"))

    def _surveys(self) -> dict[str, Survey]:
        file = self.open_file("rules/surveys.yaml", needed=False)
        form = file.read(SurveysForm, self.findings) if file else None
        if form is None:
            return {}
        return {name: Survey(id=name, **given.model_dump()) for name, given in form.surveys.items()}

    def _rules(self, policies: Mapping[str, Policy]) -> dict[str, Rule]:
        rules: dict[str, Rule] = {}
        names = sorted(
            n
            for n in self.files
            if n.startswith("rules/escalations/") and n.endswith((".yaml", ".yml"))
        )
        if not names:
            message, hint = "there is no rule", "write rules/escalations/first.yaml"
            self.findings.problems.append(
                Problem(
                    file="rules/escalations",
                    line=None,
                    column=None,
                    message=message,
                    suggestion=hint,
                )
            )
        for name in names:
            file = self.open_file(name)
            assert file is not None, "its name was read from the files"
            form = file.read(RulesForm, self.findings)
            forms = file.formed(("rules",), form.rules) if form else {}
            ids = file.names("rules", "id")
            self.rule_ids = (
                None if self.rule_ids is None or ids is None else self.rule_ids | set(ids)
            )
            for at, given in file.items("rules"):
                if given.get("id") in list(rules):
                    self.findings.add(
                        file,
                        (*at, "id"),
                        f"the rule {given['id']!r} exists twice",
                        "rename one of them",
                    )
                when = self._rule(file, at, given, policies)
                rule = forms.get(int(at[-1]))
                if rule is not None:
                    values = rule.model_dump(exclude={"when", "inform"})
                    rules[rule.id] = Rule(**values, when=when, inform=tuple(rule.inform))
        return rules

    def _rule(
        self, file: YamlFile, at: YamlPath, given: Mapping[str, Any], policies: Mapping[str, Policy]
    ) -> tuple[NamedCondition, ...]:
        """Names a rule refers to, and its conditions; a policy that binds the fixer needs one."""
        check = self.findings.check_name
        for key in ("caller", "fixer", "inform"):
            for role in texts(given.get(key)):
                check(file, (*at, key), "role", role, self.roles)
        check(file, (*at, "policy"), "policy", given.get("policy"), self.policy_names)
        self.policies_used.add(str(given.get("policy")))
        self.templates_named.add(str(given.get("template")))
        policy = policies.get(str(given.get("policy")))
        if (
            policy
            and not given.get("fixer")
            and any(target.by == "fixer" for target in policy.targets.values())
        ):
            message = f"{policy.id} gives the fixer a clock, but the rule names no fixer"
            self.findings.add(
                file, (*at, "policy"), message, "add `fixer:`, or take another policy"
            )
        elif policy and not given.get("fixer") and policy.tells_fixer:
            message = (
                f"{policy.id} has a step that tells the fixer, but the rule names none: it "
                "goes to the caller"
            )
            self.findings.warn(file.name, message, "add `fixer:`", *file.position((*at, "policy")))
        on, when = given.get("on"), given.get("when")
        check(file, (*at, "on"), "event type", on, EVENT_FIELDS)
        if on not in list(EVENT_FIELDS) or not isinstance(when, dict):
            return ()
        scope = self.vocabulary.for_rules(on)
        if on == "silence":
            check(
                file,
                (*at, "of"),
                "event type",
                given.get("of"),
                [name for name in EVENT_FIELDS if name != "silence"],
            )
        compiled = {
            words: self.condition(file, (*at, "when", words), sql, scope)
            for words, sql in when.items()
        }
        if scope.complete:
            paths = [(*at, "when", words) for words, found in compiled.items() if found]
            only = {"event.type": frozenset({on}), **self.never_negative}
            check_conditions(
                file, paths, scope, self.findings, self.segment_ids, self.tag_names, only
            )
        named = tuple(
            NamedCondition(name=words, condition=found)
            for words, found in compiled.items()
            if found
        )
        return (*named, *_silent(given, scope)) if on == "silence" else named

    def _words(self, rules: Mapping[str, Rule]) -> dict[str, Words]:
        """rules/words/<locale>.yaml: what the business has named, in the languages of those who
        read it.
        """
        known = {
            "conditions": {named.name for rule in rules.values() for named in rule.when},
            "rules": self.rule_ids,
            "segments": self.segment_ids,
        }
        found = {}
        for name in sorted(
            n for n in self.files if n.startswith("rules/words/") and n.endswith((".yaml", ".yml"))
        ):
            file = self.open_file(name)
            assert file is not None, "its name was read from the files"
            locale = name.removeprefix("rules/words/").rsplit(".", 1)[0]
            if not re.fullmatch(LOCALE, locale):
                self.findings.add(
                    file, (), f"{locale!r} is no locale", "name the file de.yaml, or pt-BR.yaml"
                )
            form = file.read(WordsForm, self.findings)
            for part, names in known.items():
                for word in file.names(part) or ():
                    complete = (
                        part != "conditions" or not self.findings.problems
                    )  # a refused one has a name, too
                    self.findings.check_name(
                        file, (part, word), part[:-1], word, names if complete else None
                    )
            if form is not None:
                found[locale] = Words(**form.model_dump())
                missing = sorted({*(known["conditions"] or ())} - form.conditions.keys())
                if missing:
                    said = ", ".join(repr(word) for word in missing)
                    self.findings.warn(
                        name,
                        f"not translated: {said}",
                        "mails show them as they stand in the rules",
                    )
        return found

    def _templates(self, rules: Mapping[str, Rule]) -> None:
        """Every mail has its three files, in English at least; each can be read, and what it builds
        on is there.
        """
        for template in dict.fromkeys(
            [*STANDING_TEMPLATES, *(rule.template for rule in rules.values())]
        ):
            for ending in MAIL_FILES:
                name = f"templates/mail/en/{template}.{ending}"
                if name not in self.files:
                    hint = (
                        "take it from the product's own"
                        if template in STANDING_TEMPLATES
                        else f"copy call.{ending} and change it"
                    )
                    problem = Problem(
                        file=name, line=None, column=None, message="is missing", suggestion=hint
                    )
                    self.findings.problems.append(problem)
        used = {*STANDING_TEMPLATES, *self.templates_named}
        for name, text in self.files.items():
            if name.startswith("templates/"):
                check_template(name, text, self.files, self.findings)
                check_mail_file(name, used, self.findings)
