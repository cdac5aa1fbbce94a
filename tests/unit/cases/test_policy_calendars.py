"""Policies on working calendars, and what a contract may say of them."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.domain.cases.clocks import Starts, start_clock, timers_of
from alerting.domain.cases.sla import ClockKind, under_contract
from tests.support.builders import problems_of, rulebook, starter_files
from tests.support.rulebook.calendars import BERLIN


def working(sla: str) -> dict[str, str]:
    return {
        **starter_files(),
        "rules/calendars.yaml": BERLIN,
        "rules/sla.yaml": starter_files()["rules/sla.yaml"] + sla,
    }


def test_a_policy_on_a_calendar_counts_in_its_working_time() -> None:
    sla = """  office:
    starts: customer_sent
    contact: {by: caller, within: 8h, calendar: berlin, steps: [{before: 4h, notify: caller}, {after: 1h, notify: default}]}
    resolve: {by: fixer, within: 3 working days, calendar: berlin, steps: [{at: 50%, notify: fixer}]}
"""  # noqa: E501
    policy = rulebook(working(sla)).policies["office"]
    sent = datetime(2026, 3, 6, 10, 0, tzinfo=UTC)  # a Friday, at eleven in Berlin
    starts = Starts(customer_sent=sent, received=sent, case_opened=sent)
    contact = start_clock(ClockKind.CONTACT, policy, starts, 1, 1)
    assert contact.due_at == datetime(2026, 3, 9, 12, 45, tzinfo=UTC)
    timers = timers_of(contact, policy.targets[ClockKind.CONTACT], sent)
    assert [timer.due_at for timer in timers] == [
        datetime(2026, 3, 9, 12, 45, tzinfo=UTC),
        datetime(2026, 3, 9, 8, 0, tzinfo=UTC),  # not Friday at three, when work ends
        datetime(2026, 3, 9, 13, 45, tzinfo=UTC),
    ]
    resolve = start_clock(ClockKind.RESOLVE, policy, starts, 1, 1)
    assert resolve.due_at == datetime(2026, 3, 11, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "within: 8h, calendar: berln",
            ":33:39: no calendar is called 'berln' (did you mean 'berlin'?)",
        ),
        (
            "within: 2d, calendar: berlin",
            ":33:27: '2d': a day of berlin has no length; write 2 working days, or hours",
        ),
        (
            "within: 2 working days",
            ":33:27: '2 working days': always is open all the time and has no working days",
        ),
        ("within: 0h", ":33:27: must be longer than nothing"),
        ("within: 5000d", ":33:27: '5000d' is longer than ten years"),
        (
            "within: 8h, calendar: berlin, steps: [{before: 8h, notify: caller}]",
            "never reached: it lies before the clock",
        ),
        ("within: 1000000000000s", ":33:27: '1000000000000s' is longer than ten years"),
        (
            "within: 48h, calendar: berlin, steps: [{before: 1d, notify: caller}]",
            ":33:67: '1d': a day of a working calendar has no length (write hours of working time, "
            "such as 8h)",
        ),
        (
            "within: 8h, calendar: berlin, steps: [{after: 0h, every: 2 d, times: 2, notify: "
            "caller}]",
            ":33:77: '2 d': a day of a working calendar has no length",
        ),
    ],
)
def test_what_a_policy_asks_of_a_calendar_is_checked(written: str, said: str) -> None:
    sla = f"  office:\n    starts: received\n    contact: {{by: caller, {written}}}\n"
    problems = [str(problem) for problem in problems_of(working(sla))]
    assert [problem for problem in problems if said in problem] == problems, problems
    assert len(problems) == 1


@pytest.mark.parametrize("calendar", ["berlin", "of caller"])
def test_an_acknowledgement_goes_stale_in_the_time_of_its_target(calendar: str) -> None:
    files = working(
        "  office:\n    starts: received\n    contact: {by: caller, within: 8h}\n"
        f"    acknowledge: {{by: caller, within: 8h, calendar: {calendar}, stale_after: 2d}}\n"
    )
    settings = files["rules/settings.yaml"]
    (problem,) = problems_of({**files, "rules/settings.yaml": f"{settings}calendar: berlin\n"})
    assert "'2d': a day of a working calendar has no length" in problem.message
    on_always = {
        **files,
        "rules/sla.yaml": files["rules/sla.yaml"].replace(f"calendar: {calendar}, ", ""),
    }
    acknowledge = rulebook(on_always).policies["office"].targets[ClockKind.ACKNOWLEDGE]
    assert acknowledge.stale_after == timedelta(days=2)


def test_what_a_contract_cannot_mean_on_a_calendar_leaves_the_rule_as_it_is() -> None:
    policy = rulebook(working("")).policies["call_in_24h"]
    calendars = rulebook(working("")).calendars
    for contract in (
        {"contact": "3 working days"},
        {"contact": "2d", "calendar": "berlin"},
        {"calendar": "berlin"},
        {},
    ):
        assert under_contract(policy, contract, calendars) == policy
    promised = under_contract(policy, {"contact": "8h", "calendar": "berlin"}, calendars)
    contact = promised.targets[ClockKind.CONTACT]
    assert (contact.calendar.name, str(contact.within), contact.by) == ("berlin", "8h", "caller")
    assert promised.targets[ClockKind.RESOLVE] == policy.targets[ClockKind.RESOLVE]
