"""Alembic's entry: runs inside the connection that `migrate` hands over."""

from alembic import context

from alerting.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
context.run_migrations()
