"""rules/people.yaml: people, offices, teams and absences, each name referring to somebody who
stands there, too.
"""

import contextlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path

from pydantic import ValidationError

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import LOCALE, YamlFile, texts
from alerting.adapters.rulebook.forms.people_forms import PeopleForm
from alerting.domain.errors import Problem, RulebookInvalid
from alerting.domain.people.circles import circles
from alerting.domain.people.people import Absence, Known, Party, Team

PEOPLE = "rules/people.yaml"


def read_people(path: Path, elsewhere: Iterable[str] = ()) -> dict[str, Known]:
    """people.yaml alone; names may also be of people who are known from `elsewhere`. Raises
    RulebookInvalid.
    """
    findings = Findings()
    people = gather_people(path, findings, elsewhere)
    if findings.problems:
        raise RulebookInvalid(findings.problems)
    return people


def gather_people(
    path: Path, findings: Findings, elsewhere: Iterable[str] = ()
) -> dict[str, Known]:
    """The same, with every problem noted."""
    text = _text(path, findings)
    if text is None:
        return {}
    file = YamlFile(PEOPLE, text, findings)
    form = file.read(PeopleForm, findings)
    if form is None:
        return {}
    listed: list[tuple[YamlPath, Known]] = [
        (("people", i), person) for i, person in file.formed(("people",), form.people).items()
    ]
    for i, office in file.formed(("offices",), form.offices).items():
        try:
            listed.append((("offices", i), Party(kind="office", **office.model_dump())))
        except ValidationError as error:
            file.note(error, ("offices", i), PeopleForm, findings)
    listed += [(("teams", i), team) for i, team in file.formed(("teams",), form.teams).items()]
    listed += _stand_ins(file, {one.id for _, one in listed})
    return _Reader(file, findings, listed, form, set(elsewhere)).read()


def _stand_ins(file: YamlFile, found: Collection[str]) -> Iterator[tuple[YamlPath, Known]]:
    """Those who are written down with a fault: nobody who names them is wrong, too."""
    for key, kind in (("people", "person"), ("offices", "office"), ("teams", "team")):
        for at, given in file.items(key):
            name, boss = given.get("id"), given.get("manager")
            if not isinstance(name, str) or name in found:
                continue
            with contextlib.suppress(ValidationError):
                if kind == "team":
                    yield (
                        at,
                        Team(
                            id=name,
                            name=name,
                            members=tuple(texts(given.get("members")) or sorted(found)[:1]),
                        ),
                    )
                else:
                    boss = boss if isinstance(boss, str) else None
                    yield (
                        at,
                        Party(
                            id=name,
                            kind=kind,
                            name=name,
                            email="unknown@example.invalid",
                            manager=boss,
                        ),
                    )


def _text(path: Path, findings: Findings) -> str | None:
    if not path.is_file():
        hint = "list who can be told something"
        findings.problems.append(
            Problem(file=PEOPLE, line=None, column=None, message="is missing", suggestion=hint)
        )
        return None
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line, message = raw.count(b"\n", 0, error.start) + 1, f"not UTF-8 at byte {error.start}"
        hint = "save the file as UTF-8"
        findings.problems.append(
            Problem(file=PEOPLE, line=line, column=None, message=message, suggestion=hint)
        )
        return None


