"""Purchases and the parameters published about a sample of them."""

from datetime import date

from alerting.discover.bgnbd import Parameters

END = date(1997, 9, 30)


PUBLISHED = Parameters(r=0.243, alpha=4.414, a=0.793, b=2.426)
"""Fader, Hardie and Lee (2005), table 2; the log-likelihood there is -9582.4."""
