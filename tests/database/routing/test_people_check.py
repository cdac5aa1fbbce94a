"""`alerting check --people`: whom nobody owns, who cannot be reached, and steps that reach
nobody.
"""

import json
from typing import Any

from alerting.domain.rulebook.routing_lint import Finding
from alerting.services.routing.check_responsibility import check_people
from tests.support.installation import Run
from tests.support.world import World


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
