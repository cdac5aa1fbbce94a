"""People, and facts about them."""
