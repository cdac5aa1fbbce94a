"""rules/ and templates/ read from files, checked whole, and built into a Rulebook.

Every problem of every file is found before anything is refused.
"""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError

from alerting.adapters.rule_forms import (
    PeopleForm,
    PoliciesForm,
    RoutingForm,
    RulesForm,
    SegmentsForm,
    SettingsForm,
    SignalsForm,
    SurveysForm,
)
from alerting.adapters.yaml_files import Findings, YamlFile
from alerting.adapters.yaml_files import Path as YamlPath
from alerting.domain.conditions import Condition, Scope, compile_condition
from alerting.domain.errors import ConditionRefused, Problem, RulebookInvalid
from alerting.domain.escalations import STEP_WORDS
from alerting.domain.people import Party, Routing
from alerting.domain.rulebook import (
    EVENT_FIELDS,
    NamedCondition,
    Rule,
    Rulebook,
    Survey,
    event_scope,
    rule_scope,
    segment_scope,
)
from alerting.domain.segments import Segment
from alerting.domain.signals import Signal
from alerting.domain.sla import ClockKind, Policy

PEOPLE = "rules/people.yaml"
STANDING_TEMPLATES = ("call", "fix", "informed", "handled", "reminder", "stand_in", "overdue", "undelivered")
"""Mails the product sends by itself; a rule may name another one in place of `call`."""


def read_files(rules: Path, templates: Path) -> dict[str, str]:
    """The texts that make a rulebook, by path: rules/** without people.yaml, and templates/mail/**.

    Raises RulebookInvalid for a folder that is not there or a file that is not UTF-8.
    """
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for root, prefix in ((rules, "rules"), (templates / "mail", "templates/mail")):
        if not root.is_dir():
            message = f"there is no folder {root}"
            hint = "set ALERTING_RULES and ALERTING_TEMPLATES, or start where rules/ and templates/ are"
            problems.append(Problem(file=prefix, line=None, column=None, message=message, suggestion=hint))
            continue
        for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.name.startswith(".")):
            name = f"{prefix}/{path.relative_to(root).as_posix()}"
            try:
                files[name] = path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                problems.append(Problem(file=name, line=None, column=None, message=f"not UTF-8 at byte {error.start}"))
    files.pop(PEOPLE, None)
    if problems:
        raise RulebookInvalid(problems)
    return files


def read_all(rules: Path, templates: Path) -> tuple[dict[str, str], dict[str, Party]]:
    """Files and people, checked together. Raises RulebookInvalid with all problems of both."""
    findings = Findings()
    files = read_files(rules, templates)
    people = _read_people(rules / "people.yaml", findings)
    try:
        build_rulebook(files, people or None)
    except RulebookInvalid as error:
        findings.problems += error.problems
    if findings.problems:
        raise RulebookInvalid(findings.problems)
    return files, people


def read_people(path: Path) -> dict[str, Party]:
    """people.yaml alone."""
    findings = Findings()
    people = _read_people(path, findings)
    if findings.problems:
        raise RulebookInvalid(findings.problems)
    return people


def _read_people(path: Path, findings: Findings) -> dict[str, Party]:
    if not path.is_file():
        findings.problems.append(
            Problem(
                file=PEOPLE, line=None, column=None, message="is missing", suggestion="list who can be told something"
            )
        )
        return {}
    file = YamlFile(PEOPLE, path.read_text(encoding="utf-8"), findings)
    form = file.read(PeopleForm, findings)
    if form is None:
        return {}
    people: dict[str, Party] = {}
    listed: list[tuple[YamlPath, Party]] = [(("people", i), p) for i, p in enumerate(form.people)]
    for i, office in enumerate(form.offices):
        try:
            listed.append((("offices", i), Party(kind="office", **office.model_dump())))
        except ValueError as error:
            findings.add(
                file, ("offices", i), str(error).splitlines()[-2].strip() if "\n" in str(error) else str(error)
            )
    for at, party in listed:
        if party.id in people:
            findings.add(file, (*at, "id"), f"{party.id!r} stands here twice")
        people[party.id] = party
    for at, party in listed:
        for key in ("manager", "substitute"):
            named = getattr(party, key)
            if named is not None and named not in people:
                findings.unknown_name(file, (*at, key), "person", named, people)
            if named == party.id:
                findings.add(file, (*at, key), f"nobody is their own {key}")
    return people


def build_rulebook(files: Mapping[str, str], people: Mapping[str, Party] | None = None) -> Rulebook:
    """Check and compile. With `people`, names of people are checked, too. Raises RulebookInvalid with every problem."""
    return _Builder(files, people).build()


