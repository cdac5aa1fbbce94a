"""People, lists and links are checked with the rules."""

from pathlib import Path

import pytest

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.people_file import read_people
from alerting.adapters.rulebook.rule_files import read_all
from alerting.domain.errors import RulebookInvalid
from tests.support.rulebook.files import refused

PEOPLE = "people:\n  - {id: ann, name: Ann, email: ann@example.com, manager: ben}\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (PEOPLE, ":2:50: no person is called 'ben' (known are ann)"),
        (PEOPLE.replace("ben", "ann"), ":2:50: nobody is their own manager"),
        (PEOPLE.replace(", manager: ben", "") * 2, ":3:1: this key stands here twice"),
        (
            PEOPLE.replace("manager: ben", "time_zone: Europe/Berln"),
            ":2:50: 'Europe/Berln' is not a time zone",
        ),
        (
            PEOPLE.replace("ann@example.com, manager: ben", "ann"),
            ":2:26: 'ann' is not one mail address",
        ),
        (
            PEOPLE.replace("manager: ben", "phone: +493055"),
            ":2:50: a text is needed here (put it in quotes)",
        ),
        (PEOPLE.replace("manager: ben", "boss: ben"), ":2:50: unknown key 'boss'"),
        (
            "people:\n  - {id: Ann, name: Ann, email: a@b.c}\n",
            ":2:6: 'Ann' does not fit here (small letters",
        ),
        ("people: []\n", ":1:1: this is empty (write at least one"),
        ("", ":1:1: the file is empty (begin with `people:`)"),
        (
            PEOPLE.replace(", manager: ben", "")
            + "offices:\n  - {id: ann, name: Berlin, email: b@example.com}\n",
            ":4:6: 'ann' stands here twice",
        ),
        (
            PEOPLE.replace(", manager: ben", "")
            + "offices:\n  - {id: berlin, name: Berlin, email: here, time_zone: x}\n",
            ":4:32: 'here' is not one mail address",
        ),
    ],
)
def test_people_who_do_not_fit_are_refused_at_their_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(text)
    with pytest.raises(RulebookInvalid) as caught:
        read_people(path)
    assert str(caught.value.problems[0]).startswith("rules/people.yaml" + problem), (
        caught.value.problems
    )


def test_a_day_no_calendar_has_is_one_mistake_at_its_place_among_others(
    folders: tuple[Path, Path],
) -> None:
    rules, templates = folders
    (rules / "settings.yaml").write_text("go_live: 2026-02-29T00:00:00Z\ncurency: EUR\n")
    people = (rules / "people.yaml").read_text()
    (rules / "people.yaml").write_text(
        people + "teams:\n  - {id: t, name: T, members: [ceo], begins: 2026-02-30}\n"
    )
    found = refused(rules, templates)
    assert [line.split(" (")[0] for line in found] == [
        "rules/people.yaml:26:38: must be a day of the calendar written year-month-day, such as "
        "2026-05-31",
        "rules/settings.yaml:1:1: must be a valid datetime or date, day value is outside expected "
        "range",
        "rules/settings.yaml:2:1: unknown key 'curency'",
    ]


def test_lists_and_links_are_checked(folders: tuple[Path, Path]) -> None:
    rules, templates = folders
    (rules / "key_accounts.csv").write_text('customer_id\nA\nA\n"C\n')
    call = templates / "mail" / "en" / "call.txt"
    call.write_text(call.read_text() + "{{ link('acknowlege') }}\n{{ link('fixed') }}\n")
    found = refused(rules, templates)
    assert "rules/key_accounts.csv:4: this quote does not end" in found
    (rules / "key_accounts.csv").write_text("customer_id\nA\nA\n")
    findings = Findings()
    with pytest.raises(RulebookInvalid):
        read_all(rules, templates, findings)
    assert "rules/key_accounts.csv: stands here twice: A (keep one of each)" in map(
        str, findings.warnings
    )
    (only,) = map(str, findings.problems)
    assert only.startswith("templates/mail/en/call.txt:") and only.endswith(
        "no mail knows link('acknowlege') (did you mean link('acknowledge')?)"
    )


def test_people_who_are_not_utf_8_or_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    with pytest.raises(RulebookInvalid, match="is missing"):
        read_people(path)
    path.write_bytes(b"people:\n  - {id: j\xfcrgen}\n")
    with pytest.raises(RulebookInvalid, match=r"rules/people\.yaml:2: not UTF-8"):
        read_people(path)
