"""How fast customers were answered."""
