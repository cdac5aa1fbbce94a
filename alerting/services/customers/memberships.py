"""In which segment each customer is: noted whenever facts or the calendar change it, told to rules
and to other systems.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from alerting.database.customers import memberships
from alerting.database.customers.memberships import Move, PlannedReview
from alerting.database.engine import Transaction
from alerting.database.rows.customers import MembershipRow, PresentMembership
from alerting.domain.customers.customers import CustomerChange, History, apply_change
from alerting.domain.customers.segment_moves import moved_event
from alerting.domain.customers.standing import (
    DEEPEST_GROUP,
    Standing,
    Subjects,
    at_rest,
    next_look,
    reads_the_past,
    standing_at,
)
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.customers.subjects import load_scales, load_subjects
from alerting.services.judging_round import Round

EVER = datetime(1970, 1, 1, tzinfo=UTC)


def concerned(fresh: Iterable[Event], rulebook: Rulebook) -> dict[str, str]:
    """Whose segment or tags these events may change, each with the last event of theirs as the
    cause.
    """
    by_anything = reads_the_past(rulebook.standing_reads)
    return {
        event.customer_key: _cause(event)
        for event in fresh
        if by_anything or isinstance(event.payload, CustomerUpdated)
    }


def _cause(event: Event) -> str:
    return f"event:{event.source} {event.id}"


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What came of looking at customers: who has moved, and when the calendar may move each
    next.
    """

    moves: list[Move]
    reviews: list[PlannedReview]

    def without(self, keys: Collection[str]) -> "Looked":
        """Only what is about others."""
        return Looked(
            moves=[one for one in self.moves if one.customer_key not in keys],
            reviews=[one for one in self.reviews if one.customer_key not in keys],
        )

    def __iadd__(self, other: "Looked") -> "Looked":
        self.moves.extend(other.moves)
        self.reviews.extend(other.reviews)
        return self


@dataclass(frozen=True, kw_only=True)
class Newcomers:
    """Where customers will stand of whom nobody has heard yet, by the rulebook of this hash."""

    rulebook: str
    keys: frozenset[str]
    looked: Looked


def look_at(
    tx: Transaction,
    rulebook: Rulebook,
    now: datetime,
    causes: Mapping[str, str],
    subjects: Subjects | None = None,
) -> Looked:
    """Where customers stand by now, beside where they stood. `subjects` may be given where they
    hold everything up to now that the conditions read.
    """
    if subjects is None or reads_the_past(rulebook.standing_reads):
        subjects = load_subjects(tx, causes, rulebook, now, now)
    return _standings(rulebook, now, causes, subjects, memberships.current(tx, causes))


def look_at_newcomers(
    tx: Transaction, rulebook: Rulebook, now: datetime, fresh: Sequence[Event]
) -> Newcomers:
    """Ahead of the transaction that stores them: where customers will stand who are told of for the
    first time, by one event each. Whoever turns out to be known, or is part of a group, is looked
    at then.
    """
    often = Counter(event.customer_key for event in fresh)
    histories, causes = {}, {}
    for event in fresh:
        key, told = event.customer_key, event.payload
        if often[key] == 1 and isinstance(told, CustomerUpdated) and told.parent is None:
            changes = told.changes()
            change = CustomerChange(
                valid_from=event.time, source=event.source, event_id=event.id, changes=changes
            )
            histories[key] = History(key=key, versions=[(change, apply_change({}, changes))])
            causes[key] = _cause(event)
    subjects = Subjects(histories=histories, scales=load_scales(tx, rulebook, now))
    found = _standings(rulebook, now, causes, subjects, {})
    return Newcomers(rulebook=rulebook.hash, keys=frozenset(causes), looked=found)


