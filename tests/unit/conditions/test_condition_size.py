"""Long and deep conditions: a bound on their size, and none on their patience."""

import pytest

from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.conditions.parser import MAX_LENGTH
from tests.support.conditions.texts import SURVEY, refusal, value


def test_a_condition_is_at_most_4000_characters_long() -> None:
    longest = "contact_me OR " * 285 + "TRUE" + " " * 6
    assert len(longest) == MAX_LENGTH
    assert compile_condition(longest, SURVEY)({}) is True
    assert "at most 4000 characters, this one 4001" in refusal(longest + " ").message


@pytest.mark.parametrize("count", [100, 500, 1_990, 5_000])
@pytest.mark.parametrize(
    ("opening", "inside", "closing"),
    [
        ("(", "contact_me", ")"),
        ("(", "", ""),
        ("NOT ", "contact_me", ""),
        ("- ", "score = 1", ""),
        ("ABS(", "score", ")"),
        ("anything(", "score", ")"),
        ("numeric(", "score", ")"),
        ("date(", "score", ")"),
        ("STRUCT(", "score", ")"),
        ("CASE WHEN ", "contact_me", ""),
        ("score IN (", "1", ")"),
        ("[", "1", "]"),
        ("", "score", "::int"),
        ("", "score", ".score"),
        ("", "score", " + score"),
        ("", "score", " - (score"),
    ],
)
def test_endless_nesting_is_refused_and_never_crashes(
    opening: str, inside: str, closing: str, count: int
) -> None:
    for times in (count, min(count, (MAX_LENGTH - len(inside)) // len(opening + closing))):
        refusal(opening * times + inside + closing * times)


def test_a_long_list_of_alternatives_is_not_deep() -> None:
    words = " OR ".join(f"comment ILIKE '%word {number}%'" for number in range(100))
    condition = compile_condition(words, SURVEY)
    assert condition({"event.comment": "it has WORD 99 in it"}) is True
    assert condition({"event.comment": "nothing"}) is False
    assert condition({}) is None


def test_nested_ranges_cost_no_more_than_their_length() -> None:
    sql = "a"
    for _ in range(18):
        sql = f"({sql} BETWEEN a AND a)"
    assert value(sql, a=True) is True  # compiled twice at each level, this would take minutes


def test_a_customers_long_comment_cannot_stall_a_pattern() -> None:
    condition = compile_condition("comment ILIKE '%refund%money%back%now%'", SURVEY)
    comment = "refund money back " * 5_000
    assert (
        condition({"event.comment": comment}) is False
    )  # searched with backtracking, this would take hours
    assert condition({"event.comment": comment + "now"}) is True
