"""Columns and lists for conditions on dates, times, intervals and lists."""

from alerting.domain.conditions import Scope, Type

COLUMNS = {
    "d": (Type.DATE, "date"),
    "e": (Type.DATE, "date"),
    "now": (Type.TIME, "timestamptz"),
    "v": (Type.TIME, "timestamptz"),
    "k": (Type.NUMBER, None),
    "p": (Type.NUMERIC, "numeric"),
    "s": (Type.TEXT, 'text COLLATE "pg_c_utf8"'),
    "tags": (Type.TEXTS, "text[]"),
}


LISTS = {"words": ("refund", "switch to", "AA"), "one": ("b",), "none": ()}


SCOPE = Scope(names={name: (name, kind) for name, (kind, _) in COLUMNS.items()}, lists=LISTS)
