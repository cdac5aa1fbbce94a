"""The doors by HTTP."""
