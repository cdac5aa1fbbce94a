"""What comes in: events, and where reading stands."""
