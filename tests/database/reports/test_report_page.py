"""The report's files, filters, links and pictures; what it tells of breaches and of what sources
say they sent.
"""

import html
import json
import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from alerting.bootstrap import web_parts
from alerting.database import tables
from alerting.domain.errors import ActionRefused
from alerting.domain.reports.selection import Selection, selection
from alerting.entrypoints.web.app import create_app
from alerting.services.intake.reconciliation import Sent, reconcile
from alerting.services.reports.report import as_json, report, unknown_names
from alerting.services.reports.report_clocks import clocks_behind
from alerting.services.reports.report_population import behind_figure
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed
from tests.support.installation import Run
from tests.support.world import BEGIN, World


def test_every_figure_leads_to_its_clocks(story: World) -> None:
    ctx, found = story.app.ctx, as_json(report(story.app.ctx))
    for line in [*found["overall"], *found["by_person"]]:
        for state in ("met", "late", "overdue", "running", "paused"):
            which = Selection(clock=line["clock"], person=line["party"] or "")
            assert clocks_behind(ctx, which, [state]).total == line[state]


def test_a_report_is_narrowed_to_what_is_named(story: World) -> None:
    whole = as_json(report(story.app.ctx))
    groups = ("person", "segment", "team", "territory", "rule")
    assert all(whole[f"by_{name}"] for name in groups if name != "team")
    for name, group in ((name, f"by_{name}") for name in groups):
        for line in whole[group]:
            one = as_json(
                report(
                    story.app.ctx,
                    selection(None, None, {name: line["party"], "clock": line["clock"]}),
                )
            )
            assert [
                (found["clock"], found["met"], found["measured"]) for found in one["overall"]
            ] == [(line["clock"], line["met"], line["measured"])]
            if not line["median_at_least"]:
                assert [found["median_seconds"] for found in one["overall"]] == [
                    line["median_seconds"]
                ]
            assert one["breaches_total"] == line["late"] + line["overdue"] == len(one["breaches"])
    with pytest.raises(
        ActionRefused, match="there is no clock 'x'; known are acknowledge, contact, resolve"
    ):
        selection(None, None, {"clock": "x"})


def test_every_number_of_cases_leads_to_them(story: World) -> None:
    found = as_json(report(story.app.ctx))
    population, contacts = found["population"], found["contacts"]
    told = {name: population[name] for name in ("cases", "resolved", "reopened")}
    told |= {name: contacts[name] for name in ("phone_log", "crm_event", "own_word")} | {
        "won_back": found["won_back"]
    }
    assert told["cases"] and told["resolved"] and told["own_word"]
    with story.app.ctx.db.read() as tx:
        for of, count in told.items():
            total, rows = behind_figure(tx, Selection(), of)
            assert total == len(rows) and (
                total == count or (of in contacts and 0 < total <= count)
            ), of


def test_a_report_of_somebody_counts_the_alerts_of_his_cases(story: World) -> None:
    whole = as_json(report(story.app.ctx))
    for party in {line["party"] for line in whole["by_person"]}:
        p = as_json(report(story.app.ctx, Selection(person=party)))["population"]
        assert 0 <= p["joined"] <= p["alerts"] - p["cases"] + p["reopened"] or p["cases"] == 0
    nobody = as_json(report(story.app.ctx, Selection(policy="nosuch")))
    counts = {name: nobody["population"][name] for name in ("alerts", "joined", "cases", "clocks")}
    assert (set(counts.values()), nobody["contacts"]["contacts"]) == ({0}, 0)


