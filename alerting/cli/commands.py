"""`alerting`: run it, feed it, ask it. What is called is imported, and nothing else."""

import click

from alerting.cli.groups import Later, LazyGroup

main = LazyGroup(
    "main",
    help="An unhappy customer reaches the one person who must call, and the call is proven.",
    later={
        "audit": Later("audit.audit:audit", "The audit: verify its seals, export it."),
        "case": Later("cases.case:case", "Cases: list, show, and all that people do about them."),
        "check": Later(
            "rulebook.check:check",
            "Read all of rules/ and templates/ and say what is wrong, with file and line.",
        ),
        "customers": Later(
            "customers.customers:customers", "Customers as they are and as they were."
        ),
        "dead-letters": Later(
            "intake.dead_letters:dead_letters",
            "Events that could not be read or judged; nothing of them is lost.",
        ),
        "demo": Later(
            "demo:demo",
            "Play the main job with sample data and check every step; then keep serving, to look "
            "around.",
        ),
        "explain": Later(
            "alerts.explain:explain_",
            "Say what became of EVENT: an id, #NUMBER, or the place of a dead letter such as "
            "surveys/0@17.",
        ),
        "forget": Later("audit.forget:forget_", "Erase what is personal about CUSTOMER, for good."),
        "hold": Later("mail.hold:hold", "Hold or release sending."),
        "import": Later(
            "imports.import_file:import_",
            "Import customers and contacts from CSV, Excel or Parquet.",
        ),
        "import-people": Later("people.people:import_people", "The same as `people import`."),
        "migrate": Later(
            "run:migrate",
            "Bring the database up to date; activate rules/ if the database is empty.",
        ),
        "mute": Later(
            "alerts.mutes:mute",
            "Notify nobody for a while: alerts are recorded and listed all the same.",
        ),
        "people": Later(
            "people.people:people", "People, offices and teams: list, import, reachable."
        ),
        "positions": Later("intake.positions:positions", "Where intake stands in the event log."),
        "reconcile": Later(
            "intake.reconcile:reconcile_", "Compare what a source says it sent with what arrived."
        ),
        "report": Later(
            "reports.report:report_",
            "What arrived, what became of it, and which promises were kept; a promise that is "
            "overdue counts as missed.",
        ),
        "rules": Later(
            "rulebook.rules:rules",
            "Rulebooks: everything under rules/ and templates/mail/, as one version.",
        ),
        "run": Later(
            "run:run",
            "Run roles in this process: consume, deliver, follow-up, web, or all of them (the "
            "default).",
        ),
        "segments": Later(
            "customers.segments:segments",
            "Segments: what customers are worth, and which groups they form.",
        ),
        "silence": Later("alerts.mutes:silence", "The former name of `mute`."),
        "sla": Later("cases.sla:sla", "Promises: when they are due."),
        "suppressed": Later(
            "alerts.mutes:suppressed", "Alerts that notified nobody, each with its reason."
        ),
        "survey": Later("intake.survey:survey", "Hosted surveys."),
        "unmatched": Later(
            "intake.unmatched:unmatched",
            "Answers of which nobody can tell whose they are; a person decides.",
        ),
        "who": Later(
            "routing.who:who_",
            "Say who is responsible for CUSTOMER, role by role, and every step that led there.",
        ),
    },
)
main.context_settings["help_option_names"] = ["-h", "--help"]
click.version_option(package_name="alerting")(main)
