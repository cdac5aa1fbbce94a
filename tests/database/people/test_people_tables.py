"""People from a table."""

from pathlib import Path
from typing import Any

import pytest

from alerting.adapters.imports.people_tables import read_table
from alerting.domain.errors import ActionRefused
from alerting.services.people.import_people import import_people_table
from tests.support.people.facts import staff
from tests.support.world import World


def table(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "staff.csv"
    path.write_text(text)
    return read_table(str(path))


def test_people_come_from_a_table_and_the_same_file_again_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    given = table(
        tmp_path,
        "id,name,email,kind,manager,absent_from,absent_to,absent_substitute,members,active\n"
        "nora,Nora New,nora@example.com,,ceo,2026-03-02,2026-03-08,vp_sales,,\n"
        "nora,,,,,2026-04-02,2026-04-08,,,\n"
        "crew,Crew,,team,,,,,nora vp_sales,\n"
        "owner_west,,,,,,,,,no\n",
    )
    first = import_people_table(world.app.ctx, given)
    assert (first.changed, first.unchanged, first.bad, first.warnings) == (3, 0, [], [])
    found = staff(world)
    assert [absence.words for absence in found.parties["nora"].absences] == [
        "is absent from 2026-03-02 to 2026-03-08",
        "is absent from 2026-04-02 to 2026-04-08",
    ]
    assert found.teams["crew"].members == ("nora", "vp_sales")
    assert found.former["owner_west"].name == "Otto Sample"
    again = import_people_table(world.app.ctx, given)
    assert (again.changed, again.unchanged) == (0, 3)


def test_bad_rows_are_named_and_the_others_taken(small_world: World, tmp_path: Path) -> None:
    given = table(
        tmp_path,
        "person_id,name,email,manager,active,absent_from,absent_to\n"
        "nora,Nora,nora@example.com,nobody_yet,,,\n"
        "Otto,Otto,otto@example.com,,,,\n"
        ",Ann,ann@example.com,,,,\n"
        "ann,Ann,ann,,,,\n"
        "ben,Ben,ben@example.com,,perhaps,,\n"
        "cid,Cid,cid@example.com,,,2026-03-08,2026-03-02\n"
        "nora,Nora,,,,,\n"
        "dan,Dan,,,,,\n",
    )
    result = import_people_table(small_world.app.ctx, given)
    assert (result.changed, [line for line, _ in result.bad]) == (2, [3, 4, 5, 6, 7, 8])
    reasons = [reason for _, reason in result.bad]
    assert (
        reasons[0]
        == "person_id: 'Otto' is no id: small letters, digits, - _ and . only, a letter or digit "
        "first"
    )
    assert reasons[1] == "person_id: is empty"
    assert reasons[2] == "email: 'ann' is not one mail address"
    assert reasons[3] == "active: 'perhaps' is not true or false"
    assert "2026-03-02 lies before 2026-03-08" in reasons[4]
    assert reasons[5] == "person_id: stands in line 2 already, and this row adds no absence"
    assert result.warnings == [
        (2, "manager: nobody_yet is not in people.yaml"),
        (9, "dan cannot be told anything yet: email missing"),
    ]


def test_a_heading_nobody_knows_is_refused_with_what_was_meant(
    small_world: World, tmp_path: Path
) -> None:
    with pytest.raises(
        ActionRefused, match=r"unknown columns e-mail \(did you mean email\?\); leave them out"
    ):
        table(tmp_path, "person_id,e-mail\nann,ann@example.com\n")
    with pytest.raises(
        ActionRefused, match="there is no column person_id; known are person_id, active"
    ):
        table(tmp_path, "name\nAnn\n")


def test_nobody_is_their_own_manager(small_world: World, tmp_path: Path) -> None:
    text = "person_id,name,email,manager,substitute\nnora,Nora,nora@example.com,nora,\nann,Ann,ann@example.com,,ann\n"  # noqa: E501
    assert import_people_table(small_world.app.ctx, table(tmp_path, text)).bad == [
        (2, "manager: 'nora' cannot be their own manager; leave the cell empty"),
        (3, "substitute: 'ann' cannot be their own substitute; leave the cell empty"),
    ]
