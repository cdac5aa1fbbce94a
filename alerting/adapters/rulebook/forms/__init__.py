"""The forms of the files under rules/, key by key. DESIGN.md, Rules."""
