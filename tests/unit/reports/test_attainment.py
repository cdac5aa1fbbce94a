"""Response times: nearest-rank quantiles, and what is open and overdue counts as missed."""

from datetime import timedelta
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.reports.attainment import Promise, attainment, nth, rank
from tests.support.builders import NOW, hours, unhurried

DUE = 24


def promise(stopped: float | None, due: float = DUE) -> Promise:
    """Made at NOW, due and stopped that many hours later."""
    stopped_at = None if stopped is None else hours(stopped)
    return Promise(
        kind="contact",
        party="ann",
        case_id=1,
        started_at=NOW,
        due_at=hours(due),
        stopped_at=stopped_at,
    )


@pytest.mark.parametrize(
    ("stopped", "now", "state"),
    [
        (2, 30, "met"),
        (24, 30, "met"),
        (24.01, 30, "late"),
        (None, 23, "running"),
        (None, 24, "running"),
        (None, 24.01, "overdue"),
    ],
)
def test_a_promise_is_met_late_running_or_overdue(
    stopped: float | None, now: float, state: str
) -> None:
    assert promise(stopped).state(hours(now)) == state


def test_what_is_open_and_overdue_counts_as_missed_with_its_time_so_far() -> None:
    found = attainment([promise(1), promise(2), promise(None), promise(None, due=99)], hours(48))
    assert (found.met, found.late, found.overdue, found.running) == (2, 0, 1, 1)
    assert found.measured == 3
    assert found.share == pytest.approx(2 / 3)
    assert found.p90 is not None
    assert (found.p90.value, found.p90.at_least) == (timedelta(hours=48), True)
    assert found.median is not None
    assert (found.median.value, found.median.at_least) == (timedelta(hours=2), False)


def test_nothing_measured_has_no_share_and_no_quantile() -> None:
    for promises in ([], [promise(None)]):
        found = attainment(promises, hours(1))
        assert (found.share, found.median, found.p90) == (None, None, None)


@pytest.mark.parametrize(
    ("count", "median", "p90"),
    [(1, 1, 1), (2, 1, 2), (9, 5, 9), (10, 5, 9), (11, 6, 10), (20, 10, 18), (100, 50, 90)],
)
def test_quantiles_are_nearest_rank(count: int, median: int, p90: int) -> None:
    found = attainment([promise(h) for h in range(count, 0, -1)], hours(1000))
    assert found.median is not None
    assert found.p90 is not None
    assert found.median.value == timedelta(hours=median)
    assert found.p90.value == timedelta(hours=p90)


DRAWN = st.lists(
    st.tuples(st.integers(1, 60), st.one_of(st.none(), st.integers(0, 90))), max_size=40
)


@unhurried
@given(drawn=DRAWN, elapsed=st.integers(0, 100))
def test_it_agrees_with_counting_by_hand(drawn: list[tuple[int, int | None]], elapsed: int) -> None:
    known = [
        (due, stopped if stopped is None or stopped <= elapsed else None) for due, stopped in drawn
    ]
    found = attainment([promise(stopped, due) for due, stopped in known], hours(elapsed))
    answered = [stopped for _, stopped in known if stopped is not None]
    overdue = [elapsed for due, stopped in known if stopped is None and elapsed > due]
    assert found.met + found.late == len(answered)
    assert found.met == sum(1 for due, stopped in known if stopped is not None and stopped <= due)
    assert found.overdue == len(overdue)
    assert found.met + found.late + found.overdue + found.running == len(known)
    times = sorted([*answered, *overdue])
    for share, quantile in ((Fraction(1, 2), found.median), (Fraction(9, 10), found.p90)):
        if not times:
            assert quantile is None
            continue
        assert quantile is not None
        naive = next(t for rank, t in enumerate(times, 1) if Fraction(rank, len(times)) >= share)
        assert quantile.value == timedelta(hours=naive)
        assert naive == times[ceil(share * len(times)) - 1]


@given(
    parts=st.lists(st.lists(st.integers(0, 10**12)), min_size=1).filter(any),
    percent=st.integers(1, 100),
)
def test_the_nth_of_several_ordered_lists_is_that_of_all_of_them(
    parts: list[list[int]], percent: int
) -> None:
    ordered = sorted(value for part in parts for value in part)
    n = rank(percent, len(ordered))
    assert nth([sorted(part) for part in parts], n) == ordered[n - 1]
    assert sum(value <= ordered[n - 1] for value in ordered) * 100 >= percent * len(ordered)
