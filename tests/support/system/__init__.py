"""Whole installations as real processes."""
