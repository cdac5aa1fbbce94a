"""Who is responsible and within what: routing.yaml and sla.yaml become Routing and policies."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import YamlFile, texts
from alerting.adapters.rulebook.calendar_files import read_calendars
from alerting.adapters.rulebook.rule_forms import PoliciesForm, RoutingForm, TargetForm
from alerting.adapters.rulebook.vocabulary_builder import VocabularyBuilder
from alerting.domain.cases.escalations import STEP_WORDS
from alerting.domain.cases.sla import ClockKind, Policy, Target, is_ever_due
from alerting.domain.people.people import Known
from alerting.domain.people.places import folded
from alerting.domain.routing.routing import Role, Routing, Territory, roles_behind
from alerting.domain.rulebook.rulebook import content_hash
from alerting.domain.times.calendars import ALWAYS, Calendar
from alerting.domain.times.working_time import Amount, read_amount


class RoutingBuilder(VocabularyBuilder):
    """Reads roles and promises; the rulebook's builder goes on from here."""

    def __init__(self, files: Mapping[str, str], people: Mapping[str, Known] | None) -> None:
        super().__init__(files)
        self.people = people
        self.sla_file: YamlFile | None = None
        self.segment_ids: Collection[str] | None = None
        self.roles: Collection[str] | None = None
        self.policy_names: Collection[str] | None = None
        self.calendars: Mapping[str, Calendar] | None = None
        self.default_calendar: str | None = None

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
            self.named_person(file, (*at, "person"), role.get("person"))
            self._team(file, (*at, "team"), role.get("team"))
            self._after_default(file, (*at, "first_of"), texts(role.get("first_of")))
        for at, territory in file.items("territories"):
            self.named_person(file, (*at, "office"), territory.get("office"))
            self.named_person(file, (*at, "lead"), territory.get("lead"))
        if form is None:
            return Routing(roles={})
        self._roles(file, form.roles)
        self._territories(file, file.formed(("territories",), form.territories))
        for name, person in form.industries.items():
            self.named_person(file, ("industries", name), person)
        for name, person in form.segments.items():
            self.named_person(file, ("segments", name), person)
            self.findings.check_name(file, ("segments", name), "segment", name, self.segment_ids)
        return Routing(
            roles=form.roles,
            territories=tuple(form.territories),
            industries=form.industries,
            segments=form.segments,
            owner_change=form.owner_change,
        )

    def _roles(self, file: YamlFile, roles: Mapping[str, Role]) -> None:
        """Each role is filled in one way, none by itself in the end, and `default` always by
        somebody.
        """
        for name, role in roles.items():
            if role.forms != 1 and file.is_whole(("roles", name)):
                forms = "person, first_of, territory, industry, segment, team"
                self.findings.add(
                    file,
                    ("roles", name),
                    f"a role has exactly one of {forms}",
                    "make two roles of it",
                )
            if name in roles_behind(name, roles):
                message, hint = f"{name!r} leads back to itself", "end it with `default`"
                self.findings.add(file, ("roles", name, "first_of"), message, hint)
        default = roles.get("default")
        if not file.is_whole(("roles", "default")) or (
            not file.is_whole(("roles",)) and default is None
        ):
            return
        if default is None or default.person is None:
            hint = "add `default: {person: ...}`: whoever nobody is responsible for goes there"
            self.findings.add(
                file, ("roles", "default"), "the role 'default' must name a person", hint
            )
            return
        found = (self.people or {}).get(default.person)
        if found is not None and found.kind != "person":
            message, hint = (
                f"{default.person!r} is an office, which cannot call anybody",
                "name a person",
            )
            self.findings.add(file, ("roles", "default", "person"), message, hint)

    def _after_default(self, file: YamlFile, path: YamlPath, steps: Sequence[str]) -> None:
        """`default` is always filled: nobody asks further."""
        if "default" in steps[:-1]:
            message = (
                "what stands after `default` is never reached: "
                f"{', '.join(steps[steps.index('default') + 1 :])}"
            )
            self.findings.add(
                file, (*path, steps.index("default") + 1), message, "put `default` last"
            )

    def _territories(self, file: YamlFile, territories: Mapping[int, Territory]) -> None:
        """Of two for one place only the first is asked."""
        seen: set[tuple[str, ...]] = set()
        for at, territory in territories.items():
            place = tuple(
                folded(part or "") for part in (territory.country, territory.region, territory.city)
            )
            for key in ("office", "lead"):
                if getattr(territory, key) is not None:
                    if (key, *place) in seen:
                        message = f"never reached: {territory.words} has its {key} above"
                        self.findings.add(
                            file, ("territories", at, key), message, "keep one of them"
                        )
                    seen.add((key, *place))

    def named_person(self, file: YamlFile, path: YamlPath, person: object) -> None:
        known = (
            None
            if self.people is None
            else [p.id for p in self.people.values() if p.kind != "team"]
        )
        self.findings.check_name(file, path, "person or office", person, known)

    def _team(self, file: YamlFile, path: YamlPath, team: object) -> None:
        known = (
            None
            if self.people is None
            else [p.id for p in self.people.values() if p.kind == "team"]
        )
        self.findings.check_name(file, path, "team", team, known)

    def read_policies(self) -> dict[str, Policy]:
        self.calendars = read_calendars(self.files, self.findings)
        file = self.open_file("rules/sla.yaml")
        if file is None:
            return {}
        self.sla_file = file
        form = file.read(PoliciesForm, self.findings)
        self.policy_names = file.names("policies")
        known = None if self.roles is None else {*STEP_WORDS, *self.roles}
        for policy, _ in file.items("policies"):
            for target, written in file.items(*policy):
                self._calendar_named(file, (*target, "calendar"), written.get("calendar"))
                self._counted(file, target, written)
                for step, given in file.items(*target, "steps"):
                    for word in texts(given.get("notify")):
                        self.findings.check_name(file, (*step, "notify"), "role", word, known)
        policies = {}
        for name, promised in form.policies.items() if form else ():
            targets = {}
            for kind in ClockKind:
                asked = promised.target(kind)
                built = self._target(file, name, kind, asked) if asked else None
                if built is not None:
                    targets[kind] = built
            policies[name] = Policy(
                id=name,
                starts=promised.starts,
                targets=targets,
                rulebook=content_hash(self.files),
                moves_open_cases=promised.open_cases == "move",
            )
        return policies

    def _calendar_named(self, file: YamlFile, path: YamlPath, name: object) -> None:
        if isinstance(name, str) and " ".join(name.split()) in {"of caller", "of fixer"}:
            if self.default_calendar is None:
                hint = "add `calendar:` to rules/settings.yaml, for whoever has none"
                self.findings.add(file, path, "not everybody has a calendar", hint)
            return
        self.findings.check_name(file, path, "calendar", name, self.calendars)

    def _counted(self, file: YamlFile, path: YamlPath, written: Mapping[str, Any]) -> None:
        """Steps and `stale_after` count in the time of the target, in which a day has no length."""
        if written.get("calendar", ALWAYS.name) == ALWAYS.name:
            return
        for place, said in ((path, written), *file.items(*path, "steps")):
            for key in ("stale_after", "before", "after", "every"):
                if re.fullmatch(r"\d+\s*d", str(said.get(key)).strip()):
                    message = f"{said[key]!r}: a day of a working calendar has no length"
                    self.findings.add(
                        file, (*place, key), message, "write hours of working time, such as 8h"
                    )

    def _target(
        self, file: YamlFile, policy: str, kind: ClockKind, form: TargetForm
    ) -> Target | None:
        """None where its calendar is not known or its length is none, which has been found."""
        path = ("policies", policy, kind.value)
        name = form.calendar if form.calendar_of is None else self.default_calendar
        calendar = (self.calendars or {}).get(name or "")
        if calendar is None:
            return None
        try:
            amount = read_amount(form.within, calendar)
            if amount.length == timedelta(0):
                raise ValueError("must be longer than nothing")
        except ValueError as error:
            self.findings.add(file, (*path, "within"), str(error))
            return None
        self._steps(file, path, form, amount)
        target = form.built(amount, calendar)
        if not is_ever_due(target):
            self.findings.add(
                file,
                (*path, "within"),
                f"{calendar.name} is not open for so long within a hundred years",
            )
            return None
        return target

    def _steps(self, file: YamlFile, path: YamlPath, form: TargetForm, within: Amount) -> None:
        """Each step comes to pass, and once. How long working days are is not known yet."""
        steps = file.formed((*path, "steps"), form.steps) if form.steps else {}
        for at, step in steps.items():
            place = (*path, "steps", at)
            if (
                step.before is not None
                and within.length is not None
                and step.before >= within.length
            ):
                message = "never reached: it lies before the clock even starts"
                self.findings.add(
                    file, (*place, "before"), message, "make `before` less than `within`"
                )
            if step in [earlier for other, earlier in steps.items() if other < at]:
                line, column = file.position(place)
                self.findings.warn(
                    file.name, "this step stands here twice", "keep one of them", line, column
                )
