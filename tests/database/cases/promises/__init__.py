"""What a promise comes to."""
