"""rules/ and templates/ read from files, with the people, who are no part of the rulebook.

Every problem of every file is found before anything is refused.
"""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.people_file import PEOPLE, gather_people
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.errors import Problem, RulebookInvalid
from alerting.domain.people.people import Known

NOBODY: Mapping[str, Known] = MappingProxyType({})


def read_files(rules: Path, templates: Path) -> dict[str, str]:
    """The texts that make a rulebook, by path: rules/** without people.yaml, and templates/mail/**.

    Raises RulebookInvalid for a folder that is not there or a file that is not UTF-8.
    """
    findings = Findings()
    files = _read_files(rules, templates, findings)
    if findings.problems:
        raise RulebookInvalid(findings.problems)
    return files


def read_rules(rules: Path, *only: str) -> dict[str, str]:
    """The texts under rules/ alone; of those the files that match `only`. Raises RulebookInvalid
    for one that is not UTF-8.
    """
    findings = Findings()
    files = _read_folder(rules, "rules", findings, only)
    if findings.problems:
        raise RulebookInvalid(findings.problems)
    return files


def _read_files(rules: Path, templates: Path, findings: Findings) -> dict[str, str]:
    """A file that cannot be read is noted, and empty in the answer: it is not missing."""
    files: dict[str, str] = {}
    for root, prefix in ((rules, "rules"), (templates / "mail", "templates/mail")):
        if not root.is_dir():
            message = f"there is no folder {root}"
            hint = (
                "set ALERTING_RULES and ALERTING_TEMPLATES, or start where rules/ and "
                "templates/ are"
            )
            findings.problems.append(
                Problem(file=prefix, line=None, column=None, message=message, suggestion=hint)
            )
            continue
        files |= _read_folder(root, prefix, findings)
    return files


def _read_folder(
    root: Path, prefix: str, findings: Findings, only: Sequence[str] = ()
) -> dict[str, str]:
    files = {}
    found = {path for pattern in only or ("*",) for path in root.rglob(pattern)}
    for path in sorted(p for p in found if p.is_file() and not p.name.startswith(".")):
        name = f"{prefix}/{path.relative_to(root).as_posix()}"
        if name != PEOPLE:
            files[name] = _read_text(path, name, findings)
    return files


def _read_text(path: Path, name: str, findings: Findings) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 at byte {error.start}"
        findings.problems.append(
            Problem(
                file=name,
                line=line,
                column=None,
                message=message,
                suggestion="save the file as UTF-8",
            )
        )
        return ""


def read_all(
    rules: Path,
    templates: Path,
    findings: Findings | None = None,
    elsewhere: Mapping[str, Known] = NOBODY,
) -> tuple[dict[str, str], dict[str, Known]]:
    """Files and people, checked together. Raises RulebookInvalid with all problems of both.

    `findings` gathers the warnings, too. `elsewhere`: people who are known already, and whom rules
    may name.
    """
    findings = findings or Findings()
    files = _read_files(rules, templates, findings)
    unreadable = {problem.file for problem in findings.problems}
    people = gather_people(rules / "people.yaml", findings, elsewhere)
    built = Findings()
    with contextlib.suppress(RulebookInvalid):
        build_rulebook(files, {**elsewhere, **people} if people else None, built)
    findings.warnings += built.warnings
    findings.problems += [problem for problem in built.problems if problem.file not in unreadable]
    if findings.problems:
        raise RulebookInvalid(findings.problems)
    return files, people
