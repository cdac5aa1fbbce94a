"""rules/ and templates/: the starter files load, and whatever is wrong is found at once, where it
stands.
"""

import shutil
from pathlib import Path

import pytest

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.people_file import read_people
from alerting.adapters.rulebook.rule_files import read_all, read_files
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.errors import RulebookInvalid
from alerting.domain.rulebook.rulebook import content_hash
from tests.support.builders import (
    ROOT,
    changed,
    problems_of,
    rulebook,
    starter_files,
    starter_people,
)

SETTINGS = "rules/settings.yaml"
SEGMENTS = "rules/segments.yaml"
SIGNALS = "rules/signals.yaml"
ROUTING = "rules/routing.yaml"
SLA = "rules/sla.yaml"
SURVEYS = "rules/surveys.yaml"
KEY_ACCOUNTS = "rules/escalations/key_accounts.yaml"
GO_LIVE = 'go_live: "2026-01-01T00:00:00Z"\n'


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A copy of rules/ and templates/ to spoil."""
    shutil.copytree(ROOT / "rules", tmp_path / "rules")
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    return tmp_path / "rules", tmp_path / "templates"


def with_file(name: str, text: str | None) -> dict[str, str]:
    """The starter files with one of them rewritten, or gone."""
    return {n: t for n, t in {**starter_files(), name: text}.items() if t is not None}


def found(files: dict[str, str]) -> list[str]:
    return [str(problem) for problem in problems_of(files)]


def the_problem(files: dict[str, str]) -> str:
    (only,) = found(files)
    return only


def refused(rules: Path, templates: Path) -> list[str]:
    with pytest.raises(RulebookInvalid) as caught:
        read_all(rules, templates)
    return [str(problem) for problem in caught.value.problems]


# What is right


def test_the_starter_rules_load_with_their_people() -> None:
    files, people = read_all(ROOT / "rules", ROOT / "templates")
    loaded = build_rulebook(files, people)
    assert [rule.id for rule in loaded.rules] == [
        "calls-in-vain",
        "key-account-unhappy",
        "unhappy-customer",
    ]
    assert [segment.id for segment in loaded.segments] == [
        "key",
        "unverified",
        "high_potential",
        "low_potential",
    ]
    assert set(loaded.policies) == {"call_in_24h", "call_in_3d"}
    assert "ACME-AERO" in (loaded.segments[0].members or ())
    assert loaded.surveys["relationship"].scores == range(11)
    assert people["office_berlin"].kind == "office"


def test_no_starter_rule_lets_an_ordinary_customer_reach_a_vice_president() -> None:
    loaded = rulebook()
    ordinary = next(rule for rule in loaded.rules if rule.id == "unhappy-customer")
    words = {
        word
        for target in loaded.policies[ordinary.policy].targets.values()
        for s in target.steps
        for word in s.notify
    }
    assert {ordinary.caller, ordinary.fixer, *ordinary.inform} == {"account_owner", None}
    assert words == {"caller", "default"}


@pytest.mark.parametrize("name", sorted(starter_files()))
def test_any_byte_of_any_file_changes_the_name_of_the_rulebook(name: str) -> None:
    files, before = dict(starter_files()), content_hash(starter_files())
    assert content_hash({**files, name: files[name] + " "}) != before
    assert content_hash({**files, name: files[name].replace("\n", "\r\n", 1)}) != before
    text = files.pop(name)
    assert content_hash(files) != before
    assert content_hash({**files, name + "x": text}) != before


def test_people_are_no_part_of_the_name_and_line_ends_are(folders: tuple[Path, Path]) -> None:
    before = content_hash(read_files(*folders))
    people = folders[0] / "people.yaml"
    people.write_text(people.read_text() + "\n# somebody left\n")
    assert content_hash(read_files(*folders)) == before
    settings = folders[0] / "settings.yaml"
    settings.write_bytes(settings.read_bytes().replace(b"\n", b"\r\n"))
    assert content_hash(read_files(*folders)) != before
    build_rulebook(read_files(*folders), read_people(people))


def test_a_files_text_cannot_be_moved_into_its_name() -> None:
    assert content_hash({"a": "bc"}) != content_hash({"ab": "c"})
    assert content_hash({"a": "1", "b": "2"}) == content_hash({"b": "2", "a": "1"})


# All at once


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


# What is no YAML, and what YAML 1.2 makes of plain words


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ":1:1: the file is empty (begin with `go_live:`)"),
        ("# nothing\n", ":1:1: the file is empty (begin with `go_live:`)"),
        ("- go_live\n", ":1:1: the file holds no keys with values (begin with `go_live:`)"),
        ("go_live\n", ":1:1: the file holds no keys with values (begin with `go_live:`)"),
        (
            GO_LIVE + "\tcurrency: EUR\n",
            ":2:1: not YAML: found character '\\t' that cannot start any token",
        ),
        (
            GO_LIVE + "currency: EUR\ncurrency: USD\n",
            ":3:1: this key stands here twice (keep one of them)",
        ),
        ('go_live: "2026', ":1:15: not YAML: found unexpected end of stream"),
        (GO_LIVE + "---\n" + GO_LIVE, ":2:1: not YAML: but found another document"),
        ("go_live: *there\n", ":1:10: not YAML: found undefined alias 'there'"),
        (
            GO_LIVE + "currency: \x07\n",
            ":2: not YAML: a character that no text has: '\\x07' (remove it)",
        ),
        (GO_LIVE + "curencyy: EUR\n", ":2:1: unknown key 'curencyy' (did you mean 'currency'?)"),
        (GO_LIVE + "5: EUR\n", ":2:1: Keys should be strings"),
        ("currency: EUR\n", ":1:1: 'go_live' is missing (add `go_live:`)"),
        ("go_live: 2026\n", ":1:1: write a time with its zone"),
        ("go_live: 2026-01-01\n", ":1:1: write a time with its zone"),
        ("go_live: 2026-01-01T00:00:00\n", ":1:1: must have timezone info"),
        (
            GO_LIVE + "notify_max_age: 9:00\n",
            ":2:1: '9:00' is not a duration; write 30m, 24h or 7d",
        ),
        (GO_LIVE + "notify_max_age: 7\n", ":2:1: '7' is not a duration; write 30m, 24h or 7d"),
        (
            GO_LIVE + "notify_max_age: 5 working days\n",
            ":2:1: '5 working days': only targets are counted in working days",
        ),
        (
            GO_LIVE + "currency: euro\n",
            ":2:1: 'euro' does not fit here (three capital letters, such as EUR)",
        ),
    ],
)
def test_a_file_that_does_not_fit_says_where_and_what_would(text: str, problem: str) -> None:
    assert the_problem(with_file(SETTINGS, text)).startswith(SETTINGS + problem)


def test_two_empty_files_are_two_problems() -> None:
    files = with_file(SETTINGS, "") | {SURVEYS: "# later\n"}
    assert found(files) == [
        f"{SETTINGS}:1:1: the file is empty (begin with `go_live:`)",
        f"{SURVEYS}:1:1: the file is empty (begin with `surveys:`)",
    ]


def test_on_no_and_times_of_day_are_words() -> None:
    routing = changed(
        routing=("{country: DE, office: office_berlin", "{country: NO, office: office_berlin")
    )
    assert rulebook(routing).routing.territories[0].country == "NO"
    surveys = changed(surveys=("low_label: not at all likely", "low_label: 9:00"))
    assert rulebook(surveys).surveys["relationship"].low_label == "9:00"
    assert all(rule.on in {"survey.answered", "interaction.recorded"} for rule in rulebook().rules)


def test_merged_keys_are_checked_like_others() -> None:
    text = starter_files()[SLA].replace(
        "      by: caller\n      within: 3d\n", "      <<: {by: callr, within: 3d}\n"
    )
    assert "must be 'caller' or 'fixer' (did you mean 'caller'?)" in the_problem(
        with_file(SLA, text)
    )


# Conditions at their place


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("\"sentimnt = 'x'\"", "6:32"),
        ("'sentimnt = 5'", "6:32"),
        ("sentimnt = 5", "6:31"),
        ('"score < 3 AND sentimnt = 5"', "6:46"),
        ("score < 3 AND sentimnt = 5", "6:45"),
        ("'sentiment = ''x'' AND sentimnt = 5'", "6:31"),  # with escapes, the start
        ("|\n        score < 3\n        AND sentimnt = 5", "6:31"),
        (">\n        score < 3\n        AND sentimnt = 5", "6:31"),
        ('"score < 3\n        AND sentimnt = 5"', "6:31"),
    ],
)
def test_a_condition_is_refused_at_its_column_and_over_several_lines_at_its_start(
    written: str, place: str
) -> None:
    files = changed(key_accounts=("\"sentiment = 'negative'\"", written))
    assert (
        the_problem(files)
        == f"{KEY_ACCOUNTS}:{place}: unknown field 'sentimnt' (did you mean 'sentiment'?)"
    )


# What refers to nothing, and what contradicts itself


@pytest.mark.parametrize(
    ("name", "right", "wrong", "problem"),
    [
        (
            KEY_ACCOUNTS,
            "caller: vp_sales",
            "caller: vp_sale",
            ":9:5: no role is called 'vp_sale' (did you mean 'vp_sales'?)",
        ),
        (
            KEY_ACCOUNTS,
            "fixer: local_office",
            "fixer: local_offic",
            ":10:5: no role is called 'local_offic'",
        ),
        (
            KEY_ACCOUNTS,
            "    fixer: local_office\n",
            "",
            ":11:5: call_in_24h gives the fixer a clock, but the rule names no",
        ),
        (
            KEY_ACCOUNTS,
            "on: survey.answered",
            "on: survey.answred",
            ":4:5: no event type is called 'survey.answred' (did",
        ),
        (
            KEY_ACCOUNTS,
            "on: survey.answered",
            "on: customer.updated",
            ":4:5: no event type is called 'customer.updated'",
        ),
        (
            KEY_ACCOUNTS,
            "key-account-unhappy",
            "calls-in-vain",
            ":2:5: the rule 'calls-in-vain' exists twice",
        ),
        (
            KEY_ACCOUNTS,
            "    title: A key account is unhappy\n",
            "",
            ":2:5: 'title' is missing (add `title:`)",
        ),
        (
            KEY_ACCOUNTS,
            "is a key account: ",
            "5: ",
            ":7:7: a text is needed here (put it in quotes)",
        ),
        (
            ROUTING,
            "[customer.owner,",
            "[customer.ownr,",
            ":5:30: no role is called 'customer.ownr' (did you mean 'customer.ow",
        ),
        (
            ROUTING,
            "  key: vp_sales",
            "  kee: vp_sales",
            ":17:3: no segment is called 'kee' (did you mean 'key'?)",
        ),
        (
            ROUTING,
            "{territory: office}",
            "{territory: office, person: ceo}",
            ":6:3: a role has exactly one of person",
        ),
        (
            ROUTING,
            "{person: service_desk_lead}",
            "{first_of: [vp_sales]}",
            ":3:3: the role 'default' must name a person",
        ),
        (
            ROUTING,
            "{industry: lead}",
            "{first_of: [account_owner]}",
            ":5:19: 'account_owner' leads back to itself",
        ),
        (
            SLA,
            "before: 12h,",
            "before: 24h,",
            ":14:12: never reached: it lies before the clock even starts",
        ),
        (
            SLA,
            "before: 12h,",
            "before: 12h, after: 1h,",
            ":14:11: a step has exactly one of before, after and at",
        ),
        (SLA, "at: 80%", "at: 0.8", ":21:12: '0.8' is not a share of the target; write 80%"),
        (
            SLA,
            "starts: customer_sent",
            "starts: customer_send",
            ":4:5: must be 'customer_sent', 'received' or",
        ),
        (
            SEGMENTS,
            "members: key_accounts.csv",
            "members: key_accounts.csv, otherwise: true",
            ":4:5: a segment has exactly",
        ),
        (SEGMENTS, "id: unverified", "id: key", ":5:6: the segment 'key' stands here twice"),
        (
            SEGMENTS,
            'when: "revenue_with_us IS NULL"',
            "otherwise: true",
            ":5:50: what stands after 'otherwise' is never",
        ),
        (
            SEGMENTS,
            "revenue_with_us IS NULL",
            "customer.segment = 'x'",
            ":5:57: unknown field 'customer.segment'",
        ),
        (
            SIGNALS,
            "count: interaction.recorded",
            "count: interaction",
            ":4:5: no event type is called 'interaction' (did you",
        ),
        (
            SURVEYS,
            "metric: nps",
            "metric: rating",
            ":3:3: a rating needs its scale, and only a rating has one",
        ),
        (SURVEYS, "question:", "qestion:", ":3:3: 'question' is missing"),
    ],
)
def test_each_mistake_is_found_at_its_line(name: str, right: str, wrong: str, problem: str) -> None:
    assert right in starter_files()[name]
    lines = found(with_file(name, starter_files()[name].replace(right, wrong, 1)))
    assert any(line.startswith(name + problem) for line in lines), lines


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "name,customer_id\n",
            "rules/key_accounts.csv:1:1: the first line must begin with customer_id",
        ),
        ("", "rules/key_accounts.csv:1:1: the first line must begin with customer_id"),
        (
            "customer_id;name\n1;2\n",
            "rules/key_accounts.csv:1:1: the first line must begin with customer_id",
        ),
        (
            'customer_id\n"' + "x" * 200_000 + '"\n',
            "rules/key_accounts.csv:2: no table: field larger than field limit",
        ),
        (None, f"{SEGMENTS}:4:44: no list is called 'key_accounts.csv'"),
    ],
)
def test_a_list_of_members_that_is_none_is_refused(text: str | None, problem: str) -> None:
    assert the_problem(with_file("rules/key_accounts.csv", text)).startswith(problem)


def test_a_list_may_come_from_a_spreadsheet() -> None:
    text = "\ufeffcustomer_id,name\r\n A-1 ,Acme\r\n\r\nB-2,\r\n"
    assert rulebook(with_file("rules/key_accounts.csv", text)).segments[0].members == frozenset(
        {"A-1", "B-2"}
    )


@pytest.mark.parametrize("name", [SETTINGS, SEGMENTS, ROUTING, SLA])
def test_a_needed_file_that_is_missing_is_named(name: str) -> None:
    assert f"{name}: is missing" in found(with_file(name, None))


def test_rules_without_signals_surveys_or_any_rule() -> None:
    files = with_file(SURVEYS, None)
    assert rulebook(files).surveys == {}
    ruleless = {
        name: text for name, text in files.items() if not name.startswith("rules/escalations/")
    }
    assert "there is no rule" in the_problem(ruleless)
    calls = "rules/escalations/calls_in_vain.yaml"
    assert f"{calls}:7:46: unknown field 'calls_in_vain'" in found(with_file(SIGNALS, None))


# Templates


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        (
            "en/call.txt",
            "Hello\n{% if %}\n",
            ":2: Expected an expression, got 'end of statement block'",
        ),
        ("en/call.html", "{{ v.customer.name\n", ":1: unexpected end of template"),
        (
            "en/call.txt",
            "Hello\n\n{{ v | no_such_filter }}\n",
            ":3: No filter named 'no_such_filter'.",
        ),
        (
            "en/call.html",
            "\n{% extends 'en/_nowhere.html' %}\n",
            ":2: there is no template 'en/_nowhere.html' to build on",
        ),
        ("de/call.txt", "{{", ":1: unexpected 'end of template'"),
        ("en/overdue.html", None, ": is missing"),
    ],
)
def test_a_template_that_cannot_be_read_is_refused_at_its_line(
    name: str, text: str | None, problem: str
) -> None:
    lines = found(with_file(f"templates/mail/{name}", text))
    assert any(line.startswith(f"templates/mail/{name}{problem}") for line in lines), lines


def test_a_rule_may_bring_its_own_mail_which_needs_all_three_files() -> None:
    files = changed(
        key_accounts=("policy: call_in_24h", "policy: call_in_24h\n    template: urgent")
    )
    missing = [f"templates/mail/en/urgent.{ending}" for ending in ("html", "subject.txt", "txt")]
    assert [problem.file for problem in problems_of(files)] == missing
    whole = files | {name: starter_files()[name.replace("urgent", "call")] for name in missing}
    assert (
        next(rule for rule in rulebook(whole).rules if rule.template == "urgent").id
        == "key-account-unhappy"
    )


# People


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


def test_folders_that_are_not_there_are_named_with_what_to_set(tmp_path: Path) -> None:
    lines = refused(tmp_path / "rules", tmp_path / "templates")
    assert any(
        line.startswith("rules: there is no folder") and "ALERTING_RULES" in line for line in lines
    )
    assert any(line.startswith("templates/mail: there is no folder") for line in lines)


def test_a_stored_rulebook_needs_no_people_to_be_read_again() -> None:
    assert build_rulebook(starter_files()).hash == rulebook().hash
    assert {"vp_sales", "office_berlin"} <= set(starter_people())


def test_names_are_translated_and_a_misspelt_one_is_found() -> None:
    text = (
        "conditions:\n  gave a negative anser: gab eine negative Antwort\nrules: "
        "{key-account-unhapy: x}\n"
    )
    problems = found(with_file("rules/words/de.yaml", text))
    assert problems == [
        "rules/words/de.yaml:2:3: no condition is called 'gave a negative anser' (did you mean "
        "'gave a negative answer'?)",
        "rules/words/de.yaml:3:9: no rule is called 'key-account-unhapy' (did you mean "
        "'key-account-unhappy'?)",
    ]
    assert the_problem(with_file("rules/words/german.yaml", "rules: {}\n")).startswith(
        "rules/words/german.yaml:1:1: 'german' is no locale"
    )


def test_what_a_language_leaves_out_is_warned_of_and_stays_as_written() -> None:
    findings = Findings()
    text = "conditions: {gave a negative answer: gab eine negative Antwort}\n"
    built = build_rulebook(with_file("rules/words/de.yaml", text), None, findings)
    (warning,) = [w for w in findings.warnings if w.file == "rules/words/de.yaml"]
    assert "'is a key account'" in warning.message and "negative answer" not in warning.message
    assert built.words_for("de-AT").conditions == {
        "gave a negative answer": "gab eine negative Antwort"
    }
    assert built.words_for("fr").conditions == {}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("{{ v.custmer.name }}", "no mail knows 'v.custmer' (did you mean 'customer'?)"),
        ("{{ v.case.nosuch }}", "no mail knows 'v.case.nosuch'"),
        ("{{ v.trigger.titel }}", "no mail knows 'v.trigger.titel' (did you mean 'title'?)"),
        ("{{ me.nam }}", "no mail knows 'me.nam' (did you mean 'name'?)"),
        (
            "{% for a in v.alerts %}{{ a.titel }}{% endfor %}",
            "no mail knows 'a.titel' (did you mean 'title'?)",
        ),
        ("{% set c = v.customer %}{{ c.zzz }}", "no mail knows 'c.zzz'"),
        (
            "{% set c = v %}{% for a in c.alerts %}{{ a.nope }}{% endfor %}",
            "no mail knows 'a.nope'",
        ),
        ("{{ v['custmer'].name }}", "no mail knows 'v.custmer' (did you mean 'customer'?)"),
    ],
)
def test_what_no_case_has_is_found_before_a_mail_fails(wrong: str, said: str) -> None:
    name = "templates/mail/en/fix.txt"
    assert the_problem(with_file(name, starter_files()[name] + wrong)).endswith(said)


@pytest.mark.parametrize(
    "never",
    [
        "score IS NULL AND score > 3",
        "score <> 3 AND score = 3",
        "score NOT IN (1, 2) AND score = 1",
        "score IN (NULL)",
        "NULL",
        "scale > 3 AND scale < 4",
        "contact_me = TRUE AND contact_me = FALSE",
        "contact_me AND NOT contact_me",
    ],
)
def test_what_can_never_be_true_is_found(never: str) -> None:
    assert "can never be true" in the_problem(conditions(never))


@pytest.mark.parametrize(
    "possible",
    [
        "scale > 3 AND scale <= 4",
        "NOT contact_me",
        "score IN (1, NULL)",
        "score <> 3 AND score > 2",
        "comment IS NULL",
    ],
)
def test_what_may_be_true_is_not_refused(possible: str) -> None:
    assert found(conditions(possible)) == []


def conditions(sql: str) -> dict[str, str]:
    return changed(key_accounts=("sentiment = 'negative'", sql))


@pytest.mark.parametrize(
    ("never", "said"),
    [
        ("customer.value_decile > 11", "customer.value_decile lies between 1 and 10"),
        ("customer.rfm_recency IN (0, -1)", "customer.rfm_recency lies between 1 and 5"),
        ("days_since_contact < 0", "days_since_contact is never below 0"),
    ],
)
def test_a_number_no_field_can_have_is_told_with_what_it_can_be(never: str, said: str) -> None:
    assert f"can never be true: {said}" in the_problem(conditions(never))
    assert found(conditions("customer.value_decile >= 10 AND days_since_contact <= 0")) == []


def test_a_key_that_stands_twice_hides_nothing_else_in_its_file() -> None:
    twice = (
        GO_LIVE
        + "currency: EUR\ncurrency: USD\nlateness: soon\nlateness: 7d\nnotify_max_agee: 7d\n"
    )
    problems = found(with_file("rules/settings.yaml", twice))
    assert [line.split(": ", 1)[0] for line in problems] == [
        f"rules/settings.yaml:{n}:1" for n in (3, 4, 5, 6)
    ]
    assert "did you mean 'notify_max_age'" in problems[-1]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "industry_lead, segment_lead, default]",
            "default, segment_lead]",
            "is never reached: segment_lead",
        ),
        (
            "  - {country: US, office",
            "  - {country: germany, lead: lead_america}\n  - {country: US, office",
            ":13:24: never reached: DE has its lead above",
        ),
    ],
)
def test_who_is_never_asked_is_found(before: str, after: str, said: str) -> None:
    assert said in the_problem(changed(routing=(before, after)))


def test_of_two_entries_for_one_place_each_may_say_what_the_other_does_not() -> None:
    whole = "  - {country: US, office: office_chicago, lead: lead_america}"
    parts = "  - {country: US, office: office_chicago}\n  - {country: US, lead: lead_america}"
    assert found(changed(routing=(whole, parts))) == []


def test_mails_nobody_sends_and_locales_nobody_has_are_warned_of() -> None:
    files = {
        **starter_files(),
        "templates/mail/en/cal.txt": "x",
        "templates/mail/en/call.htm": "x",
        "templates/mail/german/call.txt": "x",
        "templates/mail/de/_words.txt": "x",
    }
    findings = Findings()
    build_rulebook(files, None, findings)
    assert [str(warning) for warning in findings.warnings] == [
        "templates/mail/en/cal.txt: no rule sends the mail 'cal' (did you mean 'call'?)",
        "templates/mail/en/call.htm: no mail has a file of this name (name it "
        "call.subject.txt/.txt/.html)",
        "templates/mail/german/call.txt: 'german' is no locale (name the folder de, or pt-BR)",
    ]


@pytest.mark.parametrize(
    "fine",
    [
        "{% for a in v.alerts %}{{ a.title }}{{ loop.index }}{% endfor %}",
        "{% for a in v.alerts %}{{ a.title }}{% endfor %}{% for a in v.informed %}{{ a.email }}{% "
        "endfor %}",
        "{% macro m(a) %}{{ a.anything }}{% endmacro %}{% for a in v.alerts %}{{ m(a) }}{% endfor "
        "%}",
        "{% set c = v.customer %}{{ c.state.renewal_date }}{{ c['name'] }}",
        "{% for k, x in v.clocks.items() %}{{ x.due_at }}{% endfor %}",
    ],
)
def test_names_of_a_templates_own_are_not_misunderstood(fine: str) -> None:
    name = "templates/mail/en/fix.txt"
    assert found(with_file(name, starter_files()[name] + fine)) == []
