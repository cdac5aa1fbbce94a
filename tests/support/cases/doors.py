"""Forms and links of a case."""

from alerting.database.audit import audit_entries
from tests.support.world import World

ADMIN = {"authorization": "Bearer test-admin-token-0123"}


def actors(world: World) -> list[tuple[str, str]]:
    with world.app.ctx.db.read() as tx:
        return [(e.actor, e.action) for e in audit_entries.entries_of(tx, "case", "1")]


def seen(world: World) -> dict[str, str]:
    case = world.case("ACME-AERO")
    return {"revision": str(case.revision)}
