"""The forms of the files under rules/, key by key. docs/reference/rule-files.md"""
