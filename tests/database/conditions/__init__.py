"""Conditions, held to PostgreSQL."""
