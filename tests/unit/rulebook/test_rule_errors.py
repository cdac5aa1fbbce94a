"""Whatever is wrong is found at once, and no mistake hides another."""

from pathlib import Path

import pytest

from tests.support.builders import problems_of, starter_files
from tests.support.rulebook.files import (
    KEY_ACCOUNTS,
    ROUTING,
    SEGMENTS,
    SETTINGS,
    SIGNALS,
    SLA,
    found,
    refused,
    the_problem,
    with_file,
)

TEN = [
    (SETTINGS, "currency: EUR", "curencyy: EUR", 5, 1, "did you mean 'currency'?"),
    (
        SIGNALS,
        "outcome = 'resolved'\"\n",
        "outcom = 'resolved'\"\n",
        7,
        18,
        "did you mean 'outcome'?",
    ),
    (
        SEGMENTS,
        "members: key_accounts.csv",
        "members: key_acounts.csv",
        4,
        44,
        "did you mean 'key_accounts.csv'?",
    ),
    (ROUTING, "person: vp_sales", "person: vp_sale", 4, 14, "did you mean 'vp_sales'?"),
    (
        ROUTING,
        "office: office_munich",
        "office: office_munch",
        12,
        36,
        "did you mean 'office_munich'?",
    ),
    (SLA, "notify: substitute}", "notify: substitut}", 15, 24, "did you mean 'substitute'?"),
    (
        KEY_ACCOUNTS,
        "sentiment = 'negative'",
        "sentimnt = 'negative'",
        6,
        32,
        "did you mean 'sentiment'?",
    ),
    (
        KEY_ACCOUNTS,
        "policy: call_in_24h",
        "policy: call_in_24",
        12,
        5,
        "did you mean 'call_in_24h'?",
    ),
    (KEY_ACCOUNTS, "severity: critical", "severity: criticl", 8, 5, "did you mean 'critical'?"),
    (
        KEY_ACCOUNTS,
        "inform: [account_owner]",
        "inform: [acount_owner]",
        11,
        5,
        "did you mean 'account_owner'?",
    ),
]


def test_ten_errors_are_found_at_once_each_with_file_line_column_and_suggestion() -> None:
    files = dict(starter_files())
    for name, right, wrong, *_ in TEN:
        assert right in files[name]
        files[name] = files[name].replace(right, wrong, 1)
    problems = problems_of(files)
    expected = sorted((name, line, column, hint) for name, _, _, line, column, hint in TEN)
    assert sorted((p.file, p.line, p.column, p.suggestion) for p in problems) == expected
    assert [(p.file, p.line) for p in problems] == sorted((p.file, p.line) for p in problems)


def test_one_broken_entry_does_not_make_all_that_refers_to_its_file_wrong() -> None:
    broken = {
        ROUTING: ("vp_sales: {person: vp_sales}", "vp_sales: {persn: vp_sales}"),
        SLA: ("within: 4h", "within: 4x"),
        SIGNALS: ("within: 7d", "within: 7x"),
        SEGMENTS: ("rank: 3", "rank: high"),
    }
    for name, (right, wrong) in broken.items():
        assert the_problem(
            with_file(name, starter_files()[name].replace(right, wrong, 1))
        ).startswith(f"{name}:")


@pytest.mark.parametrize("name", [ROUTING, SLA, SEGMENTS, SIGNALS])
def test_a_file_that_cannot_be_read_is_one_problem_and_not_a_dozen(name: str) -> None:
    assert the_problem(with_file(name, "roles: [")).startswith(f"{name}:1:9: not YAML")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rules/segmnets.yaml", "did you mean rules/segments.yaml?"),
        ("rules/sla.yml", "did you mean rules/sla.yaml?"),
        ("rules/escalation/one.yaml", "known are rules/settings.yaml"),
    ],
)
def test_a_file_that_nothing_reads_is_not_passed_over(name: str, hint: str) -> None:
    problem = the_problem(with_file(name, "rules: []"))
    assert problem.startswith(f"{name}: nothing reads a file of this name")
    assert hint in problem


def test_lists_and_notes_may_stand_beside_the_rules() -> None:
    assert (
        problems_of(with_file("rules/README.md", "# Ours") | {"rules/other.csv": "customer_id"})
        == []
    )


