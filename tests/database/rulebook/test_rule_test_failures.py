"""Each way in which a rule's own test fails, and what it says then."""

from datetime import UTC, datetime
from pathlib import Path

from alerting.domain.rulebook.rule_tests import BEGIN, default_begin
from tests.support.rulebook.rule_tests import OWN, Play, edited, own_test


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
