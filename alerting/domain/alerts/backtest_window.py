"""What one rulebook still sees of a customer's past while events go by in their order, and whom it
has rung.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerting.domain.alerts.judge import RuleOutcome
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.history import ANSWER, CONTACT, DEPTH, history_points
from alerting.domain.customers.signals import Point
from alerting.domain.intake.events import Event
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rule, Rulebook


class Window:
    """The points a rulebook's signals and the history can still see, while events go by in their
    order.
    """

    def __init__(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        self.points: list[Point] = []
        self.cools = any(rule.cooldown is not None for rule in rulebook.rules)
        self._rang: dict[str, datetime] = {}
        self._asked_for: Customer | None = None
        self._mailed: dict[tuple[str, str], tuple[str, ...]] = {}
        self._longest = max(
            (signal.within for signal in rulebook.signals.values()), default=timedelta(0)
        )
        self._history: dict[str, list[Point]] = {ANSWER: [], CONTACT: []}

    def add(self, event: Event) -> None:
        for point in history_points(event):
            kept = self._history[point.definition]
            kept.append(point)
            del kept[: -DEPTH - 1]  # the event's own is left out of its history
        new = [
            point for signal in self.rulebook.signals.values() for point in signal.points_of(event)
        ]
        if self.points or new:
            begin = event.time - self._longest
            self.points = [point for point in self.points if point.order[0] > begin] + new

    def rings(self, ranked: Sequence[RuleOutcome], at: datetime) -> Rule | None:
        """The strongest rule that may ring now: not in the shadow, and not within its own
        cool-down.
        """
        for rule in (outcome.rule for outcome in ranked):
            last = self._rang.get(rule.id)
            cooling = rule.cooldown is not None and last is not None and last > at - rule.cooldown
            if rule.mode == "live" and not cooling:
                self._rang[rule.id] = at
                return rule
        return None

    def mailed(self, rule: Rule, customer: Customer, segment: str, staff: Staff) -> tuple[str, ...]:
        """Whom the first mails of an alert go to, if it joins no case; the same for one state of a
        customer.
        """
        if customer is not self._asked_for:
            self._asked_for = customer
            self._mailed.clear()
        asked = (rule.id, segment)
        if asked not in self._mailed:
            self._mailed[asked] = _mailed(rule, customer, segment, self.rulebook, staff)
        return self._mailed[asked]

    def all(self) -> list[Point]:
        return [*self.points, *self._history[ANSWER], *self._history[CONTACT]]


def _mailed(
    rule: Rule, customer: Customer, segment: str, rulebook: Rulebook, staff: Staff
) -> tuple[str, ...]:
    """Whom the first mails of an alert go to, if it joins no case."""
    roles = [
        (rule.caller, True),
        *([(rule.fixer, False)] if rule.fixer else []),
        *((r, False) for r in rule.inform),
    ]
    filled = (
        fill_role(role, customer, segment, rulebook.routing, staff, to_call=call).party.id
        for role, call in roles
    )
    return tuple(dict.fromkeys(filled))
