"""What a check of the people finds: nobody there, nobody reached, circles, steps in vain."""

from collections.abc import Mapping
from typing import Any

import pytest

from alerting.domain.people.people import Team
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.routing_lint import findings_of
from tests.support.builders import changed, rulebook, starter_people
from tests.support.people.staff import absent, at

PEOPLE = dict(starter_people())


def staff_with(
    more: Mapping[str, Any] | None = None, facts: Mapping[str, Any] | None = None, **fields: Any
) -> Staff:
    """The sample's people; `ceo={"manager": "x"}` changes one of them, `more` adds some, `facts`
    what holds beside.
    """
    known = {name: one.model_copy(update=fields.get(name, {})) for name, one in PEOPLE.items()}
    return at(*{**known, **(more or {})}.values(), **(facts or {}))


def said(
    staff: Staff, files: dict[str, str] | None = None, owners: tuple[str, ...] = ()
) -> list[str]:
    found = findings_of(rulebook(files), staff, owners)
    return [f"{'warning ' if one.warning else ''}{one.kind}: {one.message}" for one in found]


LOW = (
    "warning unowned segment: the segment low_potential has no lead, and account_owner may ask "
    "for one"
)


def test_the_sample_is_in_order_but_for_a_segment_no_rule_names() -> None:
    assert said(staff_with(), owners=("owner_north", "owner_west", "lead_central")) == [LOW]


GONE = {"active": False}


@pytest.mark.parametrize(
    ("staff", "finding"),
    [
        (
            staff_with(facts={"ceo": GONE}),
            "unknown person: the manager of Vera Sample: Cora Sample has left",
        ),
        (
            staff_with(facts={"vp_sales": GONE}),
            "unknown person: the role vp_sales: Vera Sample has left",
        ),
        (
            staff_with(facts={"lead_america": GONE}),
            "unknown person: the lead of US: Leo Sample has left",
        ),
        (
            staff_with(facts={"specialist_healthcare": GONE}),
            "unknown person: the lead of the industry healthcare: Hanna Sample has left",
        ),
        (
            staff_with(office_munich={"manager": None}),
            "empty office: the office Munich office has nobody: no person names it, and it has no "
            "manager",
        ),
        (
            staff_with(facts={"office_munich": {"email": None}}),
            "known in part: office_munich cannot be told anything: email missing",
        ),
        (
            staff_with(
                facts={"ceo": {"refused": {"address": "ceo@example.com", "on": "2026-03-05"}}}
            ),
            "address refused: Cora Sample cannot be reached (mail to this address was refused on "
            "2026-03-05)",
        ),
        (
            staff_with(ceo={"manager": "vp_sales"}),
            "circle: the managers go round in a circle: ceo, vp_sales, ceo",
        ),
        (
            staff_with(head_of_service={"substitute": "vp_sales"}),
            "circle: the substitutes go round in a circle: head_of_service, vp_sales, "
            "head_of_service",
        ),
        (
            staff_with(ceo={"absences": (absent(),)}),
            "warning nobody stands in: Cora Sample is absent from 2026-03-02 to 2026-03-08, nobody "
            "stands in",
        ),
        (
            staff_with({"crew": Team(id="crew", name="Crew", members=("x", "y"))}),
            "empty team: the team Crew has nobody who is here",
        ),
        (
            staff_with({"crew": Team(id="crew", name="Crew", members=("ceo", "x"))}),
            "unknown person: the team Crew: x is not in people.yaml",
        ),
        (
            staff_with(vp_sales={"substitute": None, "manager": None}),
            "unreachable step: call_in_24h, contact, step 2: substitute reaches nobody for Vera "
            "Sample: goes to default",
        ),
        (
            staff_with(office_munich={"manager": None}),
            "warning unreachable step: call_in_24h, resolve, step 2: manager of fixer reaches "
            "nobody for Munich office: "
            "goes to default",
        ),
    ],
)
def test_what_is_wrong_is_found(staff: Staff, finding: str) -> None:
    assert finding in said(staff, owners=("owner_north",))


@pytest.mark.parametrize(
    ("edit", "finding"),
    [
        (
            ("  key: vp_sales\n", ""),
            "unowned segment: the segment key has no lead, and account_owner may ask for one",
        ),
        (
            ("  high_potential: head_of_service\n", ""),
            "unowned segment: the segment high_potential has no lead, and account_owner may ask "
            "for one",
        ),
    ],
)
def test_segments_a_rule_names_need_a_lead(edit: tuple[str, str], finding: str) -> None:
    assert finding in said(staff_with(), changed(routing=edit))


def test_the_holder_of_the_checkpoints_must_be_here() -> None:
    files = changed(settings=("currency: EUR", "audit_holder: lead_america\ncurrency: EUR"))
    gone = staff_with(facts={"lead_america": GONE})
    assert (
        "unknown person: the audit_holder of settings.yaml, who keeps the checkpoints: Leo Sample "
        "has left" in said(gone, files)
    )
