"""Whom rules may name."""

from pathlib import Path

from alerting.adapters.rulebook.people_file import read_people
from tests.support.builders import party


def test_rules_may_name_people_who_came_by_a_table_but_nobody_who_left_the_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "people.yaml").write_text(
        "people:\n  - {id: ann, name: Ann, email: a@b.c, manager: nora}\n"
    )
    assert set(read_people(tmp_path / "people.yaml", {"nora": party("nora")})) == {"ann"}
