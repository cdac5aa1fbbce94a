"""`alerting survey link`: a link that invites a customer to a hosted survey."""

import click

from alerting.cli.shared import opened
from alerting.cli.words import TextType
from alerting.database.customers import customers
from alerting.domain.customers.customers import Customer
from alerting.domain.errors import ActionRefused


@click.group()
def survey() -> None:
    """Hosted surveys."""


@survey.command("link")
@click.argument("survey_id")
@click.argument("customer_id", type=TextType())
@click.option(
    "--contact", type=TextType(), help="The contact's name, as it stands with the customer."
)
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
