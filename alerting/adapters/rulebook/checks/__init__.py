"""What can be found out about a rulebook beyond its form."""
