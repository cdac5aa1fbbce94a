"""`alerting segments ...`: what customers are worth, and which groups they form."""

import click

from alerting.cli.discover_commands import discover
from alerting.cli.segment_diff_command import diff, members
from alerting.cli.value_command import value


@click.group()
def segments() -> None:
    """Segments: what customers are worth, and which groups they form."""


segments.add_command(diff)
segments.add_command(members)
segments.add_command(value)
segments.add_command(discover)
