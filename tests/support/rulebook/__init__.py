"""Files of rules, and tests of them."""
