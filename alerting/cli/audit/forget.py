"""`alerting forget`: everything personal about a customer goes, figures and the audit's skeleton
stay.
"""

import click

from alerting.bootstrap import forget
from alerting.cli.shared import opened
from alerting.cli.words import TextType, counted, printable
from alerting.database.audit import erasure
from alerting.database.intake import addresses
from alerting.domain.intake.payloads import key_of_address, mail_of, phone_of


@click.command("forget")
@click.argument("customer", type=TextType())
@click.option(
    "--respondent",
    is_flag=True,
    help="CUSTOMER is the mail address or phone number of an unknown respondent.",
)
@click.option("--by", required=True, type=TextType(), help="On whose word; it stands in the audit.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def forget_(customer: str, respondent: bool, by: str, yes: bool) -> None:
    """Erase what is personal about CUSTOMER, for good. An open case of theirs ends.

    Figures stay (scores, times, segments, response times), and so does the audit: its entries
    verify without the words they were committed to. What comes again from before is erased again,
    also after a restore.
    """
    key = _key_of(customer) if respondent else customer
    with opened() as app:
        with app.ctx.db.read() as tx:
            known = erasure.what_is_known(tx, key)
            owners = addresses.owners_of(tx, [key]).get(key, []) if respondent else []
        if owners and not known["events"]:
            said = " or ".join(f"`alerting forget {printable(owner)}`" for owner in owners)
            raise LookupError(f"answers from {printable(customer)} are those of a customer: {said}")
        if not known["events"] and not known["versions"]:
            raise LookupError(f"nothing is known of {printable(customer)}")
        counts = f"{counted(known['events'], 'event')}, {counted(known['cases'], 'case')}"
        if not yes:
            click.confirm(f"Forget {printable(customer)} ({counts}) for good?", abort=True)
        mails = forget(app, key, by)
    click.echo(f"Forgotten: {printable(customer)} ({counts}).")
    if mails:
        click.echo(f"{counted(mails, 'mail')} deleted from the mailbox folder.")
    elif not app.settings.embedded:
        click.echo(
            "Mails that were sent, and topics of Kafka, keep what they hold; see "
            "docs/how-to/forget-a-customer.md."
        )


def _key_of(text: str) -> str:
    address = mail_of(text) or phone_of(text)
    if address is None:
        raise click.BadParameter("give a mail address or a phone number", param_hint="CUSTOMER")
    return key_of_address(address)
