"""Tables of customers, imported."""

from typing import Any

from alerting.adapters.imports.customer_tables import read_table
from alerting.database.customers import customers
from alerting.services.imports.import_customers import Imported, import_customers
from tests.support.world import World


def importing(world: World, text: str | bytes, name: str = "customers.csv") -> Imported:
    file = world.folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_customers(world.app.ctx, read_table(str(file)))


def state(world: World, customer: str) -> dict[str, Any]:
    with world.app.ctx.db.read() as tx:
        return dict(customers.customer_now(tx, customer).state)


def known(world: World, *keys: str) -> list[str]:
    with world.app.ctx.db.read() as tx:
        return [key for key in keys if customers.customer_now(tx, key).known]
