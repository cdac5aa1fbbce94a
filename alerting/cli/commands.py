"""`alerting`: run it, feed it, ask it."""

import getpass
import signal
from typing import Any

import click

from alerting.bootstrap import ROLES, prepare, run_roles
from alerting.cli.alerts.backtest import backtest_
from alerting.cli.alerts.explain import explain_
from alerting.cli.alerts.mutes import silence, suppressed
from alerting.cli.audit.audit import audit as audit_commands
from alerting.cli.audit.forget import forget_
from alerting.cli.cases.case import case
from alerting.cli.cases.sla import sla
from alerting.cli.customers.customers import customers as customers_
from alerting.cli.customers.segments import segments
from alerting.cli.demo import demo
from alerting.cli.imports.import_file import import_
from alerting.cli.intake.dead_letters import dead_letters
from alerting.cli.intake.reconcile import reconcile_
from alerting.cli.intake.unmatched import unmatched
from alerting.cli.mail.hold import hold
from alerting.cli.people.people import import_people, people
from alerting.cli.reports.report import report_
from alerting.cli.routing.who import who_
from alerting.cli.rulebook.rule_tests import rules_test
from alerting.cli.rulebook.rules import check, rules
from alerting.cli.shared import opened, table
from alerting.cli.words import Words
from alerting.database.audit import audit_entries
from alerting.database.customers import customers
from alerting.database.grants import grant_rights
from alerting.database.intake import positions
from alerting.domain.audit.entries import Action, Entry, Subject
from alerting.domain.customers.customers import Customer
from alerting.domain.errors import ActionRefused
from alerting.entrypoints.loops import Stop


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="alerting")
def main() -> None:
    """An unhappy customer reaches the one person who must call, and the call is proven."""


main.add_command(audit_commands)
main.add_command(demo)
main.add_command(case)
main.add_command(check)
main.add_command(customers_)
main.add_command(dead_letters)
main.add_command(hold)
main.add_command(import_)
main.add_command(rules)
main.add_command(explain_)
main.add_command(segments)
main.add_command(silence)
main.add_command(sla)
main.add_command(suppressed)
main.add_command(unmatched)
main.add_command(forget_)
main.add_command(people)
main.add_command(reconcile_)
main.add_command(report_)
main.add_command(who_)
main.add_command(import_people)
rules.add_command(backtest_)
rules.add_command(rules_test)


@main.command()
@click.argument("roles", nargs=-1, type=click.Choice(["all", *ROLES]))
def run(roles: tuple[str, ...]) -> None:
    """Run roles in this process: consume, deliver, follow-up, web, or all of them (the default)."""
    chosen = ROLES if not roles or "all" in roles else roles
    with opened(ready=False) as app:
        from alerting.bootstrap import check_ready, check_rulebook
        from alerting.entrypoints.web.server import check_listen

        if app.settings.embedded or chosen == ROLES:
            _refuse_demo_then_prepare(app)
        check_ready(app)
        check_rulebook(app)
        stop = Stop()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.ask())
        if "web" in chosen:
            check_listen(app.settings.host, app.settings.port)
            click.echo(f"Cases:        {app.settings.base_url}/cases")
            click.echo(f"Admin token:  {app.secrets.admin_token}")
            if app.settings.embedded:
                click.echo(f"Mailbox:      {app.settings.base_url}/mailbox")
                click.echo(f"Ingest key:   {app.secrets.ingest_keys[0]}")
        run_roles(app, chosen, stop)


def _refuse_demo_then_prepare(app: Any) -> None:
    from alerting.bootstrap import check_ready
    from alerting.database.migrate import is_current

    if is_current(app.ctx.db):
        check_ready(app)
    prepare(app)


@main.command()
def migrate() -> None:
    """Bring the database up to date; activate rules/ if the database is empty."""
    with opened(ready=False) as app:
        prepare(app)
        click.echo("The database is up to date.")
        if app.settings.database_role is not None:
            with app.ctx.db.write() as tx:
                grant_rights(tx, app.settings.database_role)
            click.echo(
                f"{app.settings.database_role} may do what processes need, and nothing to the "
                "audit but add to it."
            )


@main.group("positions")
def positions_() -> None:
    """Where intake stands in the event log."""


@positions_.command("list")
def list_positions() -> None:
    """Show every partition's position, and what stopped it."""
    with opened() as app, app.ctx.db.read() as tx:
        known, stopped = positions.all_positions(tx), positions.stopped_partitions(tx)
    rows = [[str(p), n, p.cluster, stopped.pop(str(p), "")] for p, n in known.items()]
    table(
        ["partition", "next", "cluster", "stopped"],
        rows + [[name, "", "", why] for name, why in stopped.items()],
    )


@positions_.command("accept")
@click.argument("topic")
def accept_topic(topic: str) -> None:
    """Accept that the log behind TOPIC is a new one: read it from its beginning. Known events are
    recognised.
    """
    with opened() as app, app.ctx.db.write() as tx:
        known = sorted({partition.topic for partition in positions.all_positions(tx)})
        if topic not in known:
            told = f"known are {', '.join(known)}" if known else "none is stored yet"
            raise ActionRefused(f"no position is stored of a topic {topic!r}; {told}")
        now = tx.now()
        count = positions.retire_topic(tx, topic, now)
        entry = Entry(
            actor=getpass.getuser(),
            action=Action.POSITIONS_ACCEPTED,
            subject=Subject(kind="topic", id=topic),
            happened_at=now,
            facts={"positions": count},
        )
        audit_entries.write(tx, entry, now)
        retired = "1 position" if count == 1 else f"{count} positions"
        click.echo(f"{retired} of {topic} retired; restart `alerting run consume`.")


@main.group()
def survey() -> None:
    """Hosted surveys."""


@survey.command("link")
@click.argument("survey_id")
@click.argument("customer_id", type=Words())
@click.option("--contact", type=Words(), help="The contact's name, as it stands with the customer.")
def survey_link(survey_id: str, customer_id: str, contact: str | None) -> None:
    """Print the link that invites CUSTOMER_ID to the form SURVEY_ID; it is signed, so nobody can
    answer for others.
    """
    with opened() as app:
        with app.ctx.db.read() as tx:
            known = app.ctx.shelf.active(tx).surveys
            customer = customers.customer_now(tx, customer_id)
        if survey_id not in known:
            raise LookupError(
                f"there is no survey {survey_id!r}; known are {', '.join(sorted(known))}"
            )
        _check_invited(customer, contact)
        click.echo(app.links.invitation(survey_id, customer_id, contact))


def _check_invited(customer: Customer, contact: str | None) -> None:
    """A link for somebody we do not know would bring an answer that nobody can be called about."""
    if not customer.known:
        raise ActionRefused(
            f"no customer {customer.key!r} is known; `alerting import FILE` or a customer.updated "
            "event makes it known"
        )
    names = [str(known["name"]) for known in customer.contacts]
    if contact is not None and contact.casefold() not in {name.casefold() for name in names}:
        told = f"known are {', '.join(names)}" if names else "none is known"
        raise ActionRefused(f"{customer.key} has no contact {contact!r}; {told}")
