"""Facts that arrive late."""
