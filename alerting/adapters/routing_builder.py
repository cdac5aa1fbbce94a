"""Who is responsible and within what: routing.yaml and sla.yaml become Routing and policies."""

from collections.abc import Collection, Mapping

from alerting.adapters.rule_forms import PoliciesForm, RoutingForm
from alerting.adapters.vocabulary_builder import VocabularyBuilder
from alerting.adapters.yaml_files import Path as YamlPath
from alerting.adapters.yaml_files import YamlFile, texts
from alerting.domain.escalations import STEP_WORDS
from alerting.domain.people import Known
from alerting.domain.routing import Role, Routing, roles_behind
from alerting.domain.sla import ClockKind, Policy


class RoutingBuilder(VocabularyBuilder):
    """Reads roles and promises; the rulebook's builder goes on from here."""

    def __init__(self, files: Mapping[str, str], people: Mapping[str, Known] | None) -> None:
        super().__init__(files)
        self.people = people
        self.sla_file: YamlFile | None = None
        self.segment_ids: Collection[str] | None = None
        self.roles: Collection[str] | None = None
        self.policy_names: Collection[str] | None = None

    def read_routing(self) -> Routing:
        file = self.open_file("rules/routing.yaml")
        if file is None:
            return Routing(roles={})
        form = file.read(RoutingForm, self.findings)
        self.roles = file.names("roles")
        for at, role in file.items("roles"):
            known = {*(self.roles or ()), "customer.owner"}
            for i, item in enumerate(texts(role.get("first_of"))):
                self.findings.check_name(file, (*at, "first_of", i), "role", item, known)
            self._person(file, (*at, "person"), role.get("person"))
            self._team(file, (*at, "team"), role.get("team"))
        for at, territory in file.items("territories"):
            self._person(file, (*at, "office"), territory.get("office"))
            self._person(file, (*at, "lead"), territory.get("lead"))
        if form is None:
            return Routing(roles={})
        self._roles(file, form.roles)
        for name, person in form.industries.items():
            self._person(file, ("industries", name), person)
        for name, person in form.segments.items():
            self._person(file, ("segments", name), person)
            self.findings.check_name(file, ("segments", name), "segment", name, self.segment_ids)
        return Routing(
            roles=form.roles,
            territories=tuple(form.territories),
            industries=form.industries,
            segments=form.segments,
            owner_change=form.owner_change,
        )

    def _roles(self, file: YamlFile, roles: Mapping[str, Role]) -> None:
        """Each role is filled in one way, none by itself in the end, and `default` always by somebody."""
        for name, role in roles.items():
            if role.forms != 1:
                forms = "person, first_of, territory, industry, segment, team"
                self.findings.add(file, ("roles", name), f"a role has exactly one of {forms}", "make two roles of it")
            if name in roles_behind(name, roles):
                message, hint = f"{name!r} leads back to itself", "end it with `default`"
                self.findings.add(file, ("roles", name, "first_of"), message, hint)
        default = roles.get("default")
        if default is None or default.person is None:
            hint = "add `default: {person: ...}`: whoever nobody is responsible for goes there"
            self.findings.add(file, ("roles", "default"), "the role 'default' must name a person", hint)
            return
        found = (self.people or {}).get(default.person)
        if found is not None and found.kind != "person":
            message, hint = f"{default.person!r} is an office, which cannot call anybody", "name a person"
            self.findings.add(file, ("roles", "default", "person"), message, hint)

    def _person(self, file: YamlFile, path: YamlPath, person: object) -> None:
        known = None if self.people is None else [p.id for p in self.people.values() if p.kind != "team"]
        self.findings.check_name(file, path, "person or office", person, known)

    def _team(self, file: YamlFile, path: YamlPath, team: object) -> None:
        known = None if self.people is None else [p.id for p in self.people.values() if p.kind == "team"]
        self.findings.check_name(file, path, "team", team, known)

    def read_policies(self) -> dict[str, Policy]:
        file = self.open_file("rules/sla.yaml")
        if file is None:
            return {}
        self.sla_file = file
        form = file.read(PoliciesForm, self.findings)
        self.policy_names = file.names("policies")
        known = None if self.roles is None else {*STEP_WORDS, *self.roles}
        for policy, _ in file.items("policies"):
            for target, _ in file.items(*policy):
                for step, given in file.items(*target, "steps"):
                    for word in texts(given.get("notify")):
                        self.findings.check_name(file, (*step, "notify"), "role", word, known)
        return {
            name: Policy(
                id=name,
                starts=given.starts,
                targets={kind: target.built() for kind in ClockKind if (target := getattr(given, kind.value))},
            )
            for name, given in (form.policies.items() if form else ())
        }
