"""Rules on silence: mistakes are named."""

import pytest

from tests.support.builders import problems_of
from tests.support.rulebook.silence_rules import RULE, files


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("    of: survey.answered\n", "", "says `of:` which event type and `for:` how long"),
        ("    for: 30d\n", "", "says `of:` which event type and `for:` how long"),
        ("of: survey.answered", "of: survey.answerd", "did you mean 'survey.answered'?"),
        ("of: survey.answered", "of: silence", "no event type is called 'silence'"),
        ("on: silence", "on: survey.answered", "no other rule does"),
        ("for: 30d", "for: a month", "'a month' is not a duration"),
        ("customer.segment = 'key'", "score < 3", "unknown field 'score'"),
    ],
)
def test_mistakes_are_named(old: str, new: str, said: str) -> None:
    assert problems_of(files(RULE)) == []
    found = [str(problem) for problem in problems_of(files(RULE.replace(old, new)))]
    assert any(said in problem for problem in found), found
