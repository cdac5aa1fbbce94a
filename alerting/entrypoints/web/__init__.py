"""Doors by HTTP, for people and for programs."""
