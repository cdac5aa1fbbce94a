"""Tests without a process and without a database; seconds in all."""
