"""In which segment each customer is and since when, and when that is to be looked at again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, func, literal, select, update

from alerting.database.bulk import add_rows
from alerting.database.engine import Transaction
from alerting.database.rows.customers import (
    DueReviewRow,
    MemberRow,
    MembershipRow,
    PresentMembership,
)
from alerting.database.sets import among
from alerting.database.tables import (
    case_file,
    customer_version,
    event,
    membership,
    review,
    signal_point,
)
from alerting.domain.cases.cases import Status


@dataclass(frozen=True, kw_only=True)
class Move:
    """A customer's change of segment or tags, the `n`-th; `former` is None for the first."""

    customer_key: str
    n: int
    valid_from: datetime
    segment: str
    former: str | None
    why: str
    tags: list[str]
    tags_added: list[str]
    tags_removed: list[str]
    cause: str
    rulebook: str


@dataclass(frozen=True, kw_only=True)
class PlannedReview:
    """When a customer's standing is to be looked at again, and because of what."""

    customer_key: str
    due_at: datetime
    cause: str
    facts_since: datetime | None = None


def current(tx: Transaction, keys: Iterable[str]) -> dict[str, PresentMembership]:
    """The present membership of each of these customers that has one: its `n`, `segment` and
    `tags`.
    """
    m = membership.c
    chosen = select(m.customer_key, m.n, m.segment, m.tags)
    mine = (among(tx, m.customer_key, sorted(keys)), m.superseded_at.is_(None))
    rows = tx.rows(PresentMembership, chosen.where(*mine))
    return {row.customer_key: row for row in rows}


def mark(tx: Transaction, keys: Sequence[str]) -> tuple[int, ...]:
    """Changes with whatever may move one of these customers: what happened to anybody, and their
    own moves.
    """
    m = membership.c
    newest = (func.max(event.c.seq), func.max(signal_point.c.id))
    moved = select(func.max(m.id)).where(among(tx, m.customer_key, keys))
    return tuple(tx.execute(one).scalar() or 0 for one in (*map(select, newest), moved))


def add_moves(tx: Transaction, moves: Sequence[Move], now: datetime) -> None:
    """Store changes in the place of what was current."""
    if not moves:
        return
    m = membership.c
    keys = sorted(move.customer_key for move in moves if move.n > 1)
    if keys:
        tx.execute(
            update(membership)
            .where(among(tx, m.customer_key, keys), m.superseded_at.is_(None))
            .values(superseded_at=now)
        )
    add_rows(
        tx, membership, [vars(move) for move in sorted(moves, key=lambda move: move.customer_key)]
    )


def moves_of(tx: Transaction, customer_key: str) -> list[MembershipRow]:
    """A customer's changes, oldest first."""
    return tx.rows(
        MembershipRow,
        select(membership)
        .where(membership.c.customer_key == customer_key)
        .order_by(membership.c.n),
    )


def unpublished(tx: Transaction, limit: int = 500) -> list[MembershipRow]:
    m = membership.c
    return tx.rows(
        MembershipRow,
        select(membership).where(m.published_at.is_(None)).order_by(m.id).limit(limit),
    )


def mark_published(tx: Transaction, ids: Sequence[int], now: datetime) -> None:
    tx.execute(update(membership).where(membership.c.id.in_(ids)).values(published_at=now))


def next_review(tx: Transaction) -> datetime | None:
    """When the next customer is to be looked at, or was already; None where nobody is."""
    return tx.execute(select(func.min(review.c.due_at))).scalar()


def plan_reviews(tx: Transaction, reviews: Iterable[PlannedReview]) -> None:
    """Look at these again; what is planned earlier stays."""
    rows = [vars(one) for one in sorted(reviews, key=lambda one: one.customer_key)]
    if not rows:
        return
    adding = tx.insert(review)
    sooner = {name: getattr(adding.excluded, name) for name in ("due_at", "cause")}
    since = func.coalesce(
        _earlier(tx, adding.excluded.facts_since), adding.excluded.facts_since, review.c.facts_since
    )
    tx.execute(
        adding.on_conflict_do_update(
            index_elements=["customer_key"],
            set_={**sooner, "facts_since": since},
            where=(review.c.due_at > adding.excluded.due_at)
            | adding.excluded.facts_since.is_not(None),
        ),
        rows,
    )