def _standings(
    rulebook: Rulebook,
    now: datetime,
    causes: Mapping[str, str],
    subjects: Subjects,
    present: Mapping[str, PresentMembership],
) -> Looked:
    found = Looked(moves=[], reviews=[])
    for key, cause in sorted(causes.items()):
        subject = subjects.at(key, now)
        if not subject.customer.known:
            continue
        standing = standing_at(subject, at_rest(now), rulebook.standing_rules)
        move = _move(key, present.get(key), standing, cause, rulebook, now)
        if move is not None:
            found.moves.append(move)
        look = next_look(standing, rulebook.standing_reads, now)
        if look is not None:
            found.reviews.append(PlannedReview(customer_key=key, due_at=look, cause="calendar"))
    return found


def note_standings(
    round_: Round,
    causes: Mapping[str, str],
    subjects: Subjects | None = None,
    ahead: Newcomers | None = None,
    strangers: Collection[str] = (),
) -> list[Move]:
    """Write down who has moved by now, and when the calendar may move them next. The customers are
    locked.

    `subjects` as in `look_at`. Those of the `strangers` who were looked at `ahead` are not looked
    at once more. Returns the moves.
    """
    if not causes:
        return []
    found = Looked(moves=[], reviews=[])
    if ahead is not None and ahead.rulebook == round_.rulebook.hash:
        done = ahead.keys.intersection(strangers)
        found += ahead.looked.without(ahead.keys - done)
        causes = {key: cause for key, cause in causes.items() if key not in done}
    if causes:
        found += look_at(round_.tx, round_.rulebook, round_.now, causes, subjects)
    memberships.add_moves(round_.tx, found.moves, round_.now)
    memberships.plan_reviews(round_.tx, found.reviews)
    return found.moves


def _move(
    key: str,
    row: PresentMembership | None,
    standing: Standing,
    cause: str,
    rulebook: Rulebook,
    now: datetime,
) -> Move | None:
    """None where segment and tags are what they were."""
    tags = sorted(standing.tags)
    before: list[str] = row.tags if row is not None else []
    if row is not None and row.segment == standing.membership.segment and before == tags:
        return None
    return Move(
        customer_key=key,
        n=row.n + 1 if row is not None else 1,
        valid_from=now,
        segment=standing.membership.segment,
        former=row.segment if row is not None else None,
        why=standing.membership.why,
        tags=tags,
        tags_added=[tag for tag in tags if tag not in before],
        tags_removed=[tag for tag in before if tag not in tags],
        cause=cause,
        rulebook=rulebook.hash,
    )


def plan_members(round_: Round, fresh: Iterable[Event], subjects: Subjects) -> None:
    """What is part of a group whose facts have changed is looked at again, soon and under its own
    lock.
    """
    since: dict[str, datetime] = {}
    for event in fresh:
        if isinstance(event.payload, CustomerUpdated):
            first = subjects.histories[event.customer_key].begins_with(event.source, event.id)
            begin = EVER if first else event.time
            since[event.customer_key] = min(since.get(event.customer_key, begin), begin)
    if not since:
        return
    members = memberships.below(round_.tx, since, DEEPEST_GROUP)
    reviews = [
        PlannedReview(
            customer_key=key, due_at=round_.now, cause=f"group:{group}", facts_since=moment
        )
        for key, (group, moment) in members.items()
    ]
    memberships.plan_reviews(round_.tx, reviews)


def moved_events(moves: Sequence[Move], rulebook: Rulebook, now: datetime) -> list[Event]:
    """Events of our own for rules `on: segment.changed`; none where there is no such rule."""
    if not rulebook.rules_on("segment.changed"):
        return []
    return [moved_event(facts_of(move), move.n, move.valid_from, now) for move in moves]


def facts_of(move: Move | MembershipRow) -> dict[str, object]:
    return {
        "customer_id": move.customer_key,
        "from_segment": move.former,
        "to_segment": move.segment,
        "why": move.why,
        "tags": move.tags,
        "tags_added": move.tags_added,
        "tags_removed": move.tags_removed,
        "cause": move.cause,
    }
