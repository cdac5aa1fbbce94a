"""The texts of rules/ and templates/, and what every reader of them needs."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import YamlFile
from alerting.domain.conditions import Condition, Scope
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.errors import ConditionRefused, Problem
from alerting.domain.people.people import Known


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Texts by name, such as `rules/sla.yaml`, and all that was found wrong with them so far."""

    files: Mapping[str, str]
    findings: Findings

    def open_file(self, name: str, *, needed: bool = True) -> YamlFile | None:
        """The file, read; None where there is none, which is a problem if it is `needed`."""
        text = self.files.get(name)
        if text is not None:
            return YamlFile(name, text, self.findings)
        if needed:
            self.findings.problems.append(
                Problem(file=name, line=None, column=None, message="is missing")
            )
        return None

    def open_folder(self, folder: str) -> Iterator[YamlFile]:
        """The YAML files of a folder such as `rules/words/`, by name; each is opened when the ones
        before it are read, so that its problems stand behind theirs.
        """
        for name in sorted(self.files):
            if name.startswith(folder) and name.endswith((".yaml", ".yml")):
                yield YamlFile(name, self.files[name], self.findings)

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

    def column(
        self, file: YamlFile, path: YamlPath, name: str, heading: str | None = None
    ) -> list[str]:
        """The first column of a CSV file under rules/, below its heading, without empty cells."""
        tables = {n.removeprefix("rules/") for n in self.files if n.endswith(".csv")}
        self.findings.check_name(file, path, "list", name, tables)
        found = self._first_cells(f"rules/{name}", heading)
        if found is None:
            return []
        twice = sorted(word for word, count in Counter(found[1:]).items() if count > 1)
        if twice:
            self.findings.warn(
                f"rules/{name}", f"stands here twice: {', '.join(twice[:5])}", "keep one of each"
            )
        if heading is not None and found[:1] != [heading]:
            self.findings.problems.append(
                Problem(
                    file=f"rules/{name}",
                    line=1,
                    column=1,
                    message=f"the first line must begin with {heading}",
                    suggestion="separate columns by commas",
                )
            )
        return found[1:]

    def _first_cells(self, name: str, heading: str | None) -> list[str] | None:
        """None where the file is no table, which is a problem; a missing one is its heading."""
        text = self.files.get(name, heading or "")
        reader = csv.reader(
            io.StringIO(text.removeprefix("\ufeff")), strict=True
        )  # as Excel begins
        try:
            return [row[0].strip() for row in reader if row and row[0].strip()]
        except csv.Error as error:
            message = (
                "this quote does not end"
                if "unexpected end" in str(error)
                else f"no table: {error}"
            )
            self.findings.problems.append(
                Problem(file=name, line=reader.line_num, column=None, message=message)
            )
            return None


@dataclass(frozen=True, kw_only=True)
class NamedPeople:
    """Whom files may name. `known` None: a stored rulebook is loaded, whose names were checked when
    it came in.
    """

    known: Mapping[str, Known] | None
    findings: Findings

    def check_person(self, file: YamlFile, path: YamlPath, name: object) -> None:
        """Of those who can be told something: a person or an office."""
        self.findings.check_name(file, path, "person or office", name, self._ids(teams=False))

    def check_team(self, file: YamlFile, path: YamlPath, name: object) -> None:
        """Of the teams."""
        self.findings.check_name(file, path, "team", name, self._ids(teams=True))

    def find(self, name: str) -> Known | None:
        """None where nobody can tell, too."""
        return None if self.known is None else self.known.get(name)

    def _ids(self, *, teams: bool) -> Collection[str] | None:
        if self.known is None:
            return None
        return [one.id for one in self.known.values() if (one.kind == "team") is teams]