def test_every_link_of_the_page_leads_somewhere(story: World) -> None:
    app = create_app(web_parts(story.app))
    with TestClient(app, headers={"authorization": "Bearer test-admin-token-0123"}) as browser:
        page = browser.get("/reports?from=2026-03-04&to=2026-03-20").text
        links = {html.unescape(link) for link in re.findall(r'href="(/[^"]*)"', page)}
        assert {link.split("?")[0] for link in links} > {
            "/reports",
            "/reports/clocks",
            "/reports/cases",
        }
        for link in sorted(links - {"/logout"}):
            assert browser.get(link).status_code == 200, link
        week = next(
            link for link in links if link.startswith("/reports?from=2026-03-09&to=2026-03-15")
        )
        assert 'name="from" value="2026-03-09"' in browser.get(week).text
        assert browser.get("/reports/cases?of=x").status_code == 422


def test_how_long_a_case_stood_in_each_status(small_world: World) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey("ACME-AERO"), small_world.survey("ALPENWERK"))
    small_world.pass_time(hours=1)
    small_world.acknowledged("ACME-AERO", "vp_sales")
    small_world.pass_time(hours=2)
    small_world.reached("ACME-AERO", "vp_sales")
    small_world.reached("ALPENWERK", "owner_north")
    small_world.pass_time(hours=4)
    small_world.fixed("ACME-AERO")
    stays = as_json(report(small_world.app.ctx))["stays"]
    assert [
        (s["status"].split()[0], s["count"], round(s["mean_seconds"] / 3600, 1)) for s in stays
    ] == [("open", 2, 2), ("acknowledged", 1, 2), ("contacted", 1, 4)]


def test_what_came_into_force_says_what_is_different(small_world: World) -> None:
    edited = changed(sla=("within: 24h", "within: 20h"))
    activate_rulebook(small_world.app.ctx, edited, {}, author="test", reason="a test")
    changes = as_json(report(small_world.app.ctx))["changes"]
    change = next(change for change in changes if change["by"] == "test")
    assert [line[0] + line[1:].strip() for line in change["lines"] if "within" in line] == [
        "-within: 24h",
        "+within: 20h",
    ]


ADMIN = {"authorization": "Bearer test-admin-token-0123", "accept": "text/html"}


def test_what_nothing_bears_is_said_and_whoever_left_is_known(story: World) -> None:
    def said(**narrowed: str) -> list[str]:
        return unknown_names(story.app.ctx, selection(None, None, narrowed))

    assert said(person="vp_salse", rule="unhappy-custmer") == [
        "no person is called 'vp_salse'; did you mean 'vp_sales'?",
        "no rule is called 'unhappy-custmer'; did you mean 'unhappy-customer'?",
    ]
    assert said(team="nightwatch") == ["no team is called 'nightwatch', nor anything else"]
    assert said(segment="gold")[0].startswith("no segment is called 'gold'; known are")
    assert said(policy="x", territory="FR") != []
    line = as_json(report(story.app.ctx))["by_territory"][0]
    assert said(person="vp_sales", territory=line["party"], segment="key", clock="contact") == []
    story.take(story.envelope("person.removed", {"person_id": "vp_sales"}))
    assert said(person="vp_sales") == []
    with TestClient(create_app(web_parts(story.app))) as client:
        page = client.get("/reports?person=vp_salse", headers=ADMIN)
    assert page.status_code == 200
    assert "no person is called &#39;vp_salse&#39;; did you mean &#39;vp_sales&#39;?" in page.text


def test_the_command_says_so_beside_its_report(migrated: Run) -> None:
    done = migrated("report", "--person", "vp_salse", "--json")
    assert (done.returncode, json.loads(done.stdout)["overall"]) == (0, [])
    assert done.stderr == "warning: no person is called 'vp_salse'; did you mean 'vp_sales'?\n"


