"""The rules of form that no linter knows. What breaks one today stands in its list by name; the
test fails when something is added, and when something listed is mended and still stands there.
"""

from collections.abc import Callable

import pytest

from tests.support import style

NOUNS = frozenset({"mapping", "routing", "standing"})
"""Words in -ing that name a thing."""

NESTED: frozenset[str] = frozenset()
CLAUSES: frozenset[str] = frozenset()
FUNCTIONS: frozenset[str] = frozenset()
FILES = frozenset(
    {
        "alerting/domain/cases/case_alerts.py",
        "alerting/domain/cases/case_responses.py",
        "alerting/domain/cases/corrections.py",
        "alerting/domain/intake/payloads.py",
        "scripts/production-story",
        "scripts/screenshots",
    }
)
CROWDED: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("find", "listed"),
    [
        (style.nested_conditionals, NESTED),
        (style.long_comprehensions, CLAUSES),
        (style.long_functions, FUNCTIONS),
        (style.long_files, FILES),
        (style.full_folders, CROWDED),
    ],
    ids=["nested conditional", "three clauses", "51 lines", "301 lines", "16 files"],
)
def test_nothing_breaks_a_rule_of_form_but_what_is_listed(
    find: Callable[[], set[str]], listed: frozenset[str]
) -> None:
    found = find()
    assert sorted(found - listed) == [], "mend these"
    assert sorted(listed - found) == [], "these are mended: take them from the list"


def test_no_module_is_named_by_a_bare_gerund() -> None:
    assert style.gerunds(NOUNS) == set()
    assert style.gerunds(frozenset()) != set()
