"""Customers with their past and their groups, loaded for many at once, and given as of any moment."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerting.database import customers, points
from alerting.database.customers import History
from alerting.database.engine import Transaction
from alerting.domain.rulebook import Rulebook
from alerting.domain.signals import Point
from alerting.domain.standing import Subject

DEEPEST_GROUP = 8
"""Groups above a customer that count; a plant of a company of a group of a holding is three."""


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """Histories of customers and of every group that was ever above them, with the points of all of them."""

    histories: Mapping[str, History]
    points: Mapping[str, Sequence[Point]] = field(default_factory=dict)

    def at(self, key: str, moment: datetime, more: Sequence[Point] = ()) -> Subject:
        """A customer as of a moment; `more` points than were loaded. A group that leads back to itself ends there."""
        chain = [key]
        while len(chain) <= DEEPEST_GROUP:
            parent = self.histories[chain[-1]].as_of(moment).state.get("parent")
            if parent is None or parent in chain or parent not in self.histories:
                break
            chain.append(str(parent))
        subject: Subject | None = None
        for name in reversed(chain):
            held = [*self.points.get(name, ()), *(more if name == key else ())]
            subject = Subject(customer=self.histories[name].as_of(moment), points=held, group=subject)
        assert subject is not None, "the chain begins with the customer"
        return subject

    def lineages(self, key: str) -> list[str]:
        """The customer and every group that was ever above it, of those loaded."""
        found, waiting = [key], [key]
        while waiting:
            new = sorted(self.histories[waiting.pop()].parents & self.histories.keys() - set(found))
            found += new
            waiting += new
        return found


def load_subjects(tx: Transaction, keys: Iterable[str], rulebook: Rulebook, begin: datetime, end: datetime) -> Subjects:
    """These customers and their groups; points from `begin` on, and before it what the longest window and history need."""
    histories = load_histories(tx, keys)
    since = begin - points.longest_window(rulebook.signals)
    return Subjects(histories=histories, points=points.points_between(tx, histories, since, end))


def load_histories(tx: Transaction, keys: Iterable[str]) -> dict[str, History]:
    """These customers and every group above them, in one query for each step up."""
    found: dict[str, History] = {}
    wanted: Collection[str] = set(keys)
    for _ in range(DEEPEST_GROUP + 1):
        found |= customers.histories(tx, wanted)
        wanted = {parent for key in wanted for parent in found[key].parents} - found.keys()
        if not wanted:
            break
    return found
