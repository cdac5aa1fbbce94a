"""A round of judging: the transaction, the rulebook and the staff that everything decided in it
stands on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.database.alerts import mutes
from alerting.database.engine import Transaction
from alerting.database.people import staff_facts
from alerting.domain.alerts.suppression import Mute
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a round of judging stands on. The customers are locked, `rulebook` is the active one and
    stays it.
    """

    tx: Transaction
    ctx: Context
    rulebook: Rulebook
    staff: Staff
    mutes: Sequence[Mute]
    now: datetime


def begin_round(tx: Transaction, ctx: Context, rulebook: Rulebook) -> Round:
    now = tx.now()
    return Round(
        tx=tx,
        ctx=ctx,
        rulebook=rulebook,
        staff=staff_facts.staff_at(tx, now),
        mutes=mutes.active_mutes(tx, now),
        now=now,
    )
