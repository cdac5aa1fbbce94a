"""The store: tables, queries and migrations, on SQLite and PostgreSQL alike.

A layer of its own below the services, because the transactions are what the promises rest on: see
docs/adr/0001-database-below-services.md.
"""
