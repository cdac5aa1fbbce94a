"""Who works here, and who is away."""
