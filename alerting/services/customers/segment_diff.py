"""Who would be in which segment under another rulebook: looked at before it is activated. Nothing
is written.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.domain.alerts.judge import points_from
from alerting.domain.customers.customers import History
from alerting.domain.customers.signals import Point
from alerting.domain.customers.standing import (
    Standing,
    Subjects,
    at_rest,
    reads_the_past,
    standing_at,
)
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context
from alerting.services.customers.subjects import load_histories, load_scales

CHUNK = 1_000


@dataclass(frozen=True, kw_only=True)
class Mover:
    """A customer whose segment or tags would be others, and why it would be in its new segment."""

    customer_id: str
    name: str
    from_segment: str
    to_segment: str
    why: str
    tags_added: tuple[str, ...]
    tags_removed: tuple[str, ...]


@dataclass(kw_only=True)
class SegmentDiff:
    """What the second rulebook would change of the standing of all customers known."""

    customers: int = 0
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    movers: list[Mover] = field(default_factory=list)

    @property
    def ways(self) -> Counter[tuple[str, str]]:
        """How many would go from where to where."""
        return Counter(
            (m.from_segment, m.to_segment) for m in self.movers if m.from_segment != m.to_segment
        )

    def as_json(self) -> dict[str, object]:
        return {
            "customers": self.customers,
            "before": dict(self.before),
            "after": dict(self.after),
            "moves": [
                {"from": a, "to": b, "customers": n} for (a, b), n in self.ways.most_common()
            ],
            "movers": [asdict(mover) for mover in self.movers],
        }


def segment_diff(
    ctx: Context,
    other: Rulebook,
    progress: Callable[[int, int], None] = lambda done, of: None,
    of: Collection[str] | None = None,
) -> SegmentDiff:
    """Every known customer, or these, as of now under the active rulebook and under `other`."""
    found = SegmentDiff()
    with ctx.db.read() as tx:
        active, now = ctx.shelf.active(tx), tx.now()
        keys = customers.known_keys(tx) if of is None else sorted(of)
        for begin in range(0, len(keys), CHUNK):
            chunk = keys[begin : begin + CHUNK]
            histories = load_histories(tx, chunk)
            a, b = (_standings(tx, chunk, histories, book, now) for book in (active, other))
            for key in chunk:
                _count(found, histories[key].as_of(now).name, key, a[key], b[key])
            progress(len(chunk), len(keys))
    return found


def _standings(
    tx: Transaction,
    keys: Sequence[str],
    histories: Mapping[str, History],
    rulebook: Rulebook,
    now: datetime,
) -> dict[str, Standing]:
    """Points come from the stored events: the store keeps those of the active rulebook's signals
    alone.
    """
    points: dict[str, list[Point]] = defaultdict(list)
    if reads_the_past(rulebook.standing_reads):
        for event in events.events_of_many(tx, sorted(histories), now):
            points[event.customer_key] += points_from([event], rulebook)
    subjects = Subjects(histories=histories, points=points, scales=load_scales(tx, rulebook, now))
    return {key: standing_at(subjects.at(key, now), at_rest(now), rulebook) for key in keys}


def _count(found: SegmentDiff, name: str, key: str, a: Standing, b: Standing) -> None:
    found.customers += 1
    found.before[a.membership.segment] += 1
    found.after[b.membership.segment] += 1
    if a.membership.segment == b.membership.segment and set(a.tags) == set(b.tags):
        return
    mover = Mover(
        customer_id=key,
        name=name,
        from_segment=a.membership.segment,
        to_segment=b.membership.segment,
        why=b.membership.why,
        tags_added=tuple(sorted(set(b.tags) - set(a.tags))),
        tags_removed=tuple(sorted(set(a.tags) - set(b.tags))),
    )
    found.movers.append(mover)
