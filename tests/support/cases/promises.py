"""The key account's promises, read and brought about. Times are hours after the first complaint."""

from typing import Any

from sqlalchemy import func, select

from alerting.database.tables import clock, correction
from alerting.services.cases import acts
from alerting.services.reports.report import as_json, report
from tests.support.cases.work import RESOLUTIONS, H, do, hours, with_file
from tests.support.world import BEGIN, World


def started(world: World) -> World:
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    return world


def plans(world: World, kind: str, cycle: int = 1) -> list[tuple[Any, ...]]:
    """Of the clocks of a kind that count: due, stopped and working hours."""
    k = clock.c
    mine = (k.kind == kind, k.cycle == cycle, k.superseded_at.is_(None))
    rows = world.rows(select(clock).where(*mine).order_by(k.plan))
    return [
        (
            hours(r.due_at - BEGIN),
            r.stopped_at and hours(r.stopped_at - BEGIN),
            r.worked and round(r.worked / 3.6e9, 1),
        )
        for r in rows
    ]


def corrected(world: World, hour: float, call: int | None = None) -> None:
    do(
        world,
        acts.ProposeCorrection(
            becomes=BEGIN + hour * H, reason="The phone log says so.", call=call
        ),
    )
    newest = world.rows(select(func.max(correction.c.id).label("number")))[0].number
    do(world, acts.DecideCorrection(correction=newest, approve=True), by="ceo")


def by_person(world: World, kind: str) -> dict[str, tuple[int, int]]:
    """Who kept how many promises of a kind, and kept how many late."""
    found = as_json(report(world.app.ctx))["by_person"]
    return {line["party"]: (line["met"], line["late"]) for line in found if line["clock"] == kind}


def resolved(world: World) -> None:
    world.pass_time(hours=1)
    world.reached("ACME-AERO", "vp_sales")
    do(world, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")


IMPATIENT = """\
rules:
  - id: impatient
    title: No patience
    on: interaction.recorded
    when: {complains: "channel = 'email'"}
    severity: normal
    caller: vp_sales
    policy: call_in_30h
"""


SECOND = IMPATIENT.replace("policy: call_in_30h", "fixer: local_office\n    policy: slow")


SLOW = (
    "  slow:\n    starts: customer_sent\n    contact: {by: caller, within: 30h}\n    resolve: "
    "{by: fixer, within: 20d}\n"
)


def two_policies() -> dict[str, str]:
    files = with_file("resolutions", RESOLUTIONS, sla=("  call_in_3d:", f"{SLOW}  call_in_3d:"))
    return {**files, "rules/escalations/second.yaml": SECOND}
