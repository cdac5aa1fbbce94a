"""`alerting rules ...`: what a rule does, before it sends anything."""

from alerting.cli.groups import Later, LazyGroup

rules = LazyGroup(
    "rules",
    help="Rulebooks: everything under rules/ and templates/mail/, as one version.",
    later={
        "activate": Later(
            "rulebook.rule_versions:activate",
            "Check rules/ and templates/, show what changes, and make them the active rulebook of"
            " every process.",
        ),
        "backtest": Later(
            "alerts.backtest:backtest_",
            "Judge the stored events again, with customers as they were then.",
        ),
        "diff": Later(
            "rulebook.rule_versions:diff",
            "What two rulebooks differ in: stored ones by the beginning of their hash; without B "
            "the files of today.",
        ),
        "eval": Later(
            "rulebook.rule_eval:evaluate",
            "Say what a condition comes to: true, false, unknown or error, one line for each line.",
        ),
        "history": Later(
            "rulebook.rule_versions:history",
            "Which rulebook was activated when, by whom and why; newest first.",
        ),
        "test": Later(
            "rulebook.rule_tests:rules_test",
            "Play rules/tests/*.yaml: these customers and events must bring these alerts, mails "
            "and missed promises.",
        ),
    },
)
