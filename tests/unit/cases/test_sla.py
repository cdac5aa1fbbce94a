"""Promises: when they are due, which of their steps are set as timers, and what counts as kept."""

from datetime import timedelta
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.cases.clocks import Clock, Starts, start_clock, timers_of
from alerting.domain.cases.sla import ClockKind, Policy, Step, Target
from alerting.domain.times.durations import format_duration, parse_duration
from alerting.domain.times.working_time import Amount
from tests.support.builders import NOW, hours, rulebook, unhurried

H = timedelta(hours=1)
SENT, RECEIVED, OPENED = hours(0), hours(1), hours(2)
STARTS = Starts(customer_sent=SENT, received=RECEIVED, case_opened=OPENED)


def clock(
    within: timedelta = 24 * H, *steps: Step, starts: Any = "customer_sent"
) -> tuple[Clock, Target]:
    target = Target(by="caller", within=Amount(length=within), steps=steps)
    policy = Policy(id="policy", starts=starts, targets={ClockKind.CONTACT: target})
    return start_clock(ClockKind.CONTACT, policy, STARTS, cycle=2, plan=3), target


def step(**when: Any) -> Step:
    return Step(notify=("caller",), **when)


@pytest.mark.parametrize(
    ("starts", "begin"), [("customer_sent", SENT), ("received", RECEIVED), ("case_opened", OPENED)]
)
def test_a_clock_starts_where_its_policy_says(
    starts: Literal["customer_sent", "received", "case_opened"], begin: Any
) -> None:
    started, _ = clock(4 * H, starts=starts)
    assert (started.started_at, started.due_at) == (begin, begin + 4 * H)
    assert started.key == "2.contact.3"
    assert started.running


@pytest.mark.parametrize(
    ("stopped_after", "met"), [(None, None), (23.9, True), (24, True), (24.001, False)]
)
def test_a_promise_is_kept_up_to_and_with_its_due_instant(
    stopped_after: float | None, met: bool | None
) -> None:
    running, _ = clock()
    stopped = running if stopped_after is None else running.stop(hours(stopped_after))
    assert stopped.met is met
    assert stopped.running is (stopped_after is None)


@pytest.mark.parametrize(
    ("given", "instant"),
    [
        (step(before=12 * H), hours(12)),
        (step(before=timedelta(0)), hours(24)),
        (step(after=timedelta(0)), hours(24)),
        (step(after=2 * H), hours(26)),
        (step(at=Fraction(80, 100)), hours(19.2)),
        (step(at=Fraction(1)), hours(24)),
    ],
)
def test_a_step_lies_before_or_after_the_due_instant_or_at_a_share_of_the_target(
    given: Step, instant: Any
) -> None:
    assert given.instant(hours(0), hours(24)) == instant


SEVERAL = (
    step(before=12 * H),
    step(before=4 * H),
    step(at=Fraction(1, 2)),
    step(after=timedelta(0)),
    step(after=2 * H),
)


@pytest.mark.parametrize(
    ("opened", "left"),
    [
        (0, [1, 2, 3, 4, 5]),
        (11.9, [1, 2, 3, 4, 5]),
        (
            12,
            [2, 4, 5],
        ),  # a step due this very moment says no more than the mail that opens the case
        (19, [2, 4, 5]),
        (20, [4, 5]),
        (24, [4, 5]),
        (100, [4, 5]),  # however late: the steps after the due instant fire at once
    ],
)
def test_steps_that_have_passed_are_left_out_but_those_after_the_due_instant_fire_at_once(
    opened: float, left: list[int]
) -> None:
    started, target = clock(24 * H, *SEVERAL)
    timers = timers_of(started, target, hours(opened))
    assert [t.key for t in timers if t.kind == "step"] == [
        f"2.contact.3.{number}" for number in left
    ]
    assert [(t.key, t.due_at) for t in timers if t.kind == "missed"] == [("2.contact.3", hours(24))]


def test_a_timer_carries_what_its_firing_must_check() -> None:
    started, target = clock(24 * H, Step(notify=("caller", "vp_sales"), before=4 * H))
    (_, timer) = timers_of(started, target, NOW)
    assert timer.data == {
        "clock": "contact",
        "plan": 3,
        "cycle": 2,
        "notify": ["caller", "vp_sales"],
    }
    assert timer.due_at == hours(20)


STEPS = st.one_of(
    st.integers(0, 60).map(lambda h: step(before=h * H)),
    st.integers(0, 60).map(lambda h: step(after=h * H)),
    st.integers(1, 100).map(lambda percent: step(at=Fraction(percent, 100))),
)


@unhurried
@given(steps=st.lists(STEPS, max_size=6), within=st.integers(0, 60), opened=st.integers(-10, 90))
def test_only_steps_after_the_due_instant_may_lie_in_the_past(
    steps: list[Step], within: int, opened: int
) -> None:
    started, target = clock(within * H, *steps)
    timers = timers_of(started, target, hours(opened))
    assert len({timer.key for timer in timers}) == len(timers)
    for timer in timers:
        assert timer.due_at > hours(opened) or timer.due_at >= started.due_at
    kept = {timer.key for timer in timers}
    for number, given_ in enumerate(steps, 1):
        late = given_.after is None and given_.instant(started.started_at, started.due_at) <= hours(
            opened
        )
        assert (f"{started.key}.{number}" in kept) is not late


def test_the_starter_policies_promise_what_the_order_says() -> None:
    policy = rulebook().policies["call_in_24h"]
    due = {kind.value: target.within.length for kind, target in policy.targets.items()}
    assert due == {"acknowledge": 4 * H, "contact": 24 * H, "resolve": timedelta(days=7)}
    assert {target.by for target in policy.targets.values()} == {"caller", "fixer"}


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
        (" 7 d ", timedelta(days=7)),
        ("0h", timedelta(0)),
    ],
)
def test_durations_are_read_as_people_write_them(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "text", ["", "24", "9:00", "-1h", "1.5h", "1w", "P7D", "1h30m", "24 hours", "9999999d"]
)
def test_what_is_no_duration_is_refused_with_the_right_form(text: str) -> None:
    with pytest.raises(ValueError, match="write 30m, 24h or 7d"):
        parse_duration(text)


def test_working_days_are_for_targets_alone() -> None:
    with pytest.raises(ValueError, match="only targets are counted in working days"):
        parse_duration("5 working days")


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=1, minutes=20), "1 h 20 min"),
        (timedelta(hours=24), "1 d"),
        (timedelta(days=3, hours=4, minutes=59), "3 d 4 h"),
        (timedelta(hours=-2), "2 h"),
    ],
)
def test_durations_are_shown_in_the_two_units_that_matter(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


def test_a_step_is_repeated_so_many_times_and_never_for_the_past() -> None:
    every = Step(notify=("default",), after=timedelta(0), every=4 * H, times=3)
    started, target = clock(24 * H, every)
    assert every.words == "after 0h, every 4h, 3 times"

    def set_at(opened: float) -> list[tuple[int, Any]]:
        found = timers_of(started, target, hours(opened))
        return [(timer.n, timer.due_at) for timer in found if timer.kind == "step"]

    assert set_at(0) == [(1, hours(24)), (2, hours(28)), (3, hours(32))]
    assert set_at(29) == [(1, hours(24)), (3, hours(32))]
    assert set_at(40) == [(1, hours(24))]
