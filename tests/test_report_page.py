"""The report's files, filters, links and pictures; what it tells of breaches and of what sources say they sent."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import insert

from alerting.adapters.report_files import as_csv, as_parquet, as_xlsx, inert
from alerting.adapters.report_pictures import report_pictures
from alerting.database import tables
from alerting.domain.errors import ActionRefused
from alerting.domain.selection import Selection, selection
from alerting.services.reconciling import Sent, reconcile
from alerting.services.report_clocks import clock_rows, clocks_behind
from alerting.services.reporting import as_json, report
from tests.histories import lived
from tests.world import BEGIN, World


@pytest.fixture
def story(small_world: World) -> World:
    return lived(small_world, 1)


def test_the_files_have_a_row_for_each_clock_and_nothing_a_spreadsheet_computes(story: World) -> None:
    rows = list(clock_rows(story.app.ctx, Selection()))
    lines = list(csv.DictReader(io.StringIO(as_csv(rows).decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(as_xlsx(rows)))["clocks"]
    cells = [list(row) for row in sheet.iter_rows(min_row=2)]
    assert len(rows) == len(lines) == len(cells) == as_json(report(story.app.ctx))["population"]["clocks"]
    hostile = [n for n, row in enumerate(rows) if row["customer"].startswith("=")]
    assert hostile
    for n in hostile:
        assert lines[n]["customer"] == "'" + rows[n]["customer"]
        assert cells[n][6].value == rows[n]["customer"] and cells[n][6].data_type == "s"
    for row, line, made in zip(rows, lines, cells, strict=True):
        assert float(line["felt_seconds"]) == row["felt_seconds"] == pytest.approx(made[17].value)
        assert datetime.fromisoformat(line["started_at"]) == row["started_at"] == datetime.fromisoformat(made[14].value)
        assert line["started_at"].endswith("Z")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_like_a_formula_gets_an_apostrophe_and_a_number_stays_one(text: str) -> None:
    assert inert(text) == f"'{text}"
    assert (inert(-1.5), inert("a=b"), inert(None), inert("")) == (-1.5, "a=b", None, "")


def test_parquet_has_types(story: World) -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = list(clock_rows(story.app.ctx, Selection()))
    file = story.folder / "clocks.parquet"
    file.write_bytes(as_parquet(rows))
    found = duckdb.sql(f"SELECT \"case\", epoch_us(started_at), working_seconds FROM '{file}'").fetchall()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert found == [
        (row["case"], (row["started_at"] - epoch) // timedelta(microseconds=1), row["working_seconds"]) for row in rows
    ]


def test_every_figure_leads_to_its_clocks(story: World) -> None:
    ctx, found = story.app.ctx, as_json(report(story.app.ctx))
    for line in [*found["overall"], *found["by_person"]]:
        for state in ("met", "late", "overdue", "running", "paused"):
            which = Selection(clock=line["clock"], person=line["party"] or "")
            assert clocks_behind(ctx, which, [state]).total == line[state]


def test_a_report_is_narrowed_to_what_is_named(story: World) -> None:
    whole = as_json(report(story.app.ctx))
    for name, group in (("person", "by_person"), ("segment", "by_segment"), ("rule", "by_rule")):
        for line in whole[group]:
            one = as_json(report(story.app.ctx, selection(None, None, {name: line["party"], "clock": line["clock"]})))
            assert [(found["clock"], found["met"], found["measured"]) for found in one["overall"]] == [
                (line["clock"], line["met"], line["measured"])
            ]
            assert one["breaches_total"] == line["late"] + line["overdue"] == len(one["breaches"])
    with pytest.raises(ActionRefused, match="there is no clock 'x'; known are acknowledge, contact, resolve"):
        selection(None, None, {"clock": "x"})


def test_what_a_source_says_it_sent_stands_first_and_what_nobody_asked_is_said(story: World) -> None:
    sources = {s["source"]: s for s in as_json(report(story.app.ctx))["sources"]}
    assert sources["/test"]["said"] is None
    for sent in (3, 900):
        reconcile(story.app.ctx, "/test", Sent(days={date(2026, 3, 6): sent, date(2026, 3, 7): 0}), ZoneInfo("UTC"))
    reconcile(story.app.ctx, "/lost", Sent(ids=["a", "b"]), ZoneInfo("UTC"))
    found = {s["source"]: s for s in as_json(report(story.app.ctx))["sources"]}
    said = found["/test"]["said"]
    assert (said["sent"], said["first_day"], said["last_day"]) == (900, "2026-03-06", "2026-03-07")
    assert said["received"] + said["missing"] == 900
    assert (found["/lost"]["received"], found["/lost"]["said"]["missing_ids"]) == (0, ["a", "b"])
    later = selection(date(2026, 3, 8), None, {})
    assert {s["source"]: s["said"] for s in as_json(report(story.app.ctx, later))["sources"]}["/test"] is None


def test_a_breach_tells_what_was_recorded_with_its_case(small_world: World) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey("ACME-AERO"))
    small_world.pass_time(hours=30)
    small_world.tick()
    case = small_world.case("ACME-AERO")
    with small_world.app.ctx.db.write() as tx:
        review = {"case_id": case.id, "cycle": 1, "due_at": BEGIN + timedelta(days=30), "done_at": tx.now()}
        tx.execute(insert(tables.effectiveness_review).values(**review, by="ceo", effective=False))
        ended = {"case_id": case.id, "cycle": 1, "root_cause": "part", "corrective_action": "CA-7"}
        tx.execute(insert(tables.resolution).values(**ended))
        times = {"was": BEGIN, "becomes": BEGIN, "proposed_at": tx.now()}
        tx.execute(insert(tables.correction).values(case_id=case.id, what="contact", reason="typo", by="ceo", **times))
    found = as_json(report(small_world.app.ctx))
    worst = found["breaches"][0]
    assert (worst["clock"], worst["stopped_at"], worst["reasons"]) == (
        "acknowledge",
        None,
        ["nobody acted before it was due"],
    )
    assert (worst["root_cause"], worst["corrective_action"], worst["effect"]) == ("part", "CA-7", "not effective")
    assert found["changes"][-1]["what"] == "correction" and "proposed: typo" in found["changes"][-1]["words"]


def test_only_enough_weeks_are_drawn(story: World) -> None:
    found = report(story.app.ctx)
    assert report_pictures(found) == {}
    found.by_week = [
        replace(line, name=f"2026-0{month}-02", attainment=replace(line.attainment, met=40))
        for line in found.by_week[:1]
        for month in (1, 2, 3)
    ]
    drawn = report_pictures(found)["weeks"]
    assert drawn.startswith("<svg") and "<script" not in drawn
