"""Letters and how they go out."""
