"""`alerting rules test`: the rules' own tests, played for real; each way in which they fail, and
files that are wrong.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from alerting.adapters.rulebook.forms.rule_test_forms import Outcome
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.cases.cases import OUTCOMES
from alerting.domain.errors import RulebookInvalid
from alerting.domain.rulebook.rule_tests import (
    BEGIN,
    Expected,
    Happening,
    Kind,
    Place,
    Played,
    RuleTest,
    default_begin,
    format_offset,
    judge_test,
    parse_offset,
)
from tests.support.builders import starter_files, starter_people
from tests.support.installation import Done, Run

Play = Callable[..., Done]

OWN = "rules/tests/own.yaml"
SURVEY = (
    "{type: survey.answered, customer_id: ACME-AERO, survey_id: relationship, metric: nps, "
    "score: 2}"
)
ACME = "{customer_id: ACME-AERO, name: Acme Aerospace, country: DE, owner: owner_north}"


def own_test(
    expect: str, *, begin: str = "", customers: str = ACME, timeline: str = "", more: str = ""
) -> str:
    """A file with one test: a key account is unhappy, then `timeline`; `expect` stands in line 9
    and below.
    """
    lines = [
        "tests:",
        "  - name: mine",
        f"    begin: {begin}" if begin else "    # no begin of its own",
        "    customers:",
        f"      - {customers}",
        "    timeline:",
        f"      - {{at: 0m, event: {SURVEY}}}",
        "    expect:",
        *(f"      - {{{line}}}" for line in expect.split("\n")),
        *(f"    {line}" for line in more.split("\n") if line),
    ]
    lines[7:7] = [f"      - {{{line}}}" for line in timeline.split("\n") if line]
    return "\n".join(lines) + "\n"


@pytest.fixture
def tested(alerting: Run, installation: Path) -> Play:
    """Play a file of one's own and nothing else."""

    def play(text: str, *arguments: str, **variables: str) -> Done:
        (installation / OWN).write_text(text)
        return alerting("rules", "test", "-k", "own.yaml", *arguments, **variables)

    return play


def edited(installation: Path, name: str, old: str, new: str) -> None:
    file = installation / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))


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


# What a failure says


def test_a_failure_names_what_was_expected_where_and_what_happened_instead(tested: Play) -> None:
    expect = (
        "at: 1h, mail: call, to: vp_sales\nmail: overdue, to: ceo, customer: "
        "ACME-AERO\nmissed: contact"
    )
    done = tested(own_test(expect, more="until: 4h"))
    assert done.returncode == 1
    assert done.stdout == (
        "FAIL mine (rules/tests/own.yaml:2)\n"
        "     rules/tests/own.yaml:9: expected mail call to vp_sales at 1h, which did not happen\n"
        "     rules/tests/own.yaml:10: expected mail overdue to ceo for ACME-AERO, which did not "
        "happen\n"
        "     rules/tests/own.yaml:11: expected missed contact, which did not happen\n"
        "     what happened:\n"
        "       0m: alert key-account-unhappy for ACME-AERO\n"
        "       0m: mail call to vp_sales for ACME-AERO\n"
        "       0m: mail fix to office_berlin for ACME-AERO\n"
        "       0m: mail informed to owner_north for ACME-AERO\n"
        "       4h: missed acknowledge for ACME-AERO\n"
        "       4h: mail reminder to vp_sales for ACME-AERO\n"
        "0 passed, 1 failed\n"
    )


def test_what_must_not_happen_and_does(tested: Play) -> None:
    expect = (
        "none: mail, to: account_owner\nnone: alert, rule: unhappy-customer\nnone: "
        "missed\nmail: call"
    )
    done = tested(own_test(expect, more="only: true"))
    assert done.returncode == 1
    found = [line.strip() for line in done.stdout.splitlines() if f"{OWN}:" in line][1:]
    assert found == [
        f"{OWN}:2: only what is expected may happen, but 0m: alert key-account-unhappy for "
        "ACME-AERO",
        f"{OWN}:2: only what is expected may happen, but 0m: mail fix to office_berlin for "
        "ACME-AERO",
        f"{OWN}:9: expected no mail to account_owner, but 0m: mail informed to owner_north for "
        "ACME-AERO",
    ]


