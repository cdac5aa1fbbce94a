"""Back-tests: stored events judged again with customers as they were, one rulebook against another;
nothing is sent.
"""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.database.tables import alert, audit_entry, event, notification
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.backtest import Backtest, Effort, Extent, backtest
from alerting.services.alerts.customer_silence import notice_silences
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files, starter_people
from tests.support.installation import Run
from tests.support.world import BEGIN, World


def other(**edits: tuple[str, str]) -> Rulebook:
    """The starter rulebook with one replacement each, by file name."""
    files = dict(starter_files())
    for name, (old, new) in edits.items():
        path = next(p for p in files if p.endswith(f"/{name}.yaml"))
        assert old in files[path]
        files[path] = files[path].replace(old, new, 1)
    return build_rulebook(files, starter_people())


def run_over(
    world: World, b: Rulebook | None = None, rule: str | None = None, days: int = 60
) -> Backtest:
    return backtest(world.app.ctx, Extent(begin=BEGIN - timedelta(days=days), rule=rule), b)


@pytest.fixture
def lived(world: World) -> World:
    """Five weeks: surveys of three customers, calls in vain, and one customer who became valuable
    half-way.
    """
    world.known_customers()
    for week in range(5):
        world.take(
            world.survey("ACME-AERO", score=3 + week),
            world.survey("KIOSK-7", score=2),
            *[
                world.call("ALPENWERK", time=(world.now() + timedelta(hours=n)).isoformat())
                for n in range(2 + week % 2)
            ],
        )
        if week == 2:
            world.take(
                world.customer("KIOSK-7", revenue_with_us=300_000, time=world.now().isoformat())
            )
        world.pass_time(days=7)
    return world


def test_the_active_rulebook_comes_to_the_alerts_that_were_raised(lived: World) -> None:
    found = run_over(lived).found
    stored = lived.rows(
        select(alert.c.rule, event.c.id).join(event, event.c.seq == alert.c.event_seq)
    )
    assert found.a.alerts == len(stored) > 8
    by_rule = dict(lived.rows(select(alert.c.rule, func.count().label("n")).group_by(alert.c.rule)))  # type: ignore[arg-type]
    assert dict(found.a.by_rule) == by_rule
    by_segment = dict(
        lived.rows(select(alert.c.segment, func.count().label("n")).group_by(alert.c.segment))
    )  # type: ignore[arg-type]
    assert dict(found.a.by_segment) == by_segment
    assert sum(found.a.by_week.values()) == found.a.alerts
    assert found.b is None


def test_customers_are_judged_as_they_were_then(lived: World) -> None:
    """Kiosk Seven was of low potential until its third week; what it became later changes nothing
    before.
    """
    kiosk = [
        s.segment
        for s in run_over(lived, rule="unhappy-customer").found.samples_new
        if s.customer == "KIOSK-7"
    ]
    assert kiosk == ["low_potential"] * 3 + ["high_potential"] * 2


def test_another_rulebook_shows_what_is_new_what_is_gone_and_who_gets_more_mail(
    lived: World,
) -> None:
    stricter = other(
        key_accounts=("sentiment = 'negative'", "score <= 4"),
        calls_in_vain=("calls_in_vain >= 3", "calls_in_vain >= 2"),
    )
    found = run_over(lived, stricter)
    comparison = found.found
    assert comparison.b is not None
    assert (
        comparison.a.by_rule["key-account-unhappy"],
        comparison.b.by_rule["key-account-unhappy"],
    ) == (4, 2)
    assert {s.rule for s in comparison.samples_gone} == {"key-account-unhappy"}
    assert {s.rule for s in comparison.samples_new} == {"calls-in-vain"}
    assert comparison.gone == 2
    assert (
        comparison.new
        == comparison.b.by_rule["calls-in-vain"] - comparison.a.by_rule["calls-in-vain"]
        > 0
    )
    more = comparison.b.by_person["vp_sales"] - comparison.a.by_person["vp_sales"]
    months = (found.end - found.begin) / timedelta(days=30)
    word = "more" if more > 0 else "fewer"
    assert f"{abs(round(more / months, 1)):g} {word} mails a month for Vera Sample" in found.noise
    json.dumps(found.as_json(), default=str)
    same = run_over(lived, other()).found
    assert (same.new, same.gone, same.noise(BEGIN, BEGIN + timedelta(days=30))) == (0, 0, {})


SILENT = """rules:
  - id: silent-customer
    title: A customer has gone silent
    on: silence
    of: survey.answered
    for: 12d
    when: {is a key account: "customer.segment = 'key'"}
    severity: normal
    caller: account_owner
    policy: call_in_3d
"""


def test_a_rule_on_silence_is_tried_before_it_ever_ran(lived: World) -> None:
    lived.pass_time(days=30)
    tried = build_rulebook(
        {**starter_files(), "rules/escalations/silence.yaml": SILENT}, starter_people()
    )
    found = run_over(lived, tried).found
    assert (found.new, found.gone) == (2, 0)
    before, silence = found.samples_new
    assert before.time == BEGIN - timedelta(days=30 - 12)  # known a month before the first answer
    assert (silence.customer, silence.rule) == ("ACME-AERO", "silent-customer")
    assert (
        timedelta(days=12)
        <= silence.time - (BEGIN + timedelta(days=28))
        < timedelta(days=12, minutes=1)
    )


