"""A working calendar of Berlin, as a file."""


# rules/calendars.yaml

BERLIN = """berlin: {time_zone: Europe/Berlin, hours: {mon-thu: ["09:00-12:30", "13:15-18:00"], fri: ["09:00-15:00"]},
  holidays: {country: DE, subdivision: BE}, closed: [2026-12-24], short: {2026-12-23: ["09:00-12:00"]}}
"""  # noqa: E501
