"""The report on segments, against counting by hand; orders from a file; its page and pictures."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from alerting.adapters.imports.order_files import OrderColumns, read_orders
from alerting.adapters.reports.pictures import segment_pictures
from alerting.database.tables import event
from alerting.services.customers.segment_report import (
    SegmentLine,
    SegmentReport,
    as_json,
    segment_report,
)
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.installation import Run
from tests.support.world import BEGIN, World


@pytest.fixture
def lived(world: World) -> World:
    """Three customers, two months: a complaint that was answered and won back, one that was not."""
    world.known_customers()
    world.take(world.survey("ALPENWERK", score=2), world.survey("KIOSK-7", score=3))
    world.pass_time(hours=2)
    world.reached("ALPENWERK", "owner_north")
    world.fixed("ALPENWERK", "office_munich") if world.case("ALPENWERK").fixer else None
    world.pass_time(days=5)
    world.take(world.survey("ALPENWERK", score=9), world.survey("ACME-AERO", score=10))
    return world


def line(report: SegmentReport, segment: str) -> SegmentLine:
    return next(found for found in report.lines if found.segment == segment)


def test_each_segment_has_its_size_money_mood_and_cases(lived: World) -> None:
    report = segment_report(lived.app.ctx)
    high, low, key = (line(report, name) for name in ("high_potential", "low_potential", "key"))
    assert [found.customers for found in (key, high, low)] == [1, 1, 1]
    assert (high.answers, high.negative, low.negative_share, key.negative_share) == (2, 1, 1.0, 0.0)
    assert round(key.revenue_share or 0, 3) == round(1_240_000 / 1_651_900, 3)
    assert (high.cases, low.cases, key.cases) == (1, 1, 0)
    assert high.calls is not None and high.calls.met == 1
    assert (report.pareto_of, report.pareto[-1].of_purchases) == ("revenue", 1.0)
    json.dumps(as_json(report))


def test_who_answers_well_after_the_case_is_resolved_was_won_back(world: World) -> None:
    world.known_customers()
    world.take(
        *(world.call("ALPENWERK", time=(BEGIN - timedelta(hours=n)).isoformat()) for n in (1, 2, 3))
    )
    world.reached("ALPENWERK", "owner_north")
    world.fixed("ALPENWERK", "office_munich")
    assert line(segment_report(world.app.ctx), "high_potential").won_back == 0
    world.pass_time(days=3)
    world.take(world.envelope("purchase.recorded", {"customer_id": "ALPENWERK", "amount": 900}))
    assert line(segment_report(world.app.ctx), "high_potential").won_back == 1


def test_a_segment_nobody_stays_in_is_warned_of(world: World) -> None:
    for n in range(8):
        world.take(world.customer(f"C-{n}", revenue_with_us=300_000))
    for n in range(3):
        world.take(world.customer(f"C-{n}", revenue_with_us=900, time=BEGIN.isoformat()))
    report = segment_report(world.app.ctx)
    assert [(w.segment, w.left) for w in report.lines if w.restless] == [("high_potential", 3)]
    assert report.ways == {("high_potential", "low_potential"): 3}
    pictures = segment_pictures(report)
    assert sorted(pictures) == ["moves", "pareto"]
    assert all(svg.startswith("<svg") and "<script" not in svg for svg in pictures.values())


ORDERS = """order;customer no;day;total
1;C-1;2026-02-01;100,50
2;C-2;2026-02-02;20,00
3;C-2;2026-02-02;20,00
4;C-2;2026-02-03;-20,00
5;C-3;never;1,00
"""


def test_orders_as_german_sheets_write_them_and_none_from_the_future(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text(
        "Kunde;Datum;Betrag\nB1;01.11.2026;10,50\nB2;2.11.2026;1.234,50\nB3;31.2.2026;3\n"
    )
    read = read_orders(
        str(tmp_path / "o.csv"), OrderColumns(customer="Kunde", date="Datum", amount="Betrag")
    )
    assert [(str(p.day), str(p.amount)) for p in read.purchases] == [
        ("2026-11-01", "10.5"),
        ("2026-11-02", "1234.5"),
    ]
    assert [line for line, _ in read.bad] == [4]
    early = read_orders(
        str(tmp_path / "o.csv"), OrderColumns(customer="1", date="2", amount="3"), date(2026, 11, 1)
    )
    assert (3, "2: 2026-11-02 lies in the future") in early.bad


def test_orders_from_a_file_come_once_and_bad_rows_are_named(
    migrated: Run, installation: Path, own_world: World
) -> None:
    files = {**starter_files(), "rules/value.yaml": "within: 3650d\n"}
    files["rules/segments.yaml"] = files["rules/segments.yaml"].replace(
        "revenue_with_us >= 250000", "value_decile <= 5"
    )
    activate_rulebook(own_world.app.ctx, files, {}, author="test", reason="value")
    (installation / "orders.csv").write_text(ORDERS)
    own_world.take(*(own_world.customer(f"C-{n}", revenue_with_us=5) for n in (1, 2)))
    columns = ("--customer", "customer no", "--date", "day", "--amount", "total")
    first = migrated("segments", "import-orders", "orders.csv", *columns)
    assert (first.returncode, "orders.csv:6: day: 'never' is not a date" in first.stderr) == (
        1,
        True,
    )
    assert first.stdout == "4 new purchases, 0 known already, 1 of them returns, 1 bad row.\n"
    again = migrated("segments", "import-orders", "orders.csv", *columns)
    assert again.stdout.startswith("0 new purchases, 4 known already")
    amounts = [
        row.payload["amount"]
        for row in own_world.rows(select(event))
        if row.type == "purchase.recorded"
    ]
    assert sorted(amounts) == [-20, 20, 20, 100.5]
    assert (
        "2 customers looked at, 2 moves, value computed anew."
        in migrated("segments", "recompute").stdout
    )
    shown = migrated("segments", "report", "--pictures", "pictures")
    assert "50% of the customers bring 83% of all purchases." in shown.stdout
    assert (installation / "pictures" / "pareto.svg").read_text().startswith("<svg")
