"""What the clocks of a case run by: the rulebook, and with it the calendar, that was active when they were started."""

from dataclasses import replace

from alerting.database import cases
from alerting.database.engine import Transaction
from alerting.domain.errors import RulebookInvalid
from alerting.domain.rulebook import Rulebook
from alerting.domain.sla import Clock, Target
from alerting.services.context import Context


def clocks_of(tx: Transaction, ctx: Context, case_id: int) -> list[Clock]:
    """All clocks of a case, each with the target it runs by."""
    active = ctx.shelf.active(tx)
    found = cases.clocks_of(tx, [case_id])[case_id]
    return [replace(clock, target=target_of(tx, ctx, clock, active)) for clock in found]


def target_of(tx: Transaction, ctx: Context, clock: Clock, active: Rulebook) -> Target:
    """Its own length and calendar with the steps of its policy.

    A calendar the clock's rulebook does not have (this version may not read that rulebook any more) is taken from the
    active one, and is elapsed time where that has none either.
    """
    rulebook = _read(tx, ctx, clock.rulebook) or active
    policy = rulebook.policies.get(clock.policy)
    target = (policy.targets.get(clock.kind) if policy else None) or Target(by=clock.by, within=clock.within)
    calendar = rulebook.calendars.get(clock.calendar) or active.calendars.get(clock.calendar) or target.calendar
    return replace(target, by=clock.by, within=clock.within, calendar=calendar)


def _read(tx: Transaction, ctx: Context, content_hash: str) -> Rulebook | None:
    try:
        return ctx.shelf.get(tx, content_hash) if content_hash else None
    except (RulebookInvalid, LookupError):
        return None
