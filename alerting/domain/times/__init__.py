"""Calendars, working time, durations."""
