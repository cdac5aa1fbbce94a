"""What can be found out about conditions and names beyond their form: rules that cannot fire,
traps, names nobody uses.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from alerting.adapters.files.drop_misfits import Path as YamlPath
from alerting.adapters.files.findings import Findings
from alerting.adapters.files.yaml_files import YamlFile
from alerting.domain.conditions import Scope
from alerting.domain.conditions.analysis import never_true, null_traps, strange_values, thought_of
from alerting.domain.conditions.rooms import Possible
from alerting.domain.customers.segments import UNVERIFIED
from alerting.domain.customers.vocabulary import EVENT_VALUES, STRETCHES
from alerting.domain.errors import Problem
from alerting.domain.people.places import country_codes

NOTHING_MORE: Mapping[str, Possible] = MappingProxyType({})

NEVER_NULL = (
    "event.type",
    "event.source",
    "event.id",
    "event.time",
    "customer.id",
    "customer.segment",
)


def group_values(
    segments: Collection[str] | None, tags: Collection[str] | None
) -> dict[str, Possible]:
    """What conditions that may ask for segments and tags can find there; None where nobody can tell
    which there are.
    """
    values: dict[str, Possible] = {}
    if segments is not None:
        known = frozenset([*segments, UNVERIFIED])  # it may come from one that is gone
        values |= dict.fromkeys(("customer.segment", "event.to_segment"), known)
    if tags is not None:
        names = ("customer.tags", "event.tags", "event.tags_added")
        values |= dict.fromkeys(names, frozenset(tags))
    return values


def check_conditions(
    file: YamlFile,
    paths: Iterable[YamlPath],
    scope: Scope,
    findings: Findings,
    more: Mapping[str, Possible] = NOTHING_MORE,
) -> None:
    """Conditions that must all hold, and compile: whether they can, and what they pass over where
    data is missing. `more` are fields that can only be so, beside those that are known everywhere.
    """
    found = [(path, file.at(path)) for path in paths]
    whole = [(path, sql) for path, sql in found if isinstance(sql, str)]
    values: dict[str, Possible] = {**EVENT_VALUES, **STRETCHES}
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
