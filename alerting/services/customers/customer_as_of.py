"""A customer as of any time: its facts then, its segment and tags by the rulebook of that time, and
why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from alerting.database.customers import customers
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.rulebook import rulebooks
from alerting.domain.alerts.judge import points_from
from alerting.domain.customers.customer_diff import field_changes
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.signals import Point
from alerting.domain.customers.standing import Standing, Subjects, at_rest, standing_at
from alerting.domain.errors import RulebookInvalid
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context
from alerting.services.customers.subjects import load_histories, load_scales


@dataclass(frozen=True, kw_only=True)
class SegmentAsOf:
    """Where a customer stood at a moment. `assumed`: the moment lies before all we know, and the
    first we heard counts.
    """

    customer: Customer
    at: datetime
    segment: str
    why: str
    tags: tuple[str, ...]
    rulebook: str
    assumed: bool


@dataclass(frozen=True, kw_only=True)
class Version:
    """One dated change: since when it holds, when we heard of it, from whom, and what it moved
    then.
    """

    valid_from: datetime
    recorded_at: datetime
    source: str
    event_id: str
    fields: Sequence[Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Life:
    """A customer as of a moment, with every change we know of, oldest first."""

    standing: SegmentAsOf
    versions: Sequence[Version]

    def as_json(self) -> dict[str, object]:
        """All values are fit for JSON."""
        standing = self.standing
        return {
            "customer_id": standing.customer.key,
            "name": standing.customer.name,
            "at": standing.at.isoformat(),
            "known": standing.customer.known,
            "assumed": standing.assumed,
            "state": dict(standing.customer.state),
            "segment": standing.segment,
            "why": standing.why,
            "tags": list(standing.tags),
            "rulebook": standing.rulebook,
            "history": [
                {
                    **asdict(version),
                    "fields": list(version.fields),
                    "valid_from": version.valid_from.isoformat(),
                    "recorded_at": version.recorded_at.isoformat(),
                }
                for version in self.versions
            ],
        }


def segment_as_of(
    ctx: Context, customer_id: str, moment: datetime, *, by_active: bool = False
) -> SegmentAsOf:
    """The segment and tags a customer had at a moment, by the facts of that time as they are known
    today.

    The rulebook is the one that was active then, for a time before the first one, that one; or
    today's with `by_active`. Somebody we know nothing of is `unverified`.
    """
    with ctx.db.read() as tx:
        return _as_of(tx, ctx, customer_id, moment, by_active)


def life_of(
    ctx: Context, customer_id: str, moment: datetime | None = None, *, by_active: bool = False
) -> Life:
    """A customer as of a moment (now, if left out) with its history. Raises LookupError for one
    nobody has told us about.
    """
    with ctx.db.read() as tx:
        standing = _as_of(tx, ctx, customer_id, moment or tx.now(), by_active)
        if not standing.customer.known:
            raise LookupError(f"no customer {customer_id!r} is known")
        return Life(standing=standing, versions=_versions(tx, customer_id))


def _as_of(
    tx: Transaction, ctx: Context, key: str, moment: datetime, by_active: bool
) -> SegmentAsOf:
    rulebook = ctx.shelf.active(tx) if by_active else _rulebook_at(tx, ctx, moment)
    histories = load_histories(tx, [key])
    points: dict[str, list[Point]] = {name: [] for name in histories}
    for event in events.events_of_many(tx, sorted(histories), moment):
        points[event.customer_key] += points_from([event], rulebook)
    subjects = Subjects(
        histories=histories, points=points, scales=load_scales(tx, rulebook, moment)
    )
    subject = subjects.at(key, moment)
    found: Standing = standing_at(subject, at_rest(moment), rulebook)
    since = histories[key].known_since
    return SegmentAsOf(
        customer=subject.customer,
        at=moment,
        segment=found.membership.segment,
        why=found.membership.why,
        tags=tuple(sorted(found.tags)),
        rulebook=rulebook.hash,
        assumed=since is not None and moment < since,
    )


def _rulebook_at(tx: Transaction, ctx: Context, moment: datetime) -> Rulebook:
    """What this version of the code cannot read any more is answered by the active one; its hash
    says so.
    """
    activations = rulebooks.activations(tx)
    then = next(
        (row for row in activations if row.activated_at <= moment),
        activations[-1] if activations else None,
    )
    if then is None:
        return ctx.shelf.active(tx)
    try:
        return ctx.shelf.get(tx, then.rulebook)
    except RulebookInvalid:
        return ctx.shelf.active(tx)


def _versions(tx: Transaction, key: str) -> list[Version]:
    found: list[Version] = []
    before: Mapping[str, object] = {}
    for row in customers.versions_of(tx, key):
        fields = tuple(asdict(change) for change in field_changes(before, row.changes))
        found.append(
            Version(
                valid_from=row.valid_from,
                recorded_at=row.recorded_at,
                source=row.source,
                event_id=row.event_id,
                fields=fields,
            )
        )
        before = row.state
    return found