def test_a_response_the_product_refuses_fails_the_test_with_its_words(tested: Play) -> None:
    timeline = (
        "at: 1h, does: acknowledge, by: office_berlin\nat: 2h, does: fixed, by: "
        "local_office\nat: 3h, does: fixed, by: ceo"
    )
    done = tested(own_test("mail: call", timeline=timeline))
    assert done.returncode == 1
    assert (
        f"{OWN}:8: acknowledge by office_berlin at 1h was refused: Berlin office is an office"
        in done.stdout
    )
    assert (
        f"{OWN}:10: fixed by ceo at 3h was refused: the cause of C-1 is already recorded"
        in done.stdout
    )
    none = tested(
        own_test("none: alert", timeline="")
        .replace("score: 2", "score: 9")
        .replace("    expect:", "      - {at: 1h, does: contact, by: vp_sales}\n    expect:")
    )
    assert f"{OWN}:8: contact by vp_sales at 1h was refused: no case is open" in none.stdout


def test_an_event_that_becomes_a_dead_letter_fails_the_test(tested: Play) -> None:
    done = tested(own_test("none: alert").replace("score: 2", "answers: {price: .nan}"))
    assert done.returncode == 1
    assert f"{OWN}:7: became a dead letter: not JSON: " in done.stdout


def test_a_template_that_fails_fails_the_test(tested: Play, installation: Path) -> None:
    template = installation / "templates" / "mail" / "en" / "call.txt"
    template.write_text(template.read_text() + "{{ v.customer.state.nothing.at_all }}\n")
    done = tested(own_test("mail: call"))
    assert done.returncode == 1
    assert f"{OWN}:2: the mail template call failed: " in done.stdout


def test_what_kept_something_from_happening_is_said(tested: Play) -> None:
    early = tested(own_test("mail: call", begin='"2000-12-24T08:00:00Z"'))
    assert early.returncode == 1
    assert "nothing happened" in early.stdout
    assert "0m: alert key-account-unhappy for ACME-AERO rang nobody: before_go_live" in early.stdout
    unknown = tested(own_test("mail: call").replace("metric: nps, score: 2", "comment: Bad"))
    assert (
        "rule key-account-unhappy could not be decided for ACME-AERO: 'gave a negative answer'"
        in unknown.stdout
    )


