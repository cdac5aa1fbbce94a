"""Cells and pictures of the report."""

import pytest

from alerting.adapters.reports.report_files import inert


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_like_a_formula_gets_an_apostrophe_and_a_number_stays_one(text: str) -> None:
    assert inert(text) == f"'{text}"
    assert (inert(-1.5), inert("a=b"), inert(None), inert("")) == (-1.5, "a=b", None, "")