def test_an_entry_with_a_wrong_value_is_still_searched_for_wrong_names() -> None:
    routing = starter_files()[ROUTING].replace("{industry: lead}", "{industry: boss}")
    routing = routing.replace("[customer.owner, territory_lead,", "[customer.owner, teritory_lead,")
    assert found(with_file(ROUTING, routing)) == [
        f"{ROUTING}:5:46: no role is called 'teritory_lead' (did you mean 'territory_lead'?)",
        f"{ROUTING}:8:19: must be 'lead'",
    ]


MISTAKES = {
    "people.yaml": [
        (
            "email: ceo@example.com",
            "emial: ceo@example.com",
            ["'email' is missing", "unknown key 'emial'"],
        ),
        (
            "time_zone: America/Chicago}\n  - {id: spec",
            "time_zone: Chicago}\n  - {id: spec",
            ["'Chicago' is not a time"],
        ),
        (
            "lead_america, substitute",
            "lead_amerika, substitute",
            ["no person is called 'lead_amerika'"],
        ),
    ],
    "routing.yaml": [
        ("{person: vp_sales}", "{person: vp_sails}", ["no person or office is called 'vp_sails'"]),
        ("{segment: lead}", "{segmnt: lead}", ["unknown key 'segmnt'"]),
        ("open_cases: move", "open_cases: shift", ["must be 'move' or 'keep'"]),
    ],
    "sla.yaml": [
        ("within: 4h", "within: 4 hours", ["'4 hours' is not a target"]),
        ("before: 12h", "before: 25h", ["it lies before the clock even starts"]),
        ("notify: substitute", "notify: substitut", ["no role is called 'substitut'"]),
    ],
    "segments.yaml": [
        ("rank: 2", "rank: two", ["a whole number is needed here"]),
        ("key_accounts.csv", "key_acounts.csv", ["no list is called 'key_acounts.csv'"]),
    ],
    "signals.yaml": [
        ("within: 7d", "wihtin: 7d", ["'within' is missing", "unknown key 'wihtin'"]),
        ("outcome = 'resolved'\"", "outcom = 'resolved'\"", ["unknown field 'outcom'"]),
    ],
    "escalations/calls_in_vain.yaml": [
        ("severity: high", "severity: hihg", ["must be 'low', 'normal', 'high' or 'critical'"]),
        ("in_vain >= 3", "in_vian >= 3", ["unknown field 'calls_in_vian'"]),
        (
            "direction = 'inbound'",
            "direction = 'in'",
            ["can never be true: direction is one of inbound, outbound"],
        ),
        ("policy: call_in_24h", "policy: call_in_24", ["no policy is called 'call_in_24'"]),
    ],
    "escalations/unhappy_customers.yaml": [
        ("policy: call_in_3d", "polcy: call_in_3d", ["'policy' is missing", "unknown key 'polcy'"]),
        ("account_owner", "acount_owner", ["no role is called 'acount_owner'"]),
    ],
}


def test_no_mistake_hides_another_and_none_is_made_up(folders: tuple[Path, Path]) -> None:
    rules, templates = folders
    expected = []
    for name, mistakes in MISTAKES.items():
        text = (rules / name).read_text()
        for right, wrong, said in mistakes:
            assert right in text, right
            text = text.replace(right, wrong, 1)
            expected += [(f"rules/{name}:", what) for what in said]
        (rules / name).write_text(text)
    found = refused(rules, templates)
    missed = [
        one for one in expected if not any(p.startswith(one[0]) and one[1] in p for p in found)
    ]
    assert missed == []
    assert len(found) == len(expected), "\n".join(found)


def test_files_and_people_are_checked_together(folders: tuple[Path, Path]) -> None:
    rules, templates = folders
    people = rules / "people.yaml"
    people.write_text(
        people.read_text().replace("manager: ceo, time_zone", "manager: cio, time_zone", 1)
    )
    (rules / "surveys.yaml").write_bytes(b"surveys:\n  # \xe9t\xe9\n")
    (rules / "settings.yaml").write_text("")
    assert refused(rules, templates) == [
        "rules/people.yaml:5:35: no person is called 'cio' (did you mean 'ceo'?)",
        "rules/settings.yaml:1:1: the file is empty (begin with `go_live:`)",
        "rules/surveys.yaml:2: not UTF-8 at byte 13 (save the file as UTF-8)",
    ]
