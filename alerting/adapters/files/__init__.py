"""Files of every kind."""
