"""Alembic migrations; `migrate` brings a database up to date."""
