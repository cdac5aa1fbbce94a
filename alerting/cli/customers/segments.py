"""`alerting segments ...`: what customers are worth, and which groups they form."""

from alerting.cli.groups import Later, LazyGroup

segments = LazyGroup(
    "segments",
    help="Segments: what customers are worth, and which groups they form.",
    later={
        "diff": Later(
            "customers.segment_diff:diff",
            "Who would move from where to where, and what that would have changed in last month's"
            " mails.",
        ),
        "discover": Later(
            "customers.discover:discover",
            "Find groups of customers who are alike (k-means), and print them for "
            "rules/segments.yaml.",
        ),
        "import-orders": Later(
            "customers.segment_report:import_orders_", "Take purchases from a list of orders."
        ),
        "members": Later(
            "customers.segment_diff:members",
            "Who is in which segment and since when; and whom not to survey, because a case of "
            "theirs is open.",
        ),
        "recompute": Later(
            "customers.segment_report:recompute_",
            "Look at every customer again now: cut points of value, segments, tags.",
        ),
        "report": Later(
            "customers.segment_report:report",
            "Are the segments any good: size, revenue, satisfaction, cases, calls, customers won "
            "back, moves.",
        ),
        "value": Later(
            "customers.value:value",
            "What each customer will probably buy, by BG/NBD (Fader, Hardie and Lee, 2005).",
        ),
    },
)
