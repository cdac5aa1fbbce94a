"""The work on the key account's case, and rules changed for it. Times are hours."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from alerting.domain.cases.sla import WaitingFor
from alerting.services.cases import acts
from alerting.services.cases.respond import Actor, Seen
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import changed
from tests.support.world import BEGIN, World

H = timedelta(hours=1)


BERLIN = """\
berlin: {time_zone: Europe/Berlin, hours: {mon-fri: ["09:00-17:00"]}}
"""


def do(
    world: World, act: Any, by: str = "vp_sales", claim: Seen | None = None, door: Any = "cli"
) -> str:
    case = world.case("ACME-AERO")
    assert case.id is not None
    return acts.perform(world.app.ctx, case.id, Actor(party=by, door=door), act, claim)[1]


def activated(world: World, files: Mapping[str, str], people: Any = None) -> None:
    activate_rulebook(world.app.ctx, files, people or {}, author="test", reason="a test")


def with_file(name: str, text: str, **edits: tuple[str, str]) -> dict[str, str]:
    return {**changed(**edits), f"rules/{name}.yaml": text}


def hours(amount: timedelta) -> float:
    """Rounded: time also passes while a test runs."""
    return round(amount / H, 1)


def due(world: World, kind: str = "contact") -> float:
    """How many hours after the beginning it is due."""
    return hours(world.clocks("ACME-AERO")[kind].due_at - BEGIN)


def let_wait(
    world: World,
    who: WaitingFor = WaitingFor.CUSTOMER,
    until: datetime | None = None,
    by: str = "vp_sales",
) -> str:
    return do(world, acts.BeginWait(waiting_for=who, reason="away until Tuesday", until=until), by)


OF_FIXER = {
    "sla": ("within: 7d", "within: 8h\n      calendar: of fixer"),
    "settings": ("currency: EUR", "currency: EUR\ncalendar: berlin"),
}


RESOLUTIONS = """\
root_causes: {seal: A leaking seal, other: Something else}
actions: {replaced: Replaced}
corrective_actions: {CA-2026-014: Seals are tested before they leave}
reopen_within: 14d
effectiveness_review: {after: 30d, by: caller}
check_survey:
  survey: relationship
  after: 2d
  mail:
    en: {subject: Is it well now?, text: You told us that something was wrong. Is it well now?}
    de: {subject: Ist es wieder gut?, text: Bitte um eine Antwort.}
"""
