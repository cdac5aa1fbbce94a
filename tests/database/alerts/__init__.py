"""Rules that matched, and why some of them tell nobody."""
