"""What can be found out about mail templates: names nobody uses, facts no mail has."""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import LOCALE
from alerting.adapters.mail.email.filters import filters
from alerting.adapters.mail.email.templates import facts_of
from alerting.adapters.rulebook.checks.template_shapes import unknown_attributes
from alerting.domain.errors import Problem
from alerting.domain.templates import OF_CASES

MAIL_FILES = ("subject.txt", "txt", "html")
"""What each mail is made of, behind its name."""


def check_mails(
    files: Mapping[str, str], chosen: Iterable[str], named: Collection[str], findings: Findings
) -> None:
    """Every mail has its three files, in English at least; each can be read, and what it builds on
    is there. `chosen` are the templates of rules, `named` also those of rules with faults.
    """
    for template in dict.fromkeys([*OF_CASES, *chosen]):
        standing = template in OF_CASES
        for ending in MAIL_FILES:
            name = f"templates/mail/en/{template}.{ending}"
            if name not in files:
                copied = f"copy call.{ending} and change it"
                hint = "take it from the product's own" if standing else copied
                findings.problems.append(
                    Problem(
                        file=name, line=None, column=None, message="is missing", suggestion=hint
                    )
                )
    used = {*map(str, OF_CASES), *named}
    for name, text in files.items():
        if name.startswith("templates/"):
            check_template(name, text, files, findings)
            check_mail_file(name, used, findings)


def check_template(name: str, text: str, known: Collection[str], findings: Findings) -> None:
    """A template can be read, what it builds on is there, and it asks for nothing no mail has."""
    read = _read_template(text)
    if isinstance(read, TemplateSyntaxError):
        message = read.message or "not a template"
        findings.problems.append(Problem(file=name, line=read.lineno, column=None, message=message))
        lines = text.split("\n")
        lines[read.lineno - 1] = ""
        read = _read_template("\n".join(lines))
        if isinstance(read, TemplateSyntaxError):
            return  # it may only follow from the first
    wanted, asked, wrong = read
    for other in wanted:
        if f"templates/mail/{other}" not in known:
            message = f"there is no template {other!r} to build on"
            findings.problems.append(
                Problem(file=name, line=_line_of(text, other), column=None, message=message)
            )
    for number, path, near in wrong:
        hint = f"did you mean {near}?" if near else None
        message = f"no mail knows {path}"
        findings.problems.append(
            Problem(file=name, line=number, column=None, message=message, suggestion=hint)
        )
    facts = facts_of(name)
    for variable in sorted(asked - facts):
        message = f"no mail has a variable {variable!r}"
        hint = f"known are {', '.join(sorted(facts))}"
        line = _line_of(text, variable)
        findings.problems.append(
            Problem(file=name, line=line, column=None, message=message, suggestion=hint)
        )


def check_mail_file(name: str, used: Collection[str], findings: Findings) -> None:
    """A file under templates/mail/<locale>/ is part of some mail, and its locale is one that
    somebody can have.
    """
    folder, _, file = name.removeprefix("templates/mail/").rpartition("/")
    if not re.fullmatch(LOCALE, folder):
        findings.warn(name, f"{folder!r} is no locale", "name the folder de, or pt-BR")
    mail, _, ending = file.partition(".")
    if mail.startswith("_"):
        return
    if ending not in MAIL_FILES:
        findings.warn(
            name,
            "no mail has a file of this name",
            f"name it {mail}{'/'.join(f'.{one}' for one in MAIL_FILES)}",
        )
    elif mail not in used:
        near = get_close_matches(mail, sorted(used), n=1, cutoff=0.7)
        findings.warn(
            name, f"no rule sends the mail {mail!r}", f"did you mean {near[0]!r}?" if near else None
        )


def _line_of(text: str, word: str) -> int | None:
    return next((number for number, row in enumerate(text.split("\n"), 1) if word in row), None)


@lru_cache(maxsize=128)
def _read_template(
    text: str,
) -> (
    tuple[tuple[str, ...], frozenset[str], tuple[tuple[int, str, str | None], ...]]
    | TemplateSyntaxError
):
    """What it builds on, asks for, and asks for in vain, or what is wrong with it.

    Kept: a start reads the same rulebook more than once.
    """
    environment = Environment()
    environment.filters.update(filters())
    try:
        tree = environment.parse(text)
        wanted = tuple(name for name in meta.find_referenced_templates(tree) if name is not None)
        environment.compile(tree)  # finds unknown filters, too
        given = _names_given(tree)
        asked = meta.find_undeclared_variables(tree) - given
        return wanted, frozenset(asked), tuple(dict.fromkeys(unknown_attributes(tree, given)))
    except TemplateSyntaxError as error:
        return error


def _names_given(tree: nodes.Template) -> set[str]:
    """What the template itself sets or imports anywhere: inside its blocks Jinja takes that for
    undeclared.
    """
    stored = {name.name for name in tree.find_all(nodes.Name) if name.ctx in {"store", "param"}}
    return stored | {found.target for found in tree.find_all(nodes.Import)}
