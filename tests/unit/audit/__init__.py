"""Proof of what happened, and what is forgotten."""
