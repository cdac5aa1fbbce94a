"""A wrong time is corrected once somebody else approves it, and clocks are reckoned anew."""

from datetime import datetime

import pytest
from sqlalchemy import select

from alerting.database.tables import clock_entry, contact_attempt, correction
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts
from tests.support.cases.work import H, do, hours, let_wait
from tests.support.world import BEGIN, World


def test_a_wrong_time_is_corrected_once_somebody_else_approves_it(unhappy: World) -> None:
    unhappy.pass_time(hours=30)
    unhappy.tick()
    unhappy.deliver()
    unhappy.reached("ACME-AERO", "vp_sales")
    assert not unhappy.clocks("ACME-AERO")["contact"].met
    text = do(
        unhappy, acts.ProposeCorrection(becomes=BEGIN + 20 * H, reason="The phone's log says so.")
    )
    assert text == "Correction 1 is proposed; it counts once somebody else approves it."
    assert not unhappy.clocks("ACME-AERO")["contact"].met
    assert "Vera Sample asks you to approve a corrected time - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]
    with pytest.raises(ActionRefused, match="approved by somebody else"):
        do(unhappy, acts.DecideCorrection(correction=1, approve=True))
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    kept = unhappy.clocks("ACME-AERO")["contact"]
    assert (kept.met, hours(kept.worked or H)) == (True, 20)
    assert unhappy.case("ACME-AERO").contacted_at == BEGIN + 20 * H
    (row,) = unhappy.rows(select(contact_attempt))
    assert row.happened_at == BEGIN + 20 * H
    ledger = unhappy.rows(
        select(clock_entry).where(clock_entry.c.kind == "contact").order_by(clock_entry.c.id)
    )
    told = [(e.what, hours(e.happened_at - BEGIN)) for e in ledger]
    assert told == [("started", 0), ("missed", 24), ("stopped", 30), ("corrected", 20)]
    with pytest.raises(ActionRefused, match="decided already"):
        do(unhappy, acts.DecideCorrection(correction=1, approve=False), by="ceo")


def test_a_declined_correction_changes_nothing(unhappy: World) -> None:
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", "vp_sales")
    unhappy.fixed("ACME-AERO")
    do(
        unhappy,
        acts.ProposeCorrection(what="cause", becomes=BEGIN + H, reason="It was mended before."),
        by="office_berlin",
    )
    before = unhappy.clocks("ACME-AERO")
    do(unhappy, acts.DecideCorrection(correction=1, approve=False), by="ceo")
    assert unhappy.clocks("ACME-AERO") == before
    (row,) = unhappy.rows(select(correction))
    assert (row.approved, row.decided_by) == (False, "ceo")


@pytest.mark.parametrize(
    ("becomes", "why"), [(BEGIN - H, "before the customer wrote"), (BEGIN + 9 * H, "ahead of now")]
)
def test_a_correction_that_could_not_be_is_refused_when_it_is_proposed(
    unhappy: World, becomes: datetime, why: str
) -> None:
    unhappy.pass_time(hours=2)
    unhappy.take(unhappy.survey(score=1))
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", "vp_sales")
    with pytest.raises(ActionRefused, match=why):
        do(unhappy, acts.ProposeCorrection(becomes=becomes, reason="I remember."))


@pytest.mark.parametrize(
    ("right", "length", "worked", "met"), [(6, 28, 2, True), (26, 47, 3, True), (50, 47, 27, False)]
)
def test_a_corrected_call_is_reckoned_with_the_cases_waits(
    unhappy: World, right: int, length: int, worked: int, met: bool
) -> None:
    """Waited from hour 2 to 25; the call was written down at hour 1."""
    unhappy.pass_time(hours=1)
    unhappy.reached("ACME-AERO", "vp_sales", outcome="voicemail")
    unhappy.pass_time(hours=1)
    let_wait(unhappy, WaitingFor.THIRD_PARTY)
    unhappy.pass_time(hours=23)
    do(unhappy, acts.GoOn())
    unhappy.pass_time(hours=28)
    unhappy.reached("ACME-AERO", "vp_sales", minutes_ago=52 * 60)
    do(unhappy, acts.ProposeCorrection(becomes=BEGIN + right * H, reason="The log."))
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    kept = unhappy.clocks("ACME-AERO")["contact"]
    assert (hours(kept.due_at - BEGIN), hours(kept.worked or H), kept.met) == (length, worked, met)


def test_of_several_calls_the_first_that_reached_counts_after_a_correction(unhappy: World) -> None:
    for at in (25, 2):
        unhappy.pass_time(hours=at)
        unhappy.reached("ACME-AERO", "vp_sales")
    unhappy.pass_time(hours=1)
    with pytest.raises(ActionRefused, match="has no call 9"):
        do(unhappy, acts.ProposeCorrection(call=9, becomes=BEGIN + 4 * H, reason="The log."))
    do(unhappy, acts.ProposeCorrection(call=2, becomes=BEGIN + 4 * H, reason="The log."))
    do(unhappy, acts.ProposeCorrection(call=2, becomes=BEGIN + 5 * H, reason="Or so."))
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    kept, case = unhappy.clocks("ACME-AERO")["contact"], unhappy.case("ACME-AERO")
    assert (hours(kept.worked or H), kept.met) == (4, True)
    assert case.answered_until is not None
    assert hours(case.answered_until - BEGIN) == 25
    with pytest.raises(ActionRefused, match="not recorded at 2026-03-07 11:30Z any more"):
        do(unhappy, acts.DecideCorrection(correction=2, approve=True), by="ceo")


def test_a_corrected_voicemail_keeps_no_promise(unhappy: World) -> None:
    unhappy.pass_time(hours=29)
    unhappy.reached("ACME-AERO", "vp_sales", outcome="voicemail")
    unhappy.reached("ACME-AERO", "vp_sales")
    do(unhappy, acts.ProposeCorrection(call=1, becomes=BEGIN + 2 * H, reason="The log."))
    with pytest.raises(ActionRefused, match="is an office"):
        do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="office_berlin")
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    assert not unhappy.clocks("ACME-AERO")["contact"].met
    assert [
        hours(row.happened_at - BEGIN)
        for row in unhappy.rows(select(contact_attempt).order_by(contact_attempt.c.id))
    ] == [2, 29]
