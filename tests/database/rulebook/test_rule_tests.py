"""`alerting rules test`: the rules' own tests, played for real."""

import json
from pathlib import Path

import pytest

from tests.support.installation import Run
from tests.support.rulebook.rule_tests import OWN, Play, edited, own_test

# The starter rules


def test_the_starter_rules_pass_their_tests_whatever_the_environment_says(
    alerting: Run, installation: Path
) -> None:
    done = alerting(
        "rules",
        "test",
        ALERTING_SMTP_HOST="mail.invalid",
        ALERTING_MAILBOX=str(installation / "box"),
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[-1] == f"{len(lines) - 1} passed, 0 failed"
    assert all(line.startswith("PASS ") for line in lines[:-1])
    assert "PASS voicemail is no contact (rules/tests/key_accounts.yaml:54)" in lines
    assert (
        not (installation / "var").exists() and not (installation / "box").exists()
    )  # nothing of it is kept


@pytest.mark.parametrize(
    ("word", "name", "old", "new"),
    [
        (
            "the VP of sales must call",
            "rules/escalations/key_accounts.yaml",
            "caller: vp_sales",
            "caller: default",
        ),
        (
            "stand-in is asked",
            "rules/sla.yaml",
            "{before: 4h, notify: substitute}",
            "{before: 5h, notify: substitute}",
        ),
        ("stand-in is asked", "rules/sla.yaml", "notify: manager of caller", "notify: default"),
        ("voicemail", "rules/tests/key_accounts.yaml", "outcome: voicemail", "outcome: reached"),
        (
            "nobody is reminded",
            "rules/tests/key_accounts.yaml",
            "{at: 3h, does: contact",
            "{at: 13h, does: contact",
        ),
        (
            "while we wait",
            "rules/sla.yaml",
            "within: 24h",
            "within: 24h\n      pauses: third_party",
        ),
        ("while we wait", "rules/tests/key_accounts.yaml", "at: 26h, event", "at: 27h, event"),
        (
            "handed over",
            "rules/people.yaml",
            "manager: lead_central, substitute: lead_central",
            "manager: ceo",
        ),
        (
            "happy key account",
            "rules/escalations/key_accounts.yaml",
            "sentiment = 'negative'",
            "score > 1",
        ),
        (
            "the third call",
            "rules/escalations/calls_in_vain.yaml",
            "calls_in_vain >= 3",
            "calls_in_vain >= 2",
        ),
        ("a solved call", "rules/signals.yaml", "    reset_when: \"outcome = 'resolved'\"\n", ""),
        ("a week apart", "rules/signals.yaml", "within: 7d", "within: 9d"),
        (
            "a small customer",
            "rules/escalations/calls_in_vain.yaml",
            "'high_potential')",
            "'low_potential')",
        ),
        ("no VP ever", "rules/sla.yaml", "notify: default}", "notify: vp_sales}"),
        (
            "nobody knows",
            "rules/routing.yaml",
            "default: {person: service_desk_lead}",
            "default: {person: vp_sales}",
        ),
        (
            "only by an address",
            "rules/routing.yaml",
            "default: {person: service_desk_lead}",
            "default: {person: ceo}",
        ),
        (
            "middling",
            "rules/escalations/unhappy_customers.yaml",
            "sentiment = 'negative'",
            "score <= 7",
        ),
    ],
)
def test_each_starter_test_fails_where_its_rule_is_changed(
    alerting: Run, installation: Path, word: str, name: str, old: str, new: str
) -> None:
    edited(installation, name, old, new)
    done = alerting("rules", "test", "-k", word)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "0 passed, 1 failed"


# Options


def test_a_word_selects_by_name_and_by_file(alerting: Run) -> None:
    done = alerting("rules", "test", "-k", "VOICEMAIL")
    assert done.stdout.splitlines()[-1] == "1 passed, 0 failed"
    by_file = alerting("rules", "test", "-k", "calls_in_vain")
    assert by_file.stdout.splitlines()[-1] == "4 passed, 0 failed"
    none = alerting("rules", "test", "-k", "nonsense")
    assert (none.returncode, none.stdout) == (2, "")
    assert "has 'nonsense' in its name or file" in none.stderr


def test_another_folder_of_rules_and_one_without_tests(alerting: Run, installation: Path) -> None:
    (installation / "rules").rename(installation / "draft")
    assert alerting("rules", "test", "-k", "voicemail", "--rules", "draft").returncode == 0
    for file in (installation / "draft" / "tests").iterdir():
        file.unlink()
    done = alerting("rules", "test", "--rules", "draft")
    assert done.returncode == 2
    assert "there is no test; write rules/tests/first.yaml" in done.stderr


def test_json_says_the_same(tested: Play) -> None:
    failed = tested(own_test("missed: contact"), "--json")
    assert failed.returncode == 1
    said = json.loads(failed.stdout)
    assert (said["passed"], said["failed"]) == (0, 1)
    (only,) = said["tests"]
    assert (only["name"], only["file"], only["line"], only["passed"]) == ("mine", OWN, 2, False)
    assert only["failures"] == [
        {"line": 9, "message": "expected missed contact, which did not happen"}
    ]
    mail = {"at": "0m", "kind": "mail", "what": "call", "to": "vp_sales", "customer": "ACME-AERO"}
    assert mail in only["happened"]
    assert json.loads(tested(own_test("mail: call"), "--json").stdout)["passed"] == 1
    wrong = tested(own_test("mail: cal"), "--json")
    assert wrong.returncode == 2
    (problem,) = json.loads(wrong.stdout)["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == (OWN, 9, 10)


QUIET = """rules:
  - id: quiet
    title: We hear nothing any more
    on: silence
    of: survey.answered
    for: 10d
    when: {is a key account: "customer.segment = 'key'"}
    severity: normal
    caller: account_owner
    policy: call_in_3d
"""


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ("at: 10d, alert: quiet\nat: 10d, mail: call, to: vp_sales", 0),
        ("at: 9d, alert: quiet", 1),
        ("none: alert, rule: quiet", 1),
    ],
)
def test_a_silence_is_played_when_it_is_full(
    tested: Play, installation: Path, expect: str, code: int
) -> None:
    (installation / "rules/escalations/quiet.yaml").write_text(QUIET)
    done = tested(own_test(expect, more="until: 12d"))
    assert done.returncode == code, done.stdout


def test_a_silence_before_the_test_is_none(tested: Play, installation: Path) -> None:
    (installation / "rules/escalations/quiet.yaml").write_text(QUIET.replace("10d", "25d"))
    assert tested(own_test("none: alert, rule: quiet", more="until: 24d")).returncode == 0


def test_customers_move_by_the_calendar_while_a_test_is_played(
    tested: Play, installation: Path
) -> None:
    edited(
        installation,
        "rules/segments.yaml",
        "otherwise: true}\n",
        'otherwise: true}\ntags: {renewal: "days_to_renewal <= 3"}\n',
    )
    rule = QUIET.replace(
        "on: silence\n    of: survey.answered\n    for: 10d", "on: segment.changed"
    )
    rule = rule.replace("customer.segment = 'key'", "'renewal' = ANY(tags_added)")
    (installation / "rules/escalations/quiet.yaml").write_text(rule)
    acme = (
        "{customer_id: ACME-AERO, name: Acme, country: DE, owner: owner_north, renewal_date: "
        "2026-03-12}"
    )
    expect = "at: 4d, alert: quiet"
    done = tested(own_test(expect, customers=acme, begin="2026-03-05T00:00:00Z", more="until: 6d"))
    assert done.returncode == 0, done.stdout