def test_a_silence_that_rang_and_the_back_tests_own_are_the_same_alert(lived: World) -> None:
    shorter = {**starter_files(), "rules/escalations/silence.yaml": SILENT}
    activate_rulebook(lived.app.ctx, shorter, {}, author="test", reason="silence")
    lived.pass_time(days=30)
    notice_silences(lived.app.ctx)
    found = run_over(lived, days=0).found
    rang = [row for row in lived.rows(select(alert)) if row.rule == "silent-customer"]
    assert found.a.by_rule["silent-customer"] == len(rang) == 1
    longer = {**starter_files(), "rules/escalations/silence.yaml": SILENT.replace("12d", "40d")}
    without = run_over(lived, build_rulebook(longer, starter_people()), days=0).found
    assert (without.new, without.gone, without.b and without.b.by_rule["silent-customer"]) == (
        0,
        1,
        0,
    )


def test_the_same_rulebook_is_no_other_one_also_where_it_notices_silences(lived: World) -> None:
    files = {**starter_files(), "rules/escalations/silence.yaml": SILENT}
    activate_rulebook(lived.app.ctx, files, {}, author="test", reason="silence")
    lived.pass_time(days=30)
    alone, compared = run_over(lived), run_over(lived, build_rulebook(files, starter_people()))
    assert (compared.found.new, compared.found.gone) == (0, 0)
    assert compared.found.events == alone.found.events
    assert compared.found.b is not None and compared.found.b.by_rule == alone.found.a.by_rule


def test_what_rang_before_the_period_keeps_a_rule_quiet_in_it(lived: World) -> None:
    calm = other(
        unhappy_customers=("id: unhappy-customer\n", "id: unhappy-customer\n    cooldown: 60d\n")
    )
    found = run_over(lived, calm, days=-10).found  # the first of five complaints lies before
    assert found.b is not None
    assert found.a.by_person["lead_central"] > 0 == found.b.by_person["lead_central"]


def test_a_cool_down_brings_fewer_mails_and_the_same_alerts(lived: World) -> None:
    calmer = other(
        unhappy_customers=("id: unhappy-customer\n", "id: unhappy-customer\n    cooldown: 10d\n")
    )
    run = run_over(lived, calmer)
    assert (run.found.new, run.found.gone) == (0, 0)
    assert run.found.b is not None
    lead = "lead_central"
    assert (
        run.found.a.by_person[lead] - run.found.b.by_person[lead] == 2
    )  # of five weeks every other one is quiet
    assert any(line.endswith("fewer mails a month for Lena Sample") for line in run.noise)


def test_only_one_rule_and_only_since_a_day(lived: World) -> None:
    only = run_over(lived, rule="calls-in-vain").found
    assert set(only.a.by_rule) == {"calls-in-vain"}
    late = backtest(lived.app.ctx, Extent(begin=BEGIN + timedelta(days=15)), None).found
    assert late.events < run_over(lived).found.events
    assert late.a.by_rule["calls-in-vain"] == sum(
        1 for s in only.samples_new if s.time >= BEGIN + timedelta(days=15)
    )  # signals see what happened before the period


def test_several_processes_come_to_the_same(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerting.services.alerts.backtest.CHUNK", 1)
    stricter = other(key_accounts=("sentiment = 'negative'", "score <= 4"))
    begin, done = BEGIN - timedelta(days=60), []
    effort = Effort(processes=2, progress=lambda part, of: done.append((part, of)))
    shared = backtest(lived.app.ctx, Extent(begin=begin), stricter, effort)
    alone = backtest(lived.app.ctx, Extent(begin=begin), stricter)
    assert {**shared.as_json(), "to": None} == {**alone.as_json(), "to": None}
    assert sum(part for part, _ in done) == done[0][1] == 3


def test_nothing_is_written_and_nothing_is_sent(lived: World) -> None:
    def state() -> list[int]:
        return [
            lived.rows(select(func.count().label("n")).select_from(t))[0].n
            for t in (notification, alert, audit_entry)
        ]

    before = state()
    run_over(lived, other(key_accounts=("sentiment = 'negative'", "score <= 10")))
    assert state() == before


def test_on_the_command_line_with_table_json_and_picture(
    migrated: Run, installation: Path, own_world: World
) -> None:
    own_world.known_customers()
    now = own_world.now()
    for days in range(1, 30, 3):
        own_world.take(
            own_world.survey("ACME-AERO", score=3, time=(now - timedelta(days=days)).isoformat())
        )
    done = migrated("rules", "backtest", "--since", "60d", "--svg", "weeks.svg")
    assert done.returncode == 0, done.stderr
    assert "key-account-unhappy" in done.stdout
    svg = (installation / "weeks.svg").read_text()
    assert svg.startswith("<svg")
    assert "<script" not in svg
    rules = installation / "rules"
    file = rules / "escalations" / "key_accounts.yaml"
    file.write_text(file.read_text().replace("sentiment = 'negative'", "score <= 2"))
    compared = migrated("rules", "backtest", "--since", "60d", "--rules", str(rules))
    assert "10 alerts only in A:" in compared.stdout
    assert "fewer mails a month for Vera Sample" in compared.stdout
    found = json.loads(
        migrated("rules", "backtest", "--since", "60d", "--rules", str(rules), "--json").stdout
    )
    assert (found["gone"], found["new"], found["b"]["alerts"]) == (10, 0, 0)
    assert (
        "there is no rule 'nope'; known are"
        in migrated("rules", "backtest", "--rule", "nope").stderr
    )
    assert migrated("rules", "backtest", "--since", "yesterday").returncode == 2
