"""What two rulebooks differ in: rules first, for they are what people ask for, then the files line
by line.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from alerting.domain.rulebook.rulebook import Rule, Rulebook


@dataclass(frozen=True, kw_only=True)
class RulebookDiff:
    """`rules` are sentences; `lines` are a unified diff of all files, empty where the two are the
    same.
    """

    rules: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not self.lines


def compare(before: Rulebook | None, after: Rulebook) -> RulebookDiff:
    """From one rulebook to another; from nothing where there was none."""
    old = {rule.id: rule for rule in before.rules} if before else {}
    new = {rule.id: rule for rule in after.rules}
    sentences = [f"new rule {name}: {rule.title}" for name, rule in new.items() if name not in old]
    sentences += [
        f"rule {name} is gone: {rule.title}" for name, rule in old.items() if name not in new
    ]
    for name, rule in new.items():
        if name in old and (changes := _changes(old[name], rule)):
            sentences.append(f"rule {name}: {'; '.join(changes)}")
    return RulebookDiff(
        rules=tuple(sentences), lines=tuple(_lines(before.files if before else {}, after.files))
    )


def _changes(before: Rule, after: Rule) -> list[str]:
    old, new = (
        {named.name: named.condition.sql for named in rule.when} for rule in (before, after)
    )
    changes = [f"also asks whether it {name}" for name in new.keys() - old.keys()]
    changes += [f"no longer asks whether it {name}" for name in old.keys() - new.keys()]
    changes += [
        f"{name}: {old[name]} -> {new[name]}"
        for name in old.keys() & new.keys()
        if old[name] != new[name]
    ]
    for field in ("title", "on", "severity", "caller", "fixer", "policy", "template"):
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            changes.append(f"{field} {was or 'nobody'} -> {now or 'nobody'}")
    if before.inform != after.inform:
        changes.append(
            f"informs {', '.join(after.inform) or 'nobody'} instead of "
            f"{', '.join(before.inform) or 'nobody'}"
        )
    return sorted(changes)


def _lines(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    found: list[str] = []
    for name in sorted(before.keys() | after.keys()):
        old, new = (files.get(name, "").splitlines() for files in (before, after))
        found += difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", lineterm="", n=2)
    return found
