"""What people do with a case beside calling: assigned, refused, at the same time."""

from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.tables import case_file, clock, wait
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts
from alerting.services.cases.respond import Seen
from tests.support.cases.work import H, do, let_wait
from tests.support.world import BEGIN, World, recipients


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (
            acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason=" "),
            "say in a few words what is waited for",
        ),
        (
            acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason="x", until=BEGIN - H),
            "which has passed",
        ),
        (
            acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason="x", until=BEGIN + 400 * H),
            "at most 14 d",
        ),
        (acts.GoOn(), "C-1 does not wait"),
        (acts.ReviewEffect(effective=True), "not resolved yet"),
        (acts.AddNote(text=" "), "the note is empty"),
        (
            acts.Resolve(root_cause="gremlins", action="repaired"),
            "root cause is one of product, delivery",
        ),
        (acts.Resolve(root_cause="other", action="repaired"), "'other' says nothing by itself"),
        (acts.Resolve(root_cause="product"), "say what was wrong and what was done about it"),
        (acts.Resolve(corrective_action="CA-1", note="x"), "declares no corrective actions"),
        (acts.Assign(to="vp_sales"), "is with vp_sales already"),
        (acts.Assign(to="office_berlin"), "is an office; name a person"),
        (acts.Assign(to="nobody_here"), "is nobody in people.yaml"),
        (acts.HandOver(to="lead_central", reason=" "), "why it is handed over"),
        (acts.ProposeCorrection(becomes=BEGIN, reason="x"), "nobody has reached the customer"),
        (acts.DecideCorrection(correction=9, approve=True), "has no correction 9"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason_and_changes_nothing(
    unhappy: World, act: Any, why: str
) -> None:
    before = unhappy.case("ACME-AERO"), unhappy.clocks("ACME-AERO")
    with pytest.raises(ActionRefused, match=why):
        do(unhappy, act)
    assert (unhappy.case("ACME-AERO"), unhappy.clocks("ACME-AERO")) == before


def test_the_call_and_the_fixing_can_be_assigned(unhappy: World) -> None:
    do(unhappy, acts.Assign(to="lead_central"), by="ceo")
    assert unhappy.case("ACME-AERO").caller == "lead_central"
    do(unhappy, acts.Assign(duty="fixer", to="office_munich", reason="theirs"), by="ceo")
    case = unhappy.case("ACME-AERO")
    assert (case.fixer, "office_berlin" in case.informed) == ("office_munich", True)
    assert {"lead.central", "vp.sales"} < set(recipients(unhappy.deliver()))
    assert unhappy.clocks("ACME-AERO")["resolve"].running


def test_two_people_at_once_do_not_undo_each_others_work(unhappy: World) -> None:
    case = unhappy.case("ACME-AERO")
    seen = Seen(revision=case.revision)
    do(unhappy, acts.Assign(to="lead_central"), by="ceo", claim=seen, door="page")
    with pytest.raises(
        ActionRefused, match="C-1 has changed since you looked, and is with lead_central now"
    ):
        do(unhappy, acts.Assign(to="owner_north"), by="ceo", claim=seen, door="page")
    assert unhappy.case("ACME-AERO").caller == "lead_central"


def test_what_people_wrote_about_a_case_is_forgotten_with_its_customer(strict: World) -> None:
    strict.pass_time(days=3)
    strict.take(strict.survey(score=1))
    let_wait(strict)
    strict.take(strict.envelope("customer.forgotten", {"customer_id": "ACME-AERO"}))
    assert [row.reason for row in strict.rows(select(wait))] == [""]
    (case,) = strict.rows(select(case_file))
    assert (case.status, case.waiting_since) == ("resolved", None)
    assert [row.ended_by for row in strict.rows(select(wait))] == ["forgotten"]


def test_whoever_missed_a_promise_missed_it_whoever_has_the_case_later(unhappy: World) -> None:
    unhappy.pass_time(hours=25)
    unhappy.tick()
    do(unhappy, acts.HandOver(to="lead_central", reason="on a plane"))
    unhappy.reached("ACME-AERO", "lead_central")
    (row,) = unhappy.rows(select(clock).where(clock.c.kind == "contact"))
    assert row.party == "vp_sales"
