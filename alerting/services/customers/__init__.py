"""Who customers are, and what they are worth."""
