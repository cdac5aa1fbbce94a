"""Facts about people."""

from datetime import timedelta
from typing import Any

from alerting.domain.routing.staff import Staff
from alerting.services.people.import_people import staff_now
from tests.support.world import World


def person(world: World, person_id: str, **more: Any) -> dict[str, Any]:
    envelope = {name: more.pop(name) for name in ("id", "source", "time") if name in more}
    return world.envelope("person.updated", {"person_id": person_id, **more}, **envelope)


def staff(world: World, **ago: float) -> Staff:
    return staff_now(world.app.ctx, world.now() - timedelta(**ago))


def days(begin: int, end: int, substitute: str | None = None) -> dict[str, Any]:
    absence = {"from": f"2026-03-{begin:02}", "to": f"2026-03-{end:02}"}
    return absence | ({"substitute": substitute} if substitute else {})