def test_times_are_times_of_day_too_and_responses_are_by_the_role_of_the_moment(
    tested: Play,
) -> None:
    moved = (
        "{type: customer.updated, customer_id: ACME-AERO, owner: owner_west, renewal_date: "
        "2026-05-31}"
    )
    timeline = (
        f"at: 30m, event: {moved}\n"
        'at: "2026-12-24T10:00:00+01:00", does: hand_over, by: vp_sales, to: account_owner\n'
        "at: 2h, does: contact, by: account_owner, customer: ACME-AERO"
    )
    expect = (
        'at: "2026-12-24T09:00:00Z", mail: call, to: owner_west\nat: 2h, mail: handled, to: '
        "vp_sales"
    )
    done = tested(
        own_test(expect, begin='"2026-12-24T08:00:00Z"', timeline=timeline, more="until: 24h")
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_a_role_that_a_team_fills_by_turn_is_whoever_has_the_case(
    tested: Play, installation: Path
) -> None:
    edited(
        installation, "rules/routing.yaml", "vp_sales: {person: vp_sales}", "vp_sales: {team: crew}"
    )
    with (installation / "rules/people.yaml").open("a") as file:
        file.write(
            "teams:\n  - {id: crew, name: Crew, members: [vp_sales, owner_west], turn: case}\n"
        )
    done = tested(
        own_test(
            "at: 0m, mail: call, to: vp_sales\nmail: reminder, to: vp_sales",
            timeline="at: 2h, does: acknowledge, by: vp_sales",
            more="until: 13h",
        )
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_clock_that_starts_with_the_case_is_due_at_its_time(
    tested: Play, installation: Path
) -> None:
    edited(installation, "rules/sla.yaml", "starts: customer_sent", "starts: case_opened")
    done = tested(
        own_test("at: 24h, missed: contact\nat: 24h, mail: overdue, to: ceo", more="until: 24h")
    )
    assert done.returncode == 0, done.stdout


def test_a_test_without_a_begin_begins_where_the_rules_ring(
    tested: Play, installation: Path
) -> None:
    edited(installation, "rules/settings.yaml", "2001-01-01T00:00:00Z", "2031-05-01T12:00:00+02:00")
    assert tested(own_test("at: 0m, mail: call")).returncode == 0
    assert default_begin(datetime(2026, 1, 1, tzinfo=UTC)) == BEGIN
    assert default_begin(datetime(2031, 5, 1, 8, 30, tzinfo=UTC)) == datetime(
        2031, 5, 1, 8, 30, tzinfo=UTC
    )
    assert default_begin(datetime(2031, 5, 1, 8, 31, tzinfo=UTC)) == datetime(
        2031, 5, 2, 8, 30, tzinfo=UTC
    )


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


# Files that are wrong


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "alert: key-account-unhappy",
            "alert: key-acount-unhappy",
            "10:10: no rule is called 'key-acount-unhappy' (did you",
        ),
        (
            "alert: key-account-unhappy",
            "none: alert, rule: x",
            "10:23: no rule is called 'x' (known are calls-in-vain, ",
        ),
        (
            "mail: call, to: vp_sales",
            "mail: cal, to: vp_sales",
            "11:10: no mail template is called 'cal' (did you mean 'call'?)",
        ),
        (
            "to: vp_sales",
            "to: vp_sale",
            "11:22: no role or person is called 'vp_sale' (did you mean 'vp_sales'?)",
        ),
        (
            "mail: call, to",
            "none: mail, template: cal, to",
            "11:22: no mail template is called 'cal'",
        ),
        (
            "alert: key-account-unhappy",
            "alert: key-account-unhappy, customer: ACME",
            "10:38: no customer of this test is",
        ),
        ("by: vp_sales", "by: vp_sale", "8:33: no role or person is called 'vp_sale'"),
        (
            "type: survey.answered",
            "type: survey.answerd",
            "7:26: no event type is called 'survey.answerd' (did you mean",
        ),
        ("type: survey.answered", "type: [survey]", "7:18: 'type' is no text"),
        (
            "at: 0m, event",
            "at: 2040-03-05T08:30:00Z, event",
            "7:10: lies more than ten years after the begin",
        ),
        (
            "# no begin of its own",
            "begin: 9999-12-30T08:00:00Z",
            "3:5: lies outside the years 1971 to 9900",
        ),
        ("type: survey.answered, ", "", "7:18: 'type' is missing"),
        ("score: 2}", "scor: 2}", "7:111: no field is called 'scor' (did you mean 'score'?)"),
        ("score: 2}", "score: 11}", "7:18: score: nps runs from 0 to 10, not 11"),
        ("survey_id: relationship, ", "", "7:18: 'survey_id' is missing (add `survey_id:`)"),
        ("country: DE", "country: Germany", "5:56: "),
        (
            "name: Acme Aerospace",
            "nam: Acme Aerospace",
            "5:34: no field is called 'nam' (did you mean 'name'?)",
        ),
        (
            "at: 0m, event",
            "at: 2 weeks, event",
            "7:10: '2 weeks' is not a duration; write 30m, 24h or 7d",
        ),
        (
            "at: 0m, event",
            "at: 2026-03-06T08:30, event",
            "7:10: write an offset such as 2h, or a time with its zone",
        ),
        (
            "at: 0m, event",
            'at: "2026-03-05T08:30:00Z", event',
            "7:10: lies before the test begins, 2026-03-06T08:30:00",
        ),
        (
            "does: contact",
            "does: contct",
            "8:18: must be 'acknowledge', 'contact', 'hand_over', "
            "'wait', 'go_on' or 'fixed' (did you",
        ),
        ("does: contact, by: vp_sales", "does: contact", "8:9: say who does it: add `by:`"),
        ("does: contact, ", "does: hand_over, ", "8:9: hand_over names to whom"),
        (
            "does: contact, ",
            "does: fixed, outcome: reached, ",
            "8:9: only a contact has an outcome",
        ),
        (
            "does: contact, ",
            "does: contact, outcome: reachd, ",
            "8:33: must be 'reached', 'voicemail'",
        ),
        (
            "does: contact, ",
            f"does: contact, event: {SURVEY}, ",
            "8:9: exactly one of `event` and `does`",
        ),
        (
            f"event: {SURVEY}",
            f"event: {SURVEY}, by: ceo",
            "7:9: an event has no by; its own fields stand inside",
        ),
        (
            "alert: key",
            "mail: call, alert: key",
            "10:9: expect exactly one of alert, mail, missed and none",
        ),
        (
            "alert: key-account-unhappy",
            "missed: contct",
            "10:10: must be 'acknowledge', 'contact' or 'resolve'",
        ),
        ("alert: key-account-unhappy", "missed: contact, to: ceo", "10:9: only a mail has a `to`"),
        (
            "alert: key-account-unhappy",
            "none: mail, rule: calls-in-vain",
            "10:9: `rule:` goes with `none: alert`",
        ),
        (
            "alert: key-account-unhappy",
            "none: alert, template: call",
            "10:9: `template:` goes with `none: mail`",
        ),
        (
            "alert: key-account-unhappy",
            "none: alert, at: 0m",
            "10:9: `none` is meant from begin to end",
        ),
        (
            "mail: call, to",
            "at: 3h, mail: call, to",
            "11:10: the test ends before that, at 2h (add `until: 3h`)",
        ),
        ("expect:", "expct:", "9:5: unknown key 'expct' (did you mean 'expect'?)"),
        ("name: mine", "name: mine\n    only: maybe", "3:5: true or false is needed here"),
        (
            f"- {ACME}",
            f"- {ACME}\n      - {{customer_id: B}}",
            "9:9: this test has several customers (say whose case:",
        ),
        ("tests:", "tests: []\ntest:", "2:1: unknown key 'test' (did you mean 'tests'?)"),
    ],
)
def test_a_wrong_file_is_refused_with_place_and_suggestion(
    tested: Play, alerting: Run, installation: Path, old: str, new: str, said: str
) -> None:
    text = own_test(
        "alert: key-account-unhappy\nmail: call, to: vp_sales",
        timeline="at: 2h, does: contact, by: vp_sales",
    )
    assert old in text
    done = tested(text.replace(old, new, 1))
    assert done.returncode == 2
    assert f"{OWN}:{said}" in done.stderr, done.stderr
    assert "Nothing was tested." in done.stderr
    assert done.stdout == ""
    checked = alerting("check")
    assert checked.returncode == 1
    assert f"{OWN}:{said}" in checked.stderr


