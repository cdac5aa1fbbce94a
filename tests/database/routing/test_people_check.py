"""`alerting check --people`: whom nobody owns, who cannot be reached, and steps that reach
nobody.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from alerting.domain.people.people import Team
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.routing_lint import Finding, findings_of
from alerting.services.routing.check_responsibility import check_people
from tests.support.builders import changed, rulebook, starter_people
from tests.support.installation import Run
from tests.support.world import World
from tests.unit.people.test_absences import absent, at

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


def kinds(found: list[Finding]) -> list[str]:
    return [one.kind for one in found if not one.warning]


def test_customers_whom_only_default_answers_for_are_counted_with_examples(world: World) -> None:
    world.known_customers()
    assert kinds(check_people(world.app.ctx)) == []
    world.take(
        *(
            world.customer(f"PARIS-{n}", name="Paris", country="FR", revenue_with_us=5)
            for n in range(5)
        )
    )
    world.take(world.customer("LONE", name="Lone"))
    found = [one for one in check_people(world.app.ctx) if not one.warning]
    assert [(one.kind, one.count, one.message) for one in found] == [
        (
            "unowned customers",
            1,
            "1 customer of segment unverified in no known country: nobody but default holds "
            "account_owner (such as LONE)",
        ),
        (
            "unowned customers",
            5,
            "5 customers of segment low_potential in FR: nobody but default holds account_owner "
            "(such as PARIS-0, PARIS-1, PARIS-2)",
        ),
    ]


def test_an_absence_leaves_no_customer_unowned(world: World) -> None:
    world.known_customers()
    absence = [{"from": "2026-03-01", "to": "2026-03-31"}]
    for name in ("owner_north", "lead_central"):
        world.take(
            world.envelope(
                "person.updated", {"person_id": name, "absences": absence, "substitute": None}
            )
        )
    found = check_people(world.app.ctx)
    assert kinds(found) == []
    assert [one.about for one in found if one.kind == "nobody stands in"] == [
        ("lead_central",),
        ("owner_north",),
    ]


def test_whoever_left_and_still_owns_customers_or_holds_cases_is_named(world: World) -> None:
    world.known_customers()
    world.take(
        world.survey("ALPENWERK"), world.customer("STRAY", owner="who_is_this", country="DE")
    )
    world.take(world.envelope("person.removed", {"person_id": "owner_north"}))
    found = {one.message for one in check_people(world.app.ctx) if not one.warning}
    assert {
        "Olga Sample has left and owns 2 customers (such as ACME-AERO, ALPENWERK)",
        "who_is_this is not in people.yaml and owns 1 customer (such as STRAY)",
        f"Olga Sample has left and holds 1 open (such as {world.case('ALPENWERK').number})",
    } <= found


def test_a_contract_that_cannot_be_kept_is_named(world: World) -> None:
    world.known_customers()
    wrong = (
        {"contact": "2h", "calendar": "berlni"},
        {"resolve": "3 working days", "calendar": "always"},
        {"contact": "2h"},
    )
    world.take(
        *(world.customer(f"K-{n}", name=f"K {n}", contract=one) for n, one in enumerate(wrong))
    )
    found = [
        one for one in check_people(world.app.ctx) if one.kind == "contract that cannot be kept"
    ]
    assert [(one.about, one.count) for one in found] == [(("K-0",), 1), (("K-1",), 1)]
    assert "names the calendar 'berlni', which calendars.yaml does not have" in found[0].message


def test_the_command_tells_it_and_exits_with_one_where_something_is_wrong(
    migrated: Run, own_world: World
) -> None:
    fine = migrated("check", "--people")
    assert (fine.returncode, fine.stdout) == (0, "0 problems, 1 warning.\n")
    own_world.take(own_world.envelope("person.removed", {"person_id": "ceo"}))
    wrong = migrated("check", "--people", "--json")
    assert wrong.returncode == 1
    problems = [(one["kind"], one["about"]) for one in json.loads(wrong.stdout)["problems"]]
    assert ("unknown person", ["vp_sales", "ceo"]) in problems
    assert (
        "unknown person: the manager of Vera Sample: Cora Sample has left"
        in migrated("check", "--people").stderr
    )


def test_the_people_commands_list_import_and_clear(
    migrated: Run, installation: Any, own_world: World
) -> None:
    (installation / "staff.csv").write_text(
        "person_id,name,email\nnora,Nora New,nora@example.com\n"
    )
    assert "1 changed, 0 unchanged, 0 bad rows." in migrated("import-people", "staff.csv").stdout
    assert "0 changed, 1 unchanged" in migrated("people", "import", "staff.csv").stdout
    listed = json.loads(migrated("people", "list", "--json").stdout)
    assert next(one for one in listed if one["id"] == "nora")["state"] == "here"
    assert "Nora New" in migrated("people", "list").stdout
    assert "Nora" not in migrated("people", "list", "--at", "2020-01-01").stdout
    refused = migrated("people", "reachable", "nora")
    assert (refused.returncode, refused.stderr) == (
        1,
        "error: no mail to Nora New was refused; there is nothing to clear\n",
    )
