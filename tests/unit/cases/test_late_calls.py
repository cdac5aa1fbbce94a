"""Calls and complaints that are recorded late come to the same as those recorded at once."""

import pytest

from alerting.domain.cases.cases import Status
from alerting.domain.cases.clocks import Starts
from tests.support.builders import NOW, hours
from tests.support.cases.decisions import QUICK, RELAXED, File, alert


def test_a_call_recorded_late_comes_to_the_same_as_one_recorded_at_once() -> None:
    at_once = File(alert()).tried("ann", hours(1)).joined(alert(at=hours(2), id_=2), hours(2))
    late = (
        File(alert())
        .joined(alert(at=hours(2), id_=2), hours(2))
        .tried("ann", hours(5), happened_at=hours(1))
    )
    assert (late.case, late.dues()) == (at_once.case, at_once.dues())
    assert late.case.status is Status.OPEN
    assert late.clocks["1.contact.1"].stopped_at == hours(1)
    assert late.told == [("ann", "call"), ("office", "fix")]
    assert late.audit == ["contact.made", "case.reopened"]


def test_what_was_mended_after_the_newest_complaint_stays_mended_when_an_earlier_call_is_recorded() -> (  # noqa: E501
    None
):
    file = File(alert()).joined(alert(at=hours(2), id_=2), hours(2)).mended(hours(3))
    file.tried("ann", hours(5), happened_at=hours(1))
    assert (file.case.status, file.case.cycle, set(file.dues())) == (
        Status.OPEN,
        2,
        {"acknowledge", "contact"},
    )
    assert file.tried("ann", hours(6)).case.status is Status.RESOLVED


def test_a_late_recorded_call_leaves_the_strictest_promise_of_all_that_was_written_after_it() -> (
    None
):
    """The order in which two further complaints are stored, and when the call is recorded, change
    nothing.
    """
    quick, relaxed = alert(sla=QUICK, at=hours(2), id_=2), alert(sla=RELAXED, at=hours(8), id_=3)
    at_once = File(alert()).tried("ann", hours(1)).joined(quick, hours(2)).joined(relaxed, hours(8))
    for further in ([quick, relaxed], [relaxed, quick]):
        late = File(alert())
        for complaint in further:
            late.joined(complaint, hours(8))
        late.tried("ann", hours(9), happened_at=hours(1))
        assert (
            late.dues()
            == at_once.dues()
            == {"acknowledge": hours(3), "contact": hours(10), "resolve": hours(50)}
        )
        assert late.case.cycle == 2


def test_a_late_complaint_that_a_call_has_answered_already_makes_no_promise_stricter() -> None:
    file = File(alert()).tried("ann", hours(3)).joined(alert(at=hours(5), id_=2), hours(5))
    dues = file.dues()
    file.joined(alert(sla=QUICK, at=hours(1), id_=3), hours(6))
    assert {kind: dues[kind] for kind in ("acknowledge", "contact")} == {
        kind: due for kind, due in file.dues().items() if kind != "resolve"
    }
    assert file.case.cycle == 2


@pytest.mark.parametrize("order", [(1, 3), (3, 1)])
def test_a_call_between_two_complaints_is_taken_in_whatever_order_they_came(
    order: tuple[int, int],
) -> None:
    first, second = order
    file = File(alert(at=hours(first)), hours(4)).joined(alert(at=hours(second), id_=2), hours(4))
    file.tried("ann", hours(5), happened_at=hours(2))
    assert (file.case.status, file.case.cycle, file.case.answered_until) == (
        Status.OPEN,
        2,
        hours(2),
    )
    assert file.dues()["contact"] == hours(27)


def test_a_clock_ahead_of_ours_does_not_date_a_complaint_after_its_arrival() -> None:
    ahead = Starts.of_event(hours(0.05), NOW, NOW)
    assert ahead.customer_sent == NOW
    assert Starts.of_event(hours(-1), NOW, NOW).customer_sent == hours(-1)


def test_an_earlier_call_recorded_second_is_when_the_promise_was_kept() -> None:
    file = (
        File(alert(sla=QUICK)).tried("ann", hours(9)).tried("ben", hours(10), happened_at=hours(2))
    )
    assert file.clocks["1.contact.1"].met
    between = (
        File(alert(sla=QUICK))
        .joined(alert(sla=QUICK, at=hours(3), id_=2), hours(3))
        .tried("ann", hours(9))
    )
    between.tried("ben", hours(10), happened_at=hours(2))
    assert (
        between.clocks["1.contact.1"].met is False
    )  # the second complaint was answered by the later call only


def test_what_was_mended_between_two_complaints_is_not_asked_for_again_when_an_earlier_call_is_recorded() -> (  # noqa: E501
    None
):
    def live(*, late: bool) -> File:
        file = File(alert())
        if not late:
            file.tried("ann", hours(1))
        file.joined(alert(at=hours(2), id_=2), hours(2)).mended(hours(3)).joined(
            alert(sla=RELAXED, at=hours(4), id_=3), hours(4)
        )
        return file.tried("ann", hours(5), happened_at=hours(1)) if late else file

    assert (
        live(late=True).dues()
        == live(late=False).dues()
        == {"acknowledge": hours(6), "contact": hours(26)}
    )


def test_an_earlier_call_recorded_last_does_not_take_back_what_the_later_one_answered() -> None:
    file = File(alert()).tried("ann", hours(5)).tried("ben", hours(6), happened_at=hours(1))
    assert file.joined(alert(at=hours(3)), hours(7)).case.cycle == 1
