"""What can be found out about a rulebook beyond its form: rules that cannot fire, traps, names
nobody uses.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType

from jinja2 import Environment, TemplateSyntaxError, meta, nodes

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.yaml_files import LOCALE, Findings, YamlFile
from alerting.adapters.mail.email.templates import facts_of, filters
from alerting.adapters.rulebook.template_shapes import unknown_attributes
from alerting.domain.conditions import Scope
from alerting.domain.conditions.analysis import (
    Possible,
    never_true,
    null_traps,
    strange_values,
    thought_of,
)
from alerting.domain.customers.segments import UNVERIFIED
from alerting.domain.customers.vocabulary import EVENT_VALUES, STRETCHES
from alerting.domain.errors import Problem
from alerting.domain.people.places import country_codes

NOTHING_MORE: Mapping[str, Possible] = MappingProxyType({})

MAIL_FILES = ("subject.txt", "txt", "html")
"""What each mail is made of, behind its name."""

NEVER_NULL = (
    "event.type",
    "event.source",
    "event.id",
    "event.time",
    "customer.id",
    "customer.segment",
)


def check_conditions(
    file: YamlFile,
    paths: Iterable[YamlPath],
    scope: Scope,
    findings: Findings,
    segments: Collection[str] | None = None,
    tags: Collection[str] | None = None,
    more: Mapping[str, Possible] = NOTHING_MORE,
) -> None:
    """Conditions that must all hold, and compile: whether they can, and what they pass over where
    data is missing.

    `segments` and `tags` where conditions may ask for them, and it is known which there are; `more`
    fields that can only be so.
    """
    found = [(path, file.at(path)) for path in paths]
    whole = [(path, sql) for path, sql in found if isinstance(sql, str)]
    values: dict[str, Possible] = {**EVENT_VALUES, **STRETCHES}
    if segments is not None:
        known = frozenset([*segments, UNVERIFIED])
        values |= dict.fromkeys(
            ("customer.segment", "event.to_segment"), known
        )  # it may come from one that is gone
    if tags is not None:
        names = ("customer.tags", "event.tags", "event.tags_added")
        values |= dict.fromkeys(names, frozenset(tags))
    values["customer.country"] = country_codes()
    values |= more
    places, left = set(), list(whole)
    while remark := never_true([sql for _, sql in left], scope, values):
        path, _ = left.pop(remark.condition)
        places.add((path, remark.column))
        line, column = file.value_position(path, remark.column)
        findings.problems.append(
            Problem(file=file.name, line=line, column=column, message=remark.message)
        )
    sure = thought_of([sql for _, sql in whole], scope)
    for path, sql in whole:
        for strange in strange_values(sql, scope, values):
            if (path, strange.column) not in places:
                line, column = file.value_position(path, strange.column)
                findings.warn(file.name, strange.message, strange.suggestion, line, column)
        for trap in null_traps(sql, scope, {*NEVER_NULL, *sure}):
            line, column = file.value_position(path, trap.column)
            findings.warn(file.name, trap.message, trap.suggestion, line, column)


def check_unused(
    file: YamlFile, kind: str, names: Collection[str], used: Collection[str], findings: Findings
) -> None:
    """What is declared and named nowhere: often a misspelt name on the other side."""
    for name in sorted(set(names) - set(used)):
        line, column = file.position(
            (f"{kind}s" if not kind.endswith("y") else f"{kind[:-1]}ies", name)
        )
        findings.warn(file.name, f"no rule uses the {kind} {name!r}", None, line, column)


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
