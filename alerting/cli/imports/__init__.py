"""Tables of customers, people and orders."""
