"""Conditions of rules: refused at their place, and those that can never be true."""

import pytest

from tests.support.builders import changed
from tests.support.rulebook.files import KEY_ACCOUNTS, found, the_problem


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("\"sentimnt = 'x'\"", "6:32"),
        ("'sentimnt = 5'", "6:32"),
        ("sentimnt = 5", "6:31"),
        ('"score < 3 AND sentimnt = 5"', "6:46"),
        ("score < 3 AND sentimnt = 5", "6:45"),
        ("'sentiment = ''x'' AND sentimnt = 5'", "6:31"),  # with escapes, the start
        ("|\n        score < 3\n        AND sentimnt = 5", "6:31"),
        (">\n        score < 3\n        AND sentimnt = 5", "6:31"),
        ('"score < 3\n        AND sentimnt = 5"', "6:31"),
    ],
)
def test_a_condition_is_refused_at_its_column_and_over_several_lines_at_its_start(
    written: str, place: str
) -> None:
    files = changed(key_accounts=("\"sentiment = 'negative'\"", written))
    assert (
        the_problem(files)
        == f"{KEY_ACCOUNTS}:{place}: unknown field 'sentimnt' (did you mean 'sentiment'?)"
    )


@pytest.mark.parametrize(
    "never",
    [
        "score IS NULL AND score > 3",
        "score <> 3 AND score = 3",
        "score NOT IN (1, 2) AND score = 1",
        "score IN (NULL)",
        "NULL",
        "scale > 3 AND scale < 4",
        "contact_me = TRUE AND contact_me = FALSE",
        "contact_me AND NOT contact_me",
    ],
)
def test_what_can_never_be_true_is_found(never: str) -> None:
    assert "can never be true" in the_problem(conditions(never))


@pytest.mark.parametrize(
    "possible",
    [
        "scale > 3 AND scale <= 4",
        "NOT contact_me",
        "score IN (1, NULL)",
        "score <> 3 AND score > 2",
        "comment IS NULL",
    ],
)
def test_what_may_be_true_is_not_refused(possible: str) -> None:
    assert found(conditions(possible)) == []


def conditions(sql: str) -> dict[str, str]:
    return changed(key_accounts=("sentiment = 'negative'", sql))


@pytest.mark.parametrize(
    ("never", "said"),
    [
        ("customer.value_decile > 11", "customer.value_decile lies between 1 and 10"),
        ("customer.rfm_recency IN (0, -1)", "customer.rfm_recency lies between 1 and 5"),
        ("days_since_contact < 0", "days_since_contact is never below 0"),
    ],
)
def test_a_number_no_field_can_have_is_told_with_what_it_can_be(never: str, said: str) -> None:
    assert f"can never be true: {said}" in the_problem(conditions(never))
    assert found(conditions("customer.value_decile >= 10 AND days_since_contact <= 0")) == []
