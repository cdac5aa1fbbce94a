"""What must not depend on the order of arrival, and what must agree with counting by hand."""

from datetime import timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.customers.customers import CustomerChange, apply_change, states_after
from alerting.domain.intake.events import Event
from alerting.domain.reports.attainment import Promise, attainment
from tests.support.builders import NOW, call, hours, rulebook, unhurried, value_at

SIGNAL = rulebook().signals["calls_in_vain"]

calls = st.lists(
    st.tuples(
        st.integers(-240, 0),
        st.sampled_from(["unresolved", "resolved", None]),
        st.sampled_from("ab"),
    ),
    max_size=14,
    unique_by=lambda c: (c[0], c[2]),
)


def _events(drawn: list[tuple[int, str | None, str]]) -> list[Event]:
    return [
        call(outcome or ..., at=hours(h), id_=f"{h}{s}", source=f"/{s}") for h, outcome, s in drawn
    ]


@unhurried
@given(drawn=calls, data=st.data())
def test_a_signal_counts_the_calls_since_the_last_solved_one_within_its_window(
    drawn: list[tuple[int, str | None, str]], data: st.DataObject
) -> None:
    events = _events(drawn)
    shuffled = data.draw(st.permutations(events))
    points = [point for event in shuffled for point in SIGNAL.points_of(event)]
    for moment in events:
        by_hand = 0
        for event in sorted(events, key=lambda e: e.order):
            if event.order > moment.order or event.time <= moment.time - timedelta(days=7):
                continue
            by_hand = 0 if event.fields()["outcome"] == "resolved" else by_hand + 1
        assert value_at(SIGNAL, moment.order, points) == by_hand


@pytest.mark.parametrize(
    ("age", "counted"), [(timedelta(days=7), 0), (timedelta(days=7) - timedelta(microseconds=1), 1)]
)
def test_the_window_leaves_out_its_begin(age: timedelta, counted: int) -> None:
    points = SIGNAL.points_of(call(at=NOW - age))
    assert value_at(SIGNAL, (NOW, "/z", "z"), points) == counted


fields = st.dictionaries(
    st.sampled_from(["name", "owner", "country"]),
    st.one_of(st.none(), st.sampled_from(["x", "y"])),
    max_size=3,
)
attributes = st.dictionaries(
    st.sampled_from(["tier", "plan"]), st.one_of(st.none(), st.integers(0, 3)), max_size=2
)


@unhurried
@given(drawn=st.lists(st.tuples(fields, attributes), max_size=8))
def test_changes_replace_null_clears_and_attributes_merge_by_key(
    drawn: list[tuple[dict[str, str], dict[str, int]]],
) -> None:
    changes = [
        CustomerChange(
            valid_from=hours(i), source="s", event_id=str(i), changes={**plain, "attributes": inner}
        )
        for i, (plain, inner) in enumerate(drawn)
    ]
    by_hand: dict[str, object] = {}
    inner_by_hand: dict[str, object] = {}
    for plain, inner in drawn:
        by_hand |= plain
        inner_by_hand |= inner
    state = states_after(changes)[-1] if changes else {}
    assert {k: v for k, v in state.items() if k != "attributes"} == {
        k: v for k, v in by_hand.items() if v is not None
    }
    assert state.get("attributes", {}) == {k: v for k, v in inner_by_hand.items() if v is not None}


def test_clearing_all_attributes_at_once() -> None:
    assert apply_change({"attributes": {"tier": 1}, "name": "A"}, {"attributes": None}) == {
        "name": "A"
    }


promises = st.lists(
    st.tuples(st.integers(1, 50), st.one_of(st.none(), st.integers(0, 100))), max_size=25
)


@unhurried
@given(drawn=promises, asked=st.integers(0, 120))
def test_attainment_agrees_with_counting(drawn: list[tuple[int, int | None]], asked: int) -> None:
    """Hours to the due time, and hours to the answer; open and overdue counts as missed, with its
    time so far.
    """
    now = hours(asked)
    seen = [(due, done if done is None or done <= asked else None) for due, done in drawn]
    found = attainment(
        [
            Promise(
                kind="contact",
                party="p",
                case_id=i,
                started_at=NOW,
                due_at=hours(due),
                stopped_at=None if done is None else hours(done),
            )
            for i, (due, done) in enumerate(seen)
        ],
        now,
    )
    met = [done for due, done in seen if done is not None and done <= due]
    late = [done for due, done in seen if done is not None and done > due]
    overdue = [due for due, done in seen if done is None and asked > due]
    assert (found.met, found.late, found.overdue) == (len(met), len(late), len(overdue))
    assert found.running == len(seen) - len(met) - len(late) - len(overdue)
    measured = sorted([*met, *late, *[asked] * len(overdue)])
    if not measured:
        assert found.median is found.p90 is found.share is None
        return
    assert found.share == len(met) / len(measured)
    assert found.p90 is not None
    assert found.p90.value == timedelta(hours=measured[ceil(0.9 * len(measured)) - 1])
    assert found.median is not None
    assert found.median.value == timedelta(hours=measured[ceil(0.5 * len(measured)) - 1])
