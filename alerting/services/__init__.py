"""Use cases: one transaction each. Gather, decide in the domain, apply."""