class _Builder:
    """One rulebook in the making: parts in the order in which they refer to each other."""

    def __init__(self, files: Mapping[str, str], people: Mapping[str, Party] | None) -> None:
        self.files = files
        self.people = people
        self.findings = Findings()

    def build(self) -> Rulebook:
        settings = self._open("rules/settings.yaml")
        settings_form = settings.read(SettingsForm, self.findings) if settings else None
        signals = self._signals()
        segments = self._segments(signals)
        routing = self._routing(segments)
        policies = self._policies(routing)
        surveys = self._surveys()
        rules = self._rules(signals, routing, policies)
        self._templates(rules)
        if self.findings.problems or settings_form is None:
            raise RulebookInvalid(self.findings.problems)
        return Rulebook(
            files=dict(self.files),
            go_live=settings_form.go_live,
            notify_max_age=settings_form.notify_max_age,
            currency=settings_form.currency,
            segments=tuple(segments.values()),
            signals=signals,
            policies=policies,
            routing=routing,
            surveys=surveys,
            rules=tuple(rules.values()),
        )

    def _open(self, name: str, *, needed: bool = True) -> YamlFile | None:
        text = self.files.get(name)
        if text is None:
            if needed:
                self.findings.problems.append(Problem(file=name, line=None, column=None, message="is missing"))
            return None
        return YamlFile(name, text, self.findings)

    def _condition(self, file: YamlFile, path: YamlPath, sql: str, scope: Scope) -> Condition | None:
        try:
            return compile_condition(sql, scope)
        except ConditionRefused as error:
            self.findings.refuse_condition(file, path, error)
            return None

    def _signals(self) -> dict[str, Signal]:
        file = self._open("rules/signals.yaml", needed=False)
        form = file.read(SignalsForm, self.findings) if file else None
        if file is None or form is None:
            return {}
        signals = {}
        for name, given in form.signals.items():
            at: YamlPath = ("signals", name)
            if given.count not in EVENT_FIELDS:
                self.findings.unknown_name(file, (*at, "count"), "event type", given.count, EVENT_FIELDS)
                continue
            scope = event_scope(given.count)
            where = self._condition(file, (*at, "where"), given.where, scope) if given.where else None
            reset = self._condition(file, (*at, "reset_when"), given.reset_when, scope) if given.reset_when else None
            signals[name] = Signal(name=name, of=given.count, where=where, within=given.within, reset_when=reset)
        return signals

    def _segments(self, signals: Mapping[str, Signal]) -> dict[str, Segment]:
        file = self._open("rules/segments.yaml")
        form = file.read(SegmentsForm, self.findings) if file else None
        if file is None or form is None:
            return {}
        segments: dict[str, Segment] = {}
        scope = segment_scope(signals)
        for i, given in enumerate(form.segments):
            at: YamlPath = ("segments", i)
            if given.id in segments:
                self.findings.add(file, (*at, "id"), f"the segment {given.id!r} stands here twice")
            if given.otherwise and i != len(form.segments) - 1:
                self.findings.add(
                    file, (*at, "otherwise"), "what stands after 'otherwise' is never reached", "put it last"
                )
            when = self._condition(file, (*at, "when"), given.when, scope) if given.when else None
            members = self._members(file, (*at, "members"), given.members) if given.members else None
            segments[given.id] = Segment(
                id=given.id,
                rank=given.rank,
                title=given.title or given.id.replace("_", " "),
                members=members,
                when=when,
                otherwise=bool(given.otherwise),
            )
        return segments

    def _members(self, file: YamlFile, path: YamlPath, name: str) -> frozenset[str]:
        """The customer ids in the first column of a CSV file beside segments.yaml."""
        text = self.files.get(f"rules/{name}")
        if text is None:
            lists = [n.removeprefix("rules/") for n in self.files if n.endswith(".csv")]
            self.findings.unknown_name(file, path, "list", name, lists)
            return frozenset()
        rows = [row for row in csv.reader(io.StringIO(text)) if row and row[0].strip()]
        if not rows or rows[0][0].strip() != "customer_id":
            line = Problem(file=f"rules/{name}", line=1, column=1, message="the first line must begin with customer_id")
            self.findings.problems.append(line)
        return frozenset(row[0].strip() for row in rows[1:])

    def _routing(self, segments: Mapping[str, Segment]) -> Routing:
        file = self._open("rules/routing.yaml")
        form = file.read(RoutingForm, self.findings) if file else None
        if file is None or form is None:
            return Routing(roles={})
        for name, role in form.roles.items():
            at: YamlPath = ("roles", name)
            if role.forms != 1:
                forms = "person, first_of, territory, industry, segment"
                self.findings.add(file, at, f"a role has exactly one of {forms}")
            for i, item in enumerate(role.first_of or ()):
                if item != "customer.owner" and item not in form.roles:
                    self.findings.unknown_name(
                        file, (*at, "first_of", i), "role", item, {*form.roles, "customer.owner"}
                    )
            self._person(file, (*at, "person"), role.person)
        default = form.roles.get("default")
        if default is None or default.person is None:
            hint = "add `default: {person: ...}`: whoever nobody is responsible for goes there"
            self.findings.add(file, ("roles", "default"), "the role 'default' must name a person", hint)
        for i, territory in enumerate(form.territories):
            self._person(file, ("territories", i, "office"), territory.office)
            self._person(file, ("territories", i, "lead"), territory.lead)
        for name, person in form.industries.items():
            self._person(file, ("industries", name), person)
        for name, person in form.segments.items():
            self._person(file, ("segments", name), person)
            if name not in segments:
                self.findings.unknown_name(file, ("segments", name), "segment", name, segments)
        return Routing(
            roles=form.roles,
            territories=tuple(form.territories),
            industries=form.industries,
            segments=form.segments,
        )

    def _person(self, file: YamlFile, path: YamlPath, person: str | None) -> None:
        if person is not None and self.people is not None and person not in self.people:
            self.findings.unknown_name(file, path, "person or office", person, self.people)

    def _policies(self, routing: Routing) -> dict[str, Policy]:
        file = self._open("rules/sla.yaml")
        form = file.read(PoliciesForm, self.findings) if file else None
        if file is None or form is None:
            return {}
        policies = {}
        for name, given in form.policies.items():
            targets = {}
            for kind in ClockKind:
                target = getattr(given, kind.value)
                if target is None:
                    continue
                targets[kind] = target.built()
                for i, step in enumerate(target.steps):
                    for word in step.notify:
                        if word not in STEP_WORDS and word not in routing.roles:
                            known = {*STEP_WORDS, *routing.roles}
                            path: YamlPath = ("policies", name, kind.value, "steps", i, "notify")
                            self.findings.unknown_name(file, path, "role", word, known)
            policies[name] = Policy(id=name, starts=given.starts, targets=targets)
        return policies

    def _surveys(self) -> dict[str, Survey]:
        file = self._open("rules/surveys.yaml", needed=False)
        form = file.read(SurveysForm, self.findings) if file else None
        if form is None:
            return {}
        return {name: Survey(id=name, **given.model_dump()) for name, given in form.surveys.items()}

    def _rules(
        self, signals: Mapping[str, Signal], routing: Routing, policies: Mapping[str, Policy]
    ) -> dict[str, Rule]:
        rules: dict[str, Rule] = {}
        names = sorted(n for n in self.files if n.startswith("rules/escalations/") and n.endswith((".yaml", ".yml")))
        if not names:
            hint = "write rules/escalations/first.yaml"
            self.findings.problems.append(
                Problem(file="rules/escalations", line=None, column=None, message="there is no rule", suggestion=hint)
            )
        for name in names:
            file = self._open(name)
            form = file.read(RulesForm, self.findings) if file else None
            for i, given in enumerate(form.rules if form else ()):
                assert file is not None
                at: YamlPath = ("rules", i)
                if given.id in rules:
                    self.findings.add(file, (*at, "id"), f"the rule {given.id!r} exists twice")
                if given.on not in EVENT_FIELDS:
                    self.findings.unknown_name(file, (*at, "on"), "event type", given.on, EVENT_FIELDS)
                    continue
                self._known(file, at, given.model_dump(), routing, policies)
                scope = rule_scope(given.on, signals)
                when = []
                for words, sql in given.when.items():
                    condition = self._condition(file, (*at, "when", words), sql, scope)
                    if condition is not None:
                        when.append(NamedCondition(name=words, condition=condition))
                values = given.model_dump(exclude={"when", "inform"})
                rules[given.id] = Rule(**values, when=tuple(when), inform=tuple(given.inform))
        return rules

    def _known(
        self,
        file: YamlFile,
        at: YamlPath,
        given: Mapping[str, object],
        routing: Routing,
        policies: Mapping[str, Policy],
    ) -> None:
        """Roles and the policy a rule names exist; a policy that binds the fixer needs one."""
        named = [("caller", given["caller"]), ("fixer", given["fixer"])]
        inform = given["inform"]
        assert isinstance(inform, list)
        named += [("inform", role) for role in inform]
        for key, role in named:
            if role is not None and role not in routing.roles:
                self.findings.unknown_name(file, (*at, key), "role", str(role), routing.roles)
        policy = policies.get(str(given["policy"]))
        if policy is None:
            self.findings.unknown_name(file, (*at, "policy"), "policy", str(given["policy"]), policies)
        elif given["fixer"] is None and any(target.by == "fixer" for target in policy.targets.values()):
            self.findings.add(
                file, (*at, "policy"), f"{policy.id} gives the fixer a clock, but the rule names no fixer"
            )

    def _templates(self, rules: Mapping[str, Rule]) -> None:
        """Every mail has its three files, in English at least, and each can be parsed."""
        for template in dict.fromkeys([*STANDING_TEMPLATES, *(rule.template for rule in rules.values())]):
            for ending in ("subject.txt", "txt", "html"):
                name = f"templates/mail/en/{template}.{ending}"
                if name not in self.files:
                    self.findings.problems.append(Problem(file=name, line=None, column=None, message="is missing"))
        environment = Environment()
        for name, text in self.files.items():
            if not name.startswith("templates/"):
                continue
            try:
                environment.parse(text)
            except TemplateSyntaxError as error:
                self.findings.problems.append(
                    Problem(file=name, line=error.lineno, column=None, message=error.message or "not a template")
                )
