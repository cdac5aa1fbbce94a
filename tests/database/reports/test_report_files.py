"""The report as files: a row for each clock."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook

from alerting.adapters.reports.report_files import as_csv, as_parquet, as_xlsx
from alerting.adapters.reports.report_pictures import report_pictures
from alerting.domain.reports.selection import Selection
from alerting.services.reports.report import as_json, report
from alerting.services.reports.report_clocks import clock_rows
from tests.support.world import World


def test_the_files_have_a_row_for_each_clock_and_nothing_a_spreadsheet_computes(
    story: World,
) -> None:
    rows = list(clock_rows(story.app.ctx, Selection()))
    lines = list(csv.DictReader(io.StringIO(as_csv(rows).decode("utf-8-sig"))))
    sheet = load_workbook(io.BytesIO(as_xlsx(rows)))["clocks"]
    cells = [list(row) for row in sheet.iter_rows(min_row=2)]
    assert (
        len(rows)
        == len(lines)
        == len(cells)
        == as_json(report(story.app.ctx))["population"]["clocks"]
    )
    hostile = [n for n, row in enumerate(rows) if row["customer"].startswith("=")]
    assert hostile
    for n in hostile:
        assert lines[n]["customer"] == "'" + rows[n]["customer"]
        assert cells[n][6].value == rows[n]["customer"] and cells[n][6].data_type == "s"
    for row, line, made in zip(rows, lines, cells, strict=True):
        assert float(line["felt_seconds"]) == row["felt_seconds"] == pytest.approx(made[17].value)
        assert (
            datetime.fromisoformat(line["started_at"])
            == row["started_at"]
            == datetime.fromisoformat(made[14].value)
        )
        assert line["started_at"].endswith("Z")


def test_parquet_has_types(story: World) -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = list(clock_rows(story.app.ctx, Selection()))
    file = story.folder / "clocks.parquet"
    file.write_bytes(as_parquet(rows))
    found = duckdb.sql(
        f"SELECT \"case\", epoch_us(started_at), working_seconds FROM '{file}'"
    ).fetchall()
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert found == [
        (
            row["case"],
            (row["started_at"] - epoch) // timedelta(microseconds=1),
            row["working_seconds"],
        )
        for row in rows
    ]


def test_working_times_are_recounted_from_the_export(story: World) -> None:
    rows = [
        row
        for row in clock_rows(story.app.ctx, Selection())
        if row["state"] in {"met", "late", "overdue"}
    ]
    assert any(row["state"] == "overdue" for row in rows)
    for line in as_json(report(story.app.ctx))["overall"]:
        times = sorted(row["working_seconds"] for row in rows if row["clock"] == line["clock"])
        for name, tenths in (("median", 5), ("p90", 9), ("slowest", 10)):
            found = times[-(-tenths * len(times) // 10) - 1]
            assert found == pytest.approx(line[f"working_{name}_seconds"], abs=5)


def test_only_enough_weeks_are_drawn(story: World) -> None:
    found = report(story.app.ctx)
    assert report_pictures(found) == {}
    found.by_week = [
        replace(line, name=f"2026-0{month}-02", attainment=replace(line.attainment, met=40))
        for line in found.by_week[:1]
        for month in (1, 2, 3)
    ]
    drawn = report_pictures(found)["weeks"]
    assert drawn.startswith("<svg") and "<script" not in drawn and ">02 Feb 2026<" in drawn
