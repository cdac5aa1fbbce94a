"""The README, the demo, the compose file."""
