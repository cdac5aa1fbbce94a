"""`alerting segments ...`: what customers are worth, and which groups they form."""

import click

from alerting.cli.customers.discover import discover
from alerting.cli.customers.segment_diff import diff, members
from alerting.cli.customers.segment_report import import_orders_, recompute_, report
from alerting.cli.customers.value import value


@click.group()
def segments() -> None:
    """Segments: what customers are worth, and which groups they form."""


segments.add_command(report)
segments.add_command(diff)
segments.add_command(members)
segments.add_command(import_orders_)
segments.add_command(recompute_)
segments.add_command(value)
segments.add_command(discover)
