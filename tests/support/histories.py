"""A random history of an installation, played through the product's own doors."""

import random
from contextlib import suppress
from datetime import timedelta
from typing import Any

from alerting.domain.cases.cases import Wait
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import respond, work_on_case
from alerting.services.cases.respond import Actor
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.world import World

CUSTOMERS = ("ACME-AERO", "ALPENWERK", "KIOSK-7", "C-0", "C-1", "C-2", "C-3")
PEOPLE = ("vp_sales", "ceo", "owner_north", "lead_central", "head_of_service")


def lived(world: World, seed: int, steps: int = 110) -> World:
    """A random history through the product's own doors: complaints, calls in time and late, waits,
    hand-overs. Early on the rules change: from then on the contact of most cases counts office
    hours.
    """
    rnd = random.Random(seed)
    world.known_customers()
    for n in range(4):
        world.take(
            world.customer(
                f"C-{n}", name=f"=HYPERLINK({n})", revenue_with_us=300_000 * (n % 2), country="FR"
            )
        )
    for step in range(steps):
        customer = rnd.choice(CUSTOMERS)
        world.pass_time(hours=rnd.choice([0.02, 0.1, 0.5, 1, 3, 9, 40]))
        if step == steps // 4:
            activate_rulebook(
                world.app.ctx, office_hours(), {}, author="ops", reason="office hours"
            )
        with suppress(
            ActionRefused, AssertionError
        ):  # no case, or it is over, or reached already: the history goes on
            _do(world, rnd.choice(ACTS), customer, rnd)
        world.tick()
    return world


ACTS = (
    "complain",
    "complain",
    "complain",
    "call",
    "call",
    "voicemail",
    "fix",
    "wait",
    "go_on",
    "hand_over",
    "well",
    "take",
)


def office_hours() -> dict[str, str]:
    sla = starter_files()["rules/sla.yaml"]
    assert "within: 3d" in sla
    return {
        **starter_files(),
        "rules/calendars.yaml": 'office: {time_zone: UTC, hours: {mon-fri: ["09:00-17:00"]}}\n',
        "rules/sla.yaml": sla.replace("within: 3d", "within: 26h\n      calendar: office"),
    }


def _do(world: World, act: str, customer: str, rnd: random.Random) -> None:
    ctx = world.app.ctx
    if act == "complain":
        world.take(world.survey(customer, score=rnd.randrange(4)))
        return
    if act == "well":
        world.take(
            world.survey(customer, score=10),
            world.envelope("purchase.recorded", {"customer_id": customer, "amount": 5}),
        )
        return
    case = world.case(customer)
    assert case.id is not None
    me = Actor(party=case.caller, door="cli")
    if act in {"call", "voicemail"}:
        outcome = "reached" if act == "call" else "voicemail"
        world.reached(customer, case.caller, outcome, minutes_ago=rnd.choice([0, 0, 5, 90]))
        if rnd.random() < 0.6:
            length = rnd.choice([60, None])
            said: dict[str, Any] = {
                "channel": "phone",
                "direction": "outbound",
                "duration_seconds": length,
            }
            world.take(world.call(customer, **said))
    elif act == "fix":
        world.fixed(customer, case.fixer or case.caller)
    elif act == "wait":
        work_on_case.wait_for(
            ctx,
            case.id,
            me,
            lambda now: Wait(
                by=case.caller,
                waiting_for=rnd.choice([*WaitingFor]),
                reason="x",
                until=now + timedelta(days=rnd.choice([1, 4])),
            ),
        )
    elif act == "go_on":
        work_on_case.go_on_with(ctx, case.id, me)
    elif act == "hand_over":
        respond.hand_over_case(ctx, case.id, me, rnd.choice(PEOPLE), "away")
    else:
        respond.acknowledge_case(ctx, case.id, me)
