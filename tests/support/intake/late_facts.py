"""A customer of whom more becomes known."""

from typing import Any

from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files
from tests.support.world import GERMANY, World

KIM = {"name": "Kim Example", "phone": "+49 30 5550177", "email": "kim@lumen.example"}


LUMEN = {"name": "Lumen", "owner": "owner_north", "contacts": [KIM], **GERMANY}


BY_REVENUE = 'when: "revenue_with_us >= 1000000"'


def by_revenue(world: World, **more: str) -> None:
    files = dict(starter_files())
    path = "rules/segments.yaml"
    files[path] = files[path].replace("members: key_accounts.csv", BY_REVENUE)
    files |= more
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="key by revenue")


def lumen(world: World, revenue: int, **more: Any) -> dict[str, Any]:
    return world.customer("LUMEN", revenue_with_us=revenue, **{**LUMEN, **more})