class _Reader:
    """Everybody the file lists, held against each other."""

    def __init__(
        self,
        file: YamlFile,
        findings: Findings,
        listed: list[tuple[YamlPath, Known]],
        form: PeopleForm,
        elsewhere: set[str],
    ) -> None:
        self.file = file
        self.findings = findings
        self.listed = listed
        self.form = form
        self.known = elsewhere | {one.id for _, one in listed if isinstance(one, Party)}
        self.bosses = {one.manager for _, one in listed if isinstance(one, Party)}
        self.offices = {one.id for _, one in listed if one.kind == "office"}

    def read(self) -> dict[str, Known]:
        people: dict[str, Known] = {}
        for at, one in self.listed:
            if one.id in people:
                self.findings.add(self.file, (*at, "id"), f"{one.id!r} stands here twice")
            people[one.id] = one
        for at, one in self.listed:
            if isinstance(one, Team):
                self._members(at, one)
            else:
                self._references(at, one)
                self._warnings(at, one)
        people |= self._absences(people)
        for key in ("manager", "substitute"):
            self._circles(key)
        self._circles_of_absences(people)
        return people

    def _references(self, at: YamlPath, party: Party) -> None:
        for key in ("manager", "substitute"):
            named = getattr(party, key)
            self.findings.check_name(self.file, (*at, key), "person", named, self.known)
            if named == party.id:
                self.findings.add(self.file, (*at, key), f"nobody is their own {key}")
        if party.office is not None and party.office not in self.known - self.offices:
            self.findings.check_name(
                self.file, (*at, "office"), "office", party.office, self.offices
            )

    def _warnings(self, at: YamlPath, party: Party) -> None:
        """Who has nobody above, so that an overdue promise of theirs is told to `default` only;
        locales that are none.
        """
        if not re.fullmatch(LOCALE, party.locale):
            message = (
                f"{party.id!r} has the locale {party.locale!r}, which is none: mails come "
                "in English"
            )
            self.findings.warn(
                PEOPLE, message, "write de, or pt-BR", *self.file.position((*at, "locale"))
            )
        if party.manager is None and party.id not in self.bosses:
            message = f"the {party.kind} {party.id!r} has no manager"
            hint = "name a manager: overdue promises are told to `default` otherwise"
            self.findings.warn(PEOPLE, message, hint, *self.file.position((*at, "id")))

    def _members(self, at: YamlPath, team: Team) -> None:
        for i, member in enumerate(team.members):
            self.findings.check_name(
                self.file, (*at, "members", i), "person", member, self.known - self.offices
            )

    def _absences(self, people: Mapping[str, Known]) -> dict[str, Known]:
        """Those who are absent, with their absences."""
        found: dict[str, Party] = {}
        for i, given in self.file.formed(("absences",), self.form.absences).items():
            at: YamlPath = ("absences", i)
            party = found.get(given.person) or people.get(given.person)
            names = {one.id for _, one in self.listed if one.kind == "person"}
            self.findings.check_name(self.file, (*at, "person"), "person", given.person, names)
            self.findings.check_name(
                self.file, (*at, "substitute"), "person", given.substitute, self.known
            )
            if given.substitute == given.person:
                self.findings.add(self.file, (*at, "substitute"), "nobody is their own substitute")
            if isinstance(party, Party):
                absence = Absence(begin=given.begin, end=given.end, substitute=given.substitute)
                found[party.id] = party.model_copy(update={"absences": (*party.absences, absence)})
        return dict(found)

    def _circles(self, key: str) -> None:
        named = {
            one.id: getattr(one, key)
            for _, one in self.listed
            if isinstance(one, Party) and getattr(one, key)
        }
        for circle in circles(named):
            at = next(at for at, one in self.listed if one.id == circle[0])
            message = f"the {key}s go round in a circle: {', '.join([*circle, circle[0]])}"
            self.findings.add(self.file, (*at, key), message, f"leave out one `{key}:` of them")

    def _circles_of_absences(self, people: Mapping[str, Known]) -> None:
        """Two who are absent on the same days cannot stand in for each other."""
        parties = [one for one in people.values() if isinstance(one, Party)]
        seen: set[frozenset[str]] = set()
        for day in sorted({absence.begin for party in parties for absence in party.absences}):
            for circle in circles(_standing_in(parties, day)):
                if frozenset(circle) not in seen:
                    seen.add(frozenset(circle))
                    absences = self.file.formed(("absences",), self.form.absences)
                    at = next(i for i, given in absences.items() if given.person in circle)
                    message = (
                        f"on {day} those who stand in are absent, too: "
                        f"{', '.join([*circle, circle[0]])}"
                    )
                    self.findings.add(
                        self.file, ("absences", at), message, "name somebody who is there"
                    )


def _standing_in(parties: Iterable[Party], day: date) -> dict[str, str]:
    """Who stands in for whom on a day, of those who are absent on it by a substitute named for the
    absence.
    """
    every = ((party.id, absence) for party in parties for absence in party.absences)
    absent = {name: a for name, a in every if a.begin <= day <= a.end}
    return {
        name: a.substitute
        for name, a in absent.items()
        if a.substitute is not None and a.substitute in absent
    }
