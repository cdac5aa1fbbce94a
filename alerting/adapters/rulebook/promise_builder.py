"""Within what somebody must act: rules/sla.yaml becomes policies."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import YamlFile, texts
from alerting.adapters.rulebook.calendar_files import read_calendars
from alerting.adapters.rulebook.checks.condition_checks import check_unused
from alerting.adapters.rulebook.forms.promise_forms import PoliciesForm, PolicyForm, TargetForm
from alerting.adapters.rulebook.rule_sources import Sources
from alerting.domain.cases.escalations import STEP_WORDS
from alerting.domain.cases.sla import ClockKind, Policy, Target, is_ever_due
from alerting.domain.rulebook.rulebook import content_hash
from alerting.domain.times.calendars import ALWAYS, Calendar
from alerting.domain.times.working_time import Amount, read_amount


@dataclass(frozen=True, kw_only=True)
class ReadPromises:
    """Policies as far as they could be read. `names` are those that are written, and `calendars`
    those there are; None where nobody can tell.
    """

    policies: Mapping[str, Policy]
    names: Collection[str] | None
    calendars: Mapping[str, Calendar] | None
    file: YamlFile | None

    def warn_of_unused(self, used: Collection[str], sources: Sources) -> None:
        """Policies that no rule uses."""
        if self.file is not None and self.names:
            check_unused(self.file, "policy", self.names, used, sources.findings)


def read_promises(
    sources: Sources, roles: Collection[str] | None, default_calendar: str | None
) -> ReadPromises:
    """rules/calendars.yaml and rules/sla.yaml. `default_calendar` is that of whoever has none;
    `roles` are those that steps may name, None where nobody can tell.
    """
    calendars = read_calendars(sources.files, sources.findings)
    file = sources.open_file("rules/sla.yaml")
    if file is None:
        return ReadPromises(policies={}, names=None, calendars=calendars, file=None)
    form = file.read(PoliciesForm, sources.findings)
    names = file.names("policies")
    reader = _PolicyReader(
        sources=sources, file=file, calendars=calendars, default_calendar=default_calendar
    )
    reader.check_names(None if roles is None else {*STEP_WORDS, *roles})
    policies = {
        name: reader.policy(name, promised)
        for name, promised in (form.policies if form else {}).items()
    }
    return ReadPromises(policies=policies, names=names, calendars=calendars, file=file)


@dataclass(frozen=True, kw_only=True)
class _PolicyReader:
    """Reads one policy after the other, against the calendars there are."""

    sources: Sources
    file: YamlFile
    calendars: Mapping[str, Calendar] | None
    default_calendar: str | None

    def check_names(self, notified: Collection[str] | None) -> None:
        """Calendars, roles and lengths as written, also where a form does not fit."""
        file, findings = self.file, self.sources.findings
        for policy, _ in file.items("policies"):
            for target, written in file.items(*policy):
                self._calendar_named((*target, "calendar"), written.get("calendar"))
                self._counted(target, written)
                for step, given in file.items(*target, "steps"):
                    for word in texts(given.get("notify")):
                        findings.check_name(file, (*step, "notify"), "role", word, notified)

    def policy(self, name: str, promised: PolicyForm) -> Policy:
        """Without the targets that are not possible, which has been found."""
        targets = {}
        for kind in ClockKind:
            asked = promised.target(kind)
            built = self._target(name, kind, asked) if asked else None
            if built is not None:
                targets[kind] = built
        return Policy(
            id=name,
            starts=promised.starts,
            targets=targets,
            rulebook=content_hash(self.sources.files),
            moves_open_cases=promised.open_cases == "move",
        )

    def _calendar_named(self, path: YamlPath, name: object) -> None:
        if isinstance(name, str) and " ".join(name.split()) in {"of caller", "of fixer"}:
            if self.default_calendar is None:
                hint = "add `calendar:` to rules/settings.yaml, for whoever has none"
                self.sources.findings.add(self.file, path, "not everybody has a calendar", hint)
            return
        self.sources.findings.check_name(self.file, path, "calendar", name, self.calendars)

    def _counted(self, path: YamlPath, written: Mapping[str, object]) -> None:
        """Steps and `stale_after` count in the time of the target, in which a day has no length."""
        if written.get("calendar", ALWAYS.name) == ALWAYS.name:
            return
        for place, said in ((path, written), *self.file.items(*path, "steps")):
            for key in ("stale_after", "before", "after", "every"):
                if re.fullmatch(r"\d+\s*d", str(said.get(key)).strip()):
                    message = f"{said[key]!r}: a day of a working calendar has no length"
                    self.sources.findings.add(
                        self.file, (*place, key), message, "write hours of working time, such as 8h"
                    )

    def _target(self, policy: str, kind: ClockKind, form: TargetForm) -> Target | None:
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
            self.sources.findings.add(self.file, (*path, "within"), str(error))
            return None
        self._steps(path, form, amount)
        target = form.built(amount, calendar)
        if not is_ever_due(target):
            self.sources.findings.add(
                self.file,
                (*path, "within"),
                f"{calendar.name} is not open for so long within a hundred years",
            )
            return None
        return target

    def _steps(self, path: YamlPath, form: TargetForm, within: Amount) -> None:
        """Each step comes to pass, and once. How long working days are is not known yet."""
        file = self.file
        steps = file.formed((*path, "steps"), form.steps) if form.steps else {}
        for at, step in steps.items():
            place = (*path, "steps", at)
            if (
                step.before is not None
                and within.length is not None
                and step.before >= within.length
            ):
                message = "never reached: it lies before the clock even starts"
                self.sources.findings.add(
                    file, (*place, "before"), message, "make `before` less than `within`"
                )
            if step in [earlier for other, earlier in steps.items() if other < at]:
                line, column = file.position(place)
                self.sources.findings.warn(
                    file.name, "this step stands here twice", "keep one of them", line, column
                )
