"""Random conditions and facts for them."""
