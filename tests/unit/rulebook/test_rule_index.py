"""The rule index: leaves out only rules that are false, whatever the facts."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.conditions import Scope, Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.rulebook.rule_index import MAX_VALUES, RuleIndex
from tests.support.builders import unhurried

KINDS = {
    "region": Type.TEXT,
    "segment": Type.TEXT,
    "comment": Type.TEXT,
    "score": Type.NUMBER,
    "before": Type.NUMBER,
    "calls": Type.BIGINT,
    "asked": Type.BOOLEAN,
    "tags": Type.TEXTS,
}
SCOPE = Scope(names={name: (name, kind) for name, kind in KINDS.items()})
PARTS = (
    "region = 'NW'",
    "region IN ('NW', 'SE')",
    "region <> 'SE'",
    "region IS NULL",
    "region LIKE 'N%'",
    "segment = 'key'",
    "'key' = segment",
    "COALESCE(segment, 'key') = 'key'",
    "comment LIKE '%late%'",
    "score <= 3",
    "score BETWEEN 2 AND 4",
    "score / 2 = 1",
    "before - score >= 2",
    "score * 2 + calls < 9",
    "calls > 1",
    "asked",
    "NOT asked",
    "asked IS NOT TRUE",
    "'at_risk' = ANY(tags)",
    "(region = 'NW' OR score < 3)",
)
NUMBERS = st.sampled_from([None, 0, 2, 3, Decimal(3), Decimal("3.5"), 4, Decimal("4.0"), 9])
FACTS = st.fixed_dictionaries(
    {
        "region": st.sampled_from([None, "NW", "SE", "N", ""]),
        "segment": st.sampled_from([None, "key", "low"]),
        "comment": st.sampled_from([None, "late", "fine", "late " * 50]),
        "score": NUMBERS,
        "before": NUMBERS,
        "calls": st.sampled_from([None, 0, 1, 2, 3]),
        "asked": st.sampled_from([None, True, False]),
        "tags": st.sampled_from([None, [], ["at_risk"]]),
    }
)


@unhurried
@given(
    st.lists(
        st.lists(st.lists(st.sampled_from(PARTS), min_size=1, max_size=3), max_size=2), max_size=20
    ),
    st.lists(FACTS, min_size=1, max_size=12),
)
def test_the_possible_rules_are_those_none_of_whose_conditions_is_false(
    rules: list[list[list[str]]], many_facts: list[dict[str, Any]]
) -> None:
    compiled = [
        [compile_condition(" AND ".join(parts), SCOPE) for parts in conditions]
        for conditions in rules
    ]
    index = RuleIndex(list(enumerate(compiled)))
    for facts in many_facts:
        expected = [
            number
            for number, conditions in enumerate(compiled)
            if all(condition(facts) is not False for condition in conditions)
        ]
        assert index.possible(facts) == expected
        for some in range(len(facts)):
            assert index.any_left(dict(list(facts.items())[some:])) or not expected


def test_facts_known_early_may_already_leave_no_rule() -> None:
    index = RuleIndex([("only", [compile_condition("score < 5 AND region = 'NW'", SCOPE)])])
    assert index.any_left({}) and index.any_left({"score": 4}) and index.any_left({"score": None})
    assert not index.any_left({"score": 5}) and not index.any_left({"region": "SE"})


def test_more_values_than_are_remembered_change_no_answer() -> None:
    condition = compile_condition("score < 5 AND region = 'NW'", SCOPE)
    index = RuleIndex([("only", [condition])])
    for score in range(-MAX_VALUES, MAX_VALUES):
        for region in ("NW", f"region {score}"):
            found = index.possible({"score": score, "region": region})
            assert found == (["only"] if score < 5 and region == "NW" else [])
