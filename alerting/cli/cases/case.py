"""`alerting case`: what people do about cases, from the command line."""

from alerting.cli.groups import Later, LazyGroup

case = LazyGroup(
    "case",
    help="Cases: list, show, and all that people do about them.",
    later={
        "acknowledge": Later(
            "cases.case_acts:acknowledge_",
            "Say that somebody takes the call; whoever is not the caller becomes it.",
        ),
        "assign": Later("cases.case_acts:assign", "Give the call, or the fixing, to somebody."),
        "contact": Later(
            "cases.case_acts:contact", "Record a contact, or an attempt (voicemail is one)."
        ),
        "correct": Later("cases.corrections:correct", "Propose to correct a wrong time."),
        "corrections": Later(
            "cases.corrections:corrections", "Corrections that wait for somebody's approval."
        ),
        "decide": Later(
            "cases.corrections:decide",
            "Approve a correction that somebody else proposed, or decline it.",
        ),
        "go-on": Later("cases.case_acts:go_on", "End a wait; the clocks run on."),
        "hand-over": Later("cases.case_acts:hand_over", "Make the call another person's."),
        "list": Later("cases.case_list:list_", "Show cases, newest first."),
        "note": Later("cases.case_acts:note", "Add words to a case, open or resolved."),
        "resolve": Later(
            "cases.case_acts:resolve",
            "Record that the cause is removed; once the customer was spoken with, the case is "
            "resolved.",
        ),
        "review": Later(
            "cases.case_acts:review",
            "Say, after the end of a case, whether what was done about it has worked.",
        ),
        "show": Later("cases.case_show:show", "Show one case with its promises and its story."),
        "wait": Later(
            "cases.case_acts:wait",
            "Let the case wait for the customer or a third party: clocks that pause for that "
            "stand still.",
        ),
    },
)
