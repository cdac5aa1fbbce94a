"""`alerting segments ...`: what customers are worth, and which groups they form."""

import click

from alerting.cli.discover_commands import discover
from alerting.cli.segment_diff_command import diff, members
from alerting.cli.segment_report_commands import import_orders_, recompute_, report
from alerting.cli.value_command import value


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