def test_all_that_is_wrong_is_found_at_once_and_names_also_where_the_form_does_not_fit(
    tested: Play,
) -> None:
    text = (
        own_test("mail: cal\nalert: x\nmissed: never") + own_test("mail: call").partition("\n")[2]
    )
    done = tested(text)
    assert done.returncode == 2
    for place in (
        "9:10: no mail",
        "10:10: no rule",
        "11:10: must be",
        "12:5: the test 'mine' stands here twice",
    ):
        assert f"{OWN}:{place}" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty (begin with `tests:`)"),
        ("tests: []\n", "this is empty"),
        ("tests:\n  - {name: a, name: b}\n", "this key stands here twice"),
        ("tests:\n  - {name: a, timeline: [], expect: []}\n", "this is empty"),
        (
            f"tests:\n  - {{name: a, timeline: [{{at: 0m, event: {SURVEY}}}], expect: []}}\n",
            "cannot fail; write `only: true`",
        ),
    ],
)
def test_a_file_that_could_test_nothing_is_refused(tested: Play, text: str, said: str) -> None:
    done = tested(text)
    assert done.returncode == 2
    assert said in done.stderr


def test_every_outcome_of_a_contact_can_be_written() -> None:
    assert get_args(Outcome) == tuple(OUTCOMES)


def test_another_file_that_is_wrong_is_no_failed_test_either(
    tested: Play, installation: Path
) -> None:
    edited(installation, "rules/sla.yaml", "within: 24h", "within: 24 hours")
    done = tested(own_test("mail: call"))
    assert done.returncode == 2
    assert "rules/sla.yaml:12:7: '24 hours' is not a target" in done.stderr


