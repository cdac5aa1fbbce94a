"""The sealed audit of a story, and what somebody who owns the database may do to it."""

from sqlalchemy import text

from alerting.domain.audit.seals import Head
from alerting.services.audit.seal import Verified, export, verify
from tests.support.world import World


def verified(world: World, *known: Head) -> Verified:
    return verify(world.app.ctx, known)


def by_force(world: World, *statements: str) -> None:
    """As somebody who owns the database may."""
    with world.app.ctx.db.write() as tx:
        for table in ("audit_entry", "audit_seal", "audit_checkpoint"):
            if tx.is_postgresql:
                tx.execute(text(f"DROP TRIGGER IF EXISTS {table}_stays ON {table}"))
            else:
                for act in ("update", "delete"):
                    tx.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{act}"))
        for statement in statements:
            tx.execute(text(statement))


def exported(world: World) -> list[bytes]:
    return list(export(world.app.ctx))