@pytest.mark.parametrize(
    "day", ["nonsense", "2026-13-01", "01.10.2026", "86400", "2026-10-01T00:00"]
)
def test_a_bad_day_is_shown_the_right_form(story: World, day: str) -> None:
    with TestClient(create_app(web_parts(story.app))) as client:
        page = client.get(f"/reports?from={day}", headers=ADMIN)
    assert (page.status_code, page.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert html.escape(f"from: '{day}' is no day; write 2026-10-01.") in page.text.replace(
        "&#39;", "&#x27;"
    )


def test_what_was_left_out_is_counted_as_people_count(migrated: Run, own_world: World) -> None:
    old = own_world.now() - timedelta(days=30)
    own_world.take(own_world.survey("ACME-AERO", time=old.isoformat()))
    assert "  without 1 event: " in migrated("report").stdout


def test_a_rulebook_this_version_cannot_read_keeps_no_report_from_being_made(
    small_world: World,
) -> None:
    with small_world.app.ctx.db.write() as tx:
        old = {
            "hash": "de" * 32,
            "files": {"rules/sla.yaml": "policies: {x: {old_word: 1}}"},
            "stored_at": tx.now(),
        }
        tx.execute(insert(tables.rulebook).values(**old))
        active = {
            "rulebook": old["hash"],
            "activated_at": tx.now(),
            "author": "somebody",
            "reason": "an old version",
        }
        tx.execute(insert(tables.activation).values(**active))
    told = [
        change
        for change in as_json(report(small_world.app.ctx))["changes"]
        if change["by"] == "somebody"
    ]
    assert [change["lines"] for change in told] == [[]]


def test_what_a_source_says_it_sent_stands_first_and_what_nobody_asked_is_said(
    story: World,
) -> None:
    sources = {s["source"]: s for s in as_json(report(story.app.ctx))["sources"]}
    assert sources["/test"]["said"] is None
    for sent in (3, 900):
        reconcile(
            story.app.ctx,
            "/test",
            Sent(days={date(2026, 3, 6): sent, date(2026, 3, 7): 0}),
            ZoneInfo("UTC"),
        )
    reconcile(story.app.ctx, "/lost", Sent(ids=["a", "b"]), ZoneInfo("UTC"))
    found = {s["source"]: s for s in as_json(report(story.app.ctx))["sources"]}
    said = found["/test"]["said"]
    assert (said["sent"], said["first_day"], said["last_day"]) == (900, "2026-03-06", "2026-03-07")
    assert said["received"] + said["missing"] == 900
    assert (found["/lost"]["received"], found["/lost"]["said"]["missing_ids"]) == (0, ["a", "b"])
    later = selection(date(2026, 3, 8), None, {})
    assert {s["source"]: s["said"] for s in as_json(report(story.app.ctx, later))["sources"]}[
        "/test"
    ] is None


def test_a_breach_tells_what_was_recorded_with_its_case(small_world: World) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey("ACME-AERO"))
    small_world.pass_time(hours=30)
    small_world.tick()
    case = small_world.case("ACME-AERO")
    with small_world.app.ctx.db.write() as tx:
        review = {
            "case_id": case.id,
            "cycle": 1,
            "due_at": BEGIN + timedelta(days=30),
            "done_at": tx.now(),
        }
        tx.execute(insert(tables.effectiveness_review).values(**review, by="ceo", effective=False))
        ended = {"case_id": case.id, "cycle": 1, "root_cause": "part", "corrective_action": "CA-7"}
        tx.execute(insert(tables.resolution).values(**ended))
        times = {"was": BEGIN, "becomes": BEGIN, "proposed_at": tx.now()}
        tx.execute(
            insert(tables.correction).values(
                case_id=case.id, what="contact", reason="typo", by="ceo", **times
            )
        )
    found = as_json(report(small_world.app.ctx))
    worst = found["breaches"][0]
    assert (worst["clock"], worst["stopped_at"], worst["reasons"]) == (
        "acknowledge",
        None,
        ["nobody acted before it was due"],
    )
    assert (worst["root_cause"], worst["corrective_action"], worst["effect"]) == (
        "part",
        "CA-7",
        "not effective",
    )
    assert (
        found["changes"][-1]["what"] == "correction"
        and "proposed: typo" in found["changes"][-1]["words"]
    )
