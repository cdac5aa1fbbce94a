"""The rights of the role that processes run as on PostgreSQL, where another one owns the tables: it
cannot change the audit, nor switch off what guards it.
"""

import sqlalchemy as sa

from alerting.database.engine import Transaction
from alerting.domain.errors import SettingsInvalid

ONLY_ADDED_TO = ("audit_entry", "audit_seal", "audit_checkpoint")
"""Tables whose rows may be read and added, by nobody changed."""


def grant_rights(tx: Transaction, role: str) -> None:
    """Give `role` exactly the rights that processes need. Raises SettingsInvalid with what to
    do.
    """
    _check(tx, role)
    name = sa.sql.quoted_name(role, quote=True)
    quoted = tx.connection.dialect.identifier_preparer.quote(name)
    tables = sorted(sa.inspect(tx.connection).get_table_names())
    tx.execute(sa.text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {_schema(tx)} FROM {quoted}"))
    tx.execute(sa.text(f"GRANT USAGE ON SCHEMA {_schema(tx)} TO {quoted}"))
    tx.execute(sa.text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {_schema(tx)} TO {quoted}"))
    for table in tables:
        rights = "SELECT, INSERT" if table in ONLY_ADDED_TO else "SELECT, INSERT, UPDATE, DELETE"
        rights = "SELECT" if table == "alembic_version" else rights
        tx.execute(
            sa.text(
                f"GRANT {rights} ON {tx.connection.dialect.identifier_preparer.quote(table)} TO "
                f"{quoted}"
            )
        )


def owns_the_audit(tx: Transaction) -> bool:
    """Whether we ourselves could switch off what guards the audit."""
    if not tx.is_postgresql:
        return False
    asked = (
        "SELECT pg_has_role(current_user, tableowner, 'USAGE') FROM pg_tables WHERE tablename "
        "= 'audit_entry'"
    )
    return bool(tx.execute(sa.text(asked)).scalar())


def _check(tx: Transaction, role: str) -> None:
    if not tx.is_postgresql:
        raise SettingsInvalid(["ALERTING_DATABASE_ROLE is for PostgreSQL; SQLite has no roles"])
    may_anything = (
        "rolsuper OR rolname = current_user OR pg_has_role(rolname, current_user, 'USAGE')"
    )
    asked = f"SELECT {may_anything} FROM pg_roles WHERE rolname = :role"
    found = tx.execute(sa.text(asked), {"role": role}).scalar()
    if found is None:
        raise SettingsInvalid(
            [
                f"the role {role!r} does not exist; make it first: CREATE ROLE {role} LOGIN "
                "PASSWORD '...'"
            ]
        )
    if found:
        raise SettingsInvalid(
            [
                f"the role {role!r} owns the tables or may do anything, so it could change the "
                "audit; name a lesser one"
            ]
        )


def _schema(tx: Transaction) -> str:
    name = str(tx.execute(sa.text("SELECT current_schema()")).scalar_one())
    return tx.connection.dialect.identifier_preparer.quote(name)