def test_the_tests_of_a_stored_rulebook_do_not_keep_it_from_working() -> None:
    files = {**starter_files(), OWN: "tests: 5\n"}
    assert build_rulebook(files).rules  # as it is loaded from the database
    with pytest.raises(RulebookInvalid, match=f"{OWN}:1:1"):
        build_rulebook(files, starter_people())  # as it is checked before activation


# Deciding


def expected(
    kind: Kind = "mail", what: str | None = None, *, never: bool = False, **filters: object
) -> Expected:
    whole = {"to": None, "customer": None, "at": None, **filters}
    return Expected(kind=kind, what=what, never=never, place=Place(file=OWN, line=1), **whole)  # type: ignore[arg-type]


def mail(what: str = "call", to: str = "ann", seconds: float = 0) -> Happening:
    at = timedelta(seconds=seconds)
    return Happening(
        at=at, kind="mail", what=what, customer="ACME", to=to, names=frozenset({to, "boss"})
    )


def judged(
    expect: list[Expected], happened: list[Happening], *, only: bool = False
) -> tuple[int, int, int]:
    test = RuleTest(
        name="",
        place=Place(file=OWN, line=1),
        begin=BEGIN,
        customers=[],
        timeline=[],
        until=timedelta(0),
        expect=expect,
        only=only,
    )
    verdict = judge_test(test, Played(happened=happened))
    counts = (len(verdict.missing), len(verdict.forbidden), len(verdict.surplus))
    assert verdict.passed is (counts == (0, 0, 0))
    return counts


@pytest.mark.parametrize(
    ("sentence", "expect", "happened", "only", "counts"),
    [
        (
            "each expectation needs a mail of its own",
            [expected(), expected()],
            [mail()],
            False,
            (1, 0, 0),
        ),
        ("two of the same", [expected(), expected()], [mail(), mail()], True, (0, 0, 0)),
        (
            "a wide one gives way",
            [expected(), expected(to="ann")],
            [mail(to="ann"), mail(to="ben")],
            True,
            (0, 0, 0),
        ),
        (
            "a chain of them",
            [expected(), expected(to="boss"), expected(to="ben")],
            [mail(to="ben"), mail(), mail("fix")],
            True,
            (0, 0, 0),
        ),
        ("by role", [expected(to="boss")], [mail()], True, (0, 0, 0)),
        ("to another", [expected(to="ben")], [mail()], False, (1, 0, 0)),
        ("another template", [expected(what="fix")], [mail()], True, (1, 0, 1)),
        ("another customer", [expected(customer="B")], [mail()], False, (1, 0, 0)),
        ("another kind", [expected("alert")], [mail()], False, (1, 0, 0)),
        (
            "the same minute",
            [expected(at=timedelta(minutes=1))],
            [mail(seconds=119.9)],
            True,
            (0, 0, 0),
        ),
        (
            "the next minute",
            [expected(at=timedelta(minutes=1))],
            [mail(seconds=120)],
            False,
            (1, 0, 0),
        ),
        ("none but one came", [expected(never=True)], [mail()], False, (0, 1, 0)),
        (
            "what is forbidden is told once",
            [expected(never=True)],
            [mail(), mail()],
            True,
            (0, 2, 0),
        ),
        ("forbidden to others", [expected(never=True, to="ben")], [mail()], True, (0, 0, 1)),
        ("more than expected", [expected(to="ann")], [mail(), mail()], True, (0, 0, 1)),
        ("more, where that is no matter", [expected(to="ann")], [mail(), mail()], False, (0, 0, 0)),
    ],
)
def test_expectations_and_happenings_are_matched_one_to_one(
    sentence: str,
    expect: list[Expected],
    happened: list[Happening],
    only: bool,
    counts: tuple[int, int, int],
) -> None:
    assert judged(expect, happened, only=only) == counts, sentence


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "0m"), (59, "59m"), (60, "1h"), (1440, "1d"), (8064, "5d 14h 24m"), (1441, "1d 1m")],
)
def test_an_offset_is_shown_as_it_is_written(minutes: int, text: str) -> None:
    assert format_offset(timedelta(minutes=minutes)) == text
    assert parse_offset(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "2", "2x", "1h2m", "1h, 2m", "-1h", "h"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_offset(text)


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
