"""The number of a case, as every command about one takes it."""

import click

from alerting.cli.words import Number

CASE_NUMBER = click.argument("number", type=Number("case", "C-"))
