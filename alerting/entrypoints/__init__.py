"""Loops and doors: what runs, and where people and programs come in."""