def _earlier(tx: Transaction, moment: ColumnElement[datetime]) -> ColumnElement[datetime | None]:
    """The earlier of what is stored and a moment; NULL where either is missing."""
    smaller = func.least if tx.is_postgresql else func.min
    both = and_(review.c.facts_since.is_not(None), moment.is_not(None))
    return case((both, smaller(review.c.facts_since, moment)), else_=None)


def replan_reviews(tx: Transaction, keys: Sequence[str], reviews: Sequence[PlannedReview]) -> None:
    """After these customers were looked at: plan the next times, and no others but those at which
    facts are judged anew.
    """
    r = review.c
    rows = tx.execute(
        select(r.customer_key, r.due_at).where(
            among(tx, r.customer_key, keys), r.facts_since.is_(None)
        )
    )
    planned, wanted = (
        {row.customer_key: row.due_at for row in rows},
        {one.customer_key: one.due_at for one in reviews},
    )
    drop_reviews(tx, [key for key, due in planned.items() if wanted.get(key) != due])
    plan_reviews(tx, [one for one in reviews if planned.get(one.customer_key) != one.due_at])


def drop_reviews(tx: Transaction, keys: Iterable[str]) -> None:
    tx.execute(review.delete().where(among(tx, review.c.customer_key, sorted(keys))))


def put_off(tx: Transaction, customer_key: str, now: datetime) -> None:
    tx.execute(
        update(review)
        .where(review.c.customer_key == customer_key)
        .values(due_at=now + timedelta(days=1))
    )


def review_everybody(tx: Transaction, now: datetime, cause: str) -> None:
    """All customers we know are looked at again as soon as may be."""
    v = customer_version.c
    known = select(v.customer_key, literal(now, review.c.due_at.type), literal(cause)).distinct()
    adding = tx.insert(review).from_select(
        ["customer_key", "due_at", "cause"], known.where(v.customer_key.is_not(None))
    )
    tx.execute(
        adding.on_conflict_do_update(
            index_elements=["customer_key"], set_={"due_at": now, "cause": cause}
        )
    )


def due_reviews(tx: Transaction, now: datetime, limit: int) -> list[DueReviewRow]:
    r = review.c
    return tx.rows(
        DueReviewRow,
        select(review).where(r.due_at <= now).order_by(r.due_at, r.customer_key).limit(limit),
    )


def below(
    tx: Transaction, groups: Mapping[str, datetime], deepest: int
) -> dict[str, tuple[str, datetime]]:
    """Everybody who was ever part of one of these groups, in any number of steps: the group it
    comes from, and its moment.
    """
    v = customer_version.c
    found: dict[str, tuple[str, datetime]] = {}
    level = {name: (name, since) for name, since in groups.items()}
    for _ in range(deepest):
        rows = tx.execute(
            select(v.customer_key, v.parent).where(among(tx, v.parent, sorted(level))).distinct()
        )
        level = {
            row.customer_key: level[row.parent]
            for row in rows
            if row.customer_key not in found | dict(groups)
        }
        if not level:
            break
        found |= level
    return found


def members(tx: Transaction, segment: str | None, tag: str | None) -> list[MemberRow]:
    """The customers of a segment, of a tag, or all, with `case_id` where one has an unresolved
    case.
    """
    m, c = membership.c, case_file.c
    unresolved = (c.customer_key == m.customer_key) & (c.status != Status.RESOLVED.value)
    statement = select(membership, c.id.label("case_id")).select_from(
        membership.outerjoin(case_file, unresolved)
    )
    statement = statement.where(m.superseded_at.is_(None))
    if segment is not None:
        statement = statement.where(m.segment == segment)
    rows = tx.rows(MemberRow, statement.order_by(m.customer_key))
    return [row for row in rows if tag is None or tag in row.tags]
