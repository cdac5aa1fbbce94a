"""What data say that no rule says yet."""
