"""Signals: counts over a sliding window, the same in whatever order the events arrive."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.conditions import Type
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.signals import Aggregate, PointKind, Signal, values_at
from alerting.domain.customers.vocabulary import EVENT_FIELDS, Vocabulary
from alerting.domain.intake.events import Event
from tests.support.builders import NOW, call, event, hours, rulebook, unhurried, value_at

CALLS = Vocabulary().for_signals("interaction.recorded")
IN_VAIN = rulebook().signals["calls_in_vain"]
WEEK = timedelta(days=7)
INSTANT = timedelta(microseconds=1)


def count(*events: Event, at: Event, signal: Signal = IN_VAIN) -> int:
    """The signal as `at` is judged, with the points of `at` among the others."""
    points = [point for found in (*events, at) for point in signal.points_of(found)]
    return value_at(signal, at.order, points)


@pytest.mark.parametrize(
    ("age", "counted"), [(timedelta(0), 1), (WEEK - INSTANT, 1), (WEEK, 0), (WEEK + INSTANT, 0)]
)
def test_the_window_reaches_to_now_and_leaves_out_its_beginning(
    age: timedelta, counted: int
) -> None:
    now = call("resolved", at=NOW, id_="z")
    without_reset = replace(IN_VAIN, reset_when=None)
    assert count(call(at=NOW - age, id_="a"), at=now, signal=without_reset) == counted


def test_the_event_being_judged_counts_too() -> None:
    assert count(at=call()) == 1


def test_what_comes_later_does_not_count_yet() -> None:
    assert count(call(at=NOW + INSTANT, id_="2"), at=call(at=NOW)) == 1


@pytest.mark.parametrize(
    ("other", "counted"),
    [
        (("/test", "1"), 2),  # before ("/test", "5"), so it counts
        (("/test", "6"), 1),
        (("/aaa", "9"), 2),
        (("/zzz", "1"), 1),
    ],
)
def test_at_one_instant_source_and_id_decide_who_is_first(
    other: tuple[str, str], counted: int
) -> None:
    source, id_ = other
    assert count(call(source=source, id_=id_), at=call(id_="5")) == counted


@pytest.mark.parametrize(
    ("outcome", "counted"),
    [
        ("unresolved", 1),
        ("escalated", 1),
        ("voicemail", 1),
        ("none", 1),
        (None, 1),
        ("resolved", 0),
    ],
)
def test_a_call_is_in_vain_unless_it_solved_something(outcome: str | None, counted: int) -> None:
    assert count(at=call(outcome)) == counted


def test_neither_mails_nor_our_own_calls_count() -> None:
    assert count(at=call(channel="email")) == 0
    assert count(at=call(direction="outbound")) == 0
    assert count(at=call(direction=...)) == 0  # unknown never fires
    assert IN_VAIN.points_of(event("survey.answered")) == []


def test_a_reset_forgets_what_came_before_it_and_nothing_after() -> None:
    before = [call(at=hours(h), id_=str(h)) for h in (-9, -8, -7)]
    solved = call("resolved", at=hours(-5), id_="solved")
    after = [call(at=hours(h), id_=str(h)) for h in (-3, -2)]
    assert count(*before, solved, *after, at=call(at=NOW, id_="now")) == 3
    assert count(*before, at=solved) == 0
    assert count(*before, at=call(at=hours(-6), id_="x")) == 4


def test_a_reset_that_fell_out_of_the_window_still_leaves_its_window_alone() -> None:
    solved = call("resolved", at=NOW - WEEK - INSTANT, id_="solved")
    inside = call(at=NOW - WEEK + INSTANT, id_="inside")
    assert count(solved, inside, at=call(id_="now")) == 2


def test_an_event_that_counts_and_resets_leaves_nothing() -> None:
    signal = Signal(
        name="calls",
        aggregate=Aggregate.COUNT,
        of="interaction.recorded",
        field=None,
        type=Type.BIGINT,
        where=None,
        within=WEEK,
        reset_when=compile_condition("outcome = 'resolved'", CALLS),
    )
    both = call("resolved")
    assert [point.kind for point in signal.points_of(both)] == [PointKind.MARK, PointKind.RESET]
    assert count(at=both, signal=signal) == 0


def test_points_of_another_definition_do_not_count() -> None:
    """Not even those of the same signal with another window: they were made from events of another
    stretch of time.
    """
    points = IN_VAIN.points_of(call(at=hours(-20)))
    assert value_at(IN_VAIN, call().order, points) == 1
    for other in (
        replace(IN_VAIN, where=compile_condition("channel = 'phone'", CALLS)),
        replace(IN_VAIN, within=timedelta(days=30)),
    ):
        assert value_at(other, call().order, points) == 0


def of(aggregate: str, field: str | None, **changes: Any) -> Signal:
    kind = EVENT_FIELDS["interaction.recorded"].get(field or "", Type.NULL)
    made = replace(
        IN_VAIN,
        aggregate=Aggregate(aggregate),
        field=field,
        type=Aggregate(aggregate).type_of(kind),
    )
    return replace(made, **{"where": None, "reset_when": None, **changes})


@pytest.mark.parametrize(
    ("aggregate", "field", "value", "of_nothing"),
    [
        ("count", None, 4, 0),
        ("sum", "duration_seconds", Decimal("150.5"), None),
        ("avg", "duration_seconds", Decimal("50.1666666666666667"), None),
        ("min", "duration_seconds", 30, None),
        ("max", "duration_seconds", Decimal("60.5"), None),
        ("distinct", "agent", 2, 0),
        ("last", "agent", "ann", None),
        ("last", "duration_seconds", Decimal("60.5"), None),
        ("days_since", None, 1, None),
    ],
)
def test_each_aggregate_reckons_with_the_marks_of_its_window(
    aggregate: str, field: str | None, value: Any, of_nothing: Any
) -> None:
    signal = of(aggregate, field)
    calls = [
        call(at=hours(-150), id_="1", duration_seconds=30, agent="ann"),
        call(at=hours(-100), id_="2", duration_seconds=60, agent="ben"),
        call(at=hours(-50), id_="3", duration_seconds=60.5, agent="ann"),
        call(at=hours(-40), id_="4"),
    ]
    points = [
        point
        for one in (*calls, call(at=hours(-1000), id_="old"))
        for point in signal.points_of(one)
    ]
    for order in (points, points[::-1]):
        assert value_at(signal, call().order, order) == value
    assert type(value_at(signal, call().order, points)) is type(value)
    assert value_at(signal, call(at=hours(-500)).order, points) == of_nothing


def test_whole_numbers_stay_whole_and_their_average_has_postgresqls_digits() -> None:
    points = [call(at=hours(-n), id_=str(n), duration_seconds=n) for n in (1, 2, 4)]
    for aggregate, value in (("sum", 7), ("avg", Decimal("2.3333333333333333"))):
        signal = of(aggregate, "duration_seconds")
        assert (
            value_at(signal, call().order, [p for one in points for p in signal.points_of(one)])
            == value
        )


CALL = st.tuples(
    st.integers(-200, 0),
    st.sampled_from(["unresolved", "resolved", None]),
    st.sampled_from(["/a", "/b"]),
)


@unhurried
@given(drawn=st.lists(CALL, max_size=12, unique_by=lambda c: (c[0], c[2])), data=st.data())
def test_any_order_of_arrival_gives_what_a_list_of_calls_would_say(
    drawn: list[tuple[int, str | None, str]], data: st.DataObject
) -> None:
    events = [
        call(outcome, at=hours(hour), id_=f"{hour}", source=source)
        for hour, outcome, source in drawn
    ]
    arrived = data.draw(st.permutations(events))
    points = [point for found in arrived for point in IN_VAIN.points_of(found)]
    for judged in events:
        window = [e for e in events if judged.time - WEEK < e.time and e.order <= judged.order]
        since_solved: list[Event] = []
        for found in sorted(window, key=lambda e: e.order):
            since_solved = [] if found.fields()["outcome"] == "resolved" else [*since_solved, found]
        assert values_at({"calls": IN_VAIN}, judged.order, points) == {"calls": len(since_solved)}
