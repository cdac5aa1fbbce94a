"""Customers with their past and their groups, loaded for many at once."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from alerting.database.customers import customers, points, scales
from alerting.database.engine import Transaction
from alerting.domain.customers.customers import History
from alerting.domain.customers.standing import DEEPEST_GROUP, Subjects
from alerting.domain.customers.value import Scales
from alerting.domain.rulebook.rulebook import Rulebook

NOBODY: Mapping[str, History] = MappingProxyType({})


def load_subjects(
    tx: Transaction,
    keys: Iterable[str],
    rulebook: Rulebook,
    begin: datetime,
    end: datetime,
    known: Mapping[str, History] = NOBODY,
) -> Subjects:
    """These customers and their groups; points from `begin` on, and before it what the longest
    window and history need.

    `known` are histories that were loaded already.
    """
    histories = load_histories(tx, keys, known)
    since = begin - points.longest_window(rulebook.signals)
    return Subjects(
        histories=histories,
        points=points.points_between(tx, histories, since, end),
        scales=load_scales(tx, rulebook, end),
    )


def load_scales(tx: Transaction, rulebook: Rulebook, end: datetime) -> Scales:
    """The scales up to a moment, where anything reads them."""
    return scales.scales_until(tx, end) if rulebook.values_customers else Scales()


def load_histories(
    tx: Transaction, keys: Iterable[str], known: Mapping[str, History] = NOBODY
) -> dict[str, History]:
    """These customers and every group above them, in one query for each step up; none for those
    `known`.
    """
    found: dict[str, History] = {}
    wanted = set(keys)
    for _ in range(DEEPEST_GROUP + 1):
        found |= {key: known[key] for key in wanted if key in known}
        found |= customers.histories(tx, wanted - found.keys())
        wanted = {parent for key in wanted for parent in found[key].parents} - found.keys()
        if not wanted:
            break
    return found
