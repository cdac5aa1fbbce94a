"""Contradictions are told of, and never wrongly."""

from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.domain.conditions.analysis import never_true
from alerting.domain.conditions.compiler import compile_condition
from tests.support.builders import unhurried
from tests.support.conditions.texts import FACTS, SCOPE, TEXTS

ASKED = st.sampled_from(["n", "p", "n + m", "ABS(n)", "CASE WHEN a THEN n END"])


NEAR_ZERO = st.integers(-2, 2)


QUOTED = TEXTS.map(lambda text: "'" + text.replace("'", "''") + "'")


LIMITS = st.one_of(
    st.builds(
        "{} {} {}".format, ASKED, st.sampled_from(["<", "<=", ">", ">=", "=", "<>"]), NEAR_ZERO
    ),
    st.builds("{} BETWEEN {} AND {}".format, ASKED, NEAR_ZERO, NEAR_ZERO),
    st.builds(
        "{} {}IN ({}, {})".format, ASKED, st.sampled_from(["", "NOT "]), NEAR_ZERO, NEAR_ZERO
    ),
    st.builds("{} IS {}NULL".format, ASKED, st.sampled_from(["", "NOT "])),
    st.builds(
        "{} {} {}".format,
        st.sampled_from(["s", "LOWER(s)", "UPPER(s)"]),
        st.sampled_from(["=", "<>"]),
        QUOTED,
    ),
    st.builds("LENGTH(s) {} {}".format, st.sampled_from(["<", ">", "="]), NEAR_ZERO),
    st.sampled_from(["a", "NOT a", "a = TRUE", "n / 0 > 1", "NULL"]),
)


def test_what_can_never_be_true_never_is() -> None:
    """The other way round nothing is promised: not every contradiction is seen."""
    told: Counter[bool] = Counter()

    @settings(unhurried, max_examples=400)
    @given(st.lists(LIMITS, min_size=1, max_size=4), st.lists(FACTS, min_size=4, max_size=4))
    def keeps_its_word(limits: list[str], people: list[dict[str, Any]]) -> None:
        impossible = never_true(limits, SCOPE, {})
        told[impossible is not None] += 1
        whole = " AND ".join(f"({limit})" for limit in limits)
        nearby = [
            {**facts, "n": n, "m": 0, "p": Decimal(n)}
            for facts in people
            for n in (-2, -1, 0, 1, 2)
        ]
        possible = any(map(compile_condition(whole, SCOPE), [*people, *nearby]))
        assert not (impossible and possible), (whole, impossible)

    keeps_its_word()
    assert min(told.values()) > 20, told
