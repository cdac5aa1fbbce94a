"""A step that is repeated says how often."""

import pytest

from tests.support.builders import changed, problems_of


@pytest.mark.parametrize(
    "wrong",
    ["every: 4h", "times: 3", "every: 4h, times: 1", "every: 0h, times: 3", "every: 4h, times: 51"],
)
def test_a_repetition_says_how_often_and_how_many_times(wrong: str) -> None:
    problems = problems_of(
        changed(sla=("- {after: 0h, notify: caller}", f"- {{after: 0h, {wrong}, notify: caller}}"))
    )
    assert len(problems) == 1 and problems[0].file == "rules/sla.yaml" and problems[0].line == 9
