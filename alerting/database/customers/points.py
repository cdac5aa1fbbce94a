"""The append-only points signals and history are computed from."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, func, select

from alerting.database.engine import Transaction
from alerting.database.sets import among
from alerting.database.tables import signal_point
from alerting.domain.customers.history import ANSWER, CONTACT, DEPTH
from alerting.domain.customers.signals import Point, PointKind, Signal


def add_points(tx: Transaction, points: Iterable[Point]) -> None:
    """Append points; one that is there already stays as it is."""
    rows = [
        {
            "definition": p.definition,
            "customer_key": p.customer_key,
            "kind": p.kind.value,
            "time": p.order[0],
            "source": p.order[1],
            "event_id": p.order[2],
            "value": _to_json(p.value),
        }
        for p in sorted(points, key=lambda p: (p.customer_key, p.definition, p.order))
    ]
    if rows:
        tx.execute(tx.insert(signal_point).on_conflict_do_nothing(), rows)


def points_between(
    tx: Transaction, keys: Iterable[str], begin: datetime, end: datetime
) -> dict[str, list[Point]]:
    """The points of these customers in a stretch of time, and the newest of their history from
    before it.
    """
    wanted, p = sorted(set(keys)), signal_point.c
    columns = (p.definition, p.customer_key, p.kind, p.time, p.source, p.event_id, p.value)
    window = select(*columns).where(
        among(tx, p.customer_key, wanted), p.time > begin, p.time <= end
    )
    newest = (p.time.desc(), p.source.desc(), p.event_id.desc())
    nth = (
        func.row_number()
        .over(partition_by=(p.customer_key, p.definition), order_by=newest)
        .label("nth")
    )
    lasting = (
        among(tx, p.customer_key, wanted),
        p.definition.in_((ANSWER, CONTACT)),
        p.time <= begin,
    )
    numbered = select(p.id, nth).where(*lasting).subquery()
    earlier = select(*columns).join(numbered, numbered.c.id == p.id).where(numbered.c.nth <= DEPTH)
    found: dict[str, list[Point]] = defaultdict(list)
    for definition, key, kind, time, source, event_id, value in (
        *tx.execute(window),
        *tx.execute(earlier),
    ):
        order = (time, source, event_id)
        point = Point(
            definition=definition,
            customer_key=key,
            kind=_KINDS[kind],
            order=order,
            value=_from_json(value),
        )
        found[key].append(point)
    return found


_KINDS = {kind.value: kind for kind in PointKind}


def _to_json(value: object) -> object:
    """Values of points: JSON has no decimals and no times."""
    if isinstance(value, list):
        return [_to_json(item) for item in value]
    if isinstance(value, Decimal):
        return {"number": str(value)}
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def _from_json(value: object) -> object:
    if value is None or type(value) is int:
        return value
    if isinstance(value, list):
        return [_from_json(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, text),) = value.items()
    read: dict[str, Callable[[str], object]] = {
        "number": Decimal,
        "time": datetime.fromisoformat,
        "date": date.fromisoformat,
    }
    return read[kind](text)


def number_of(value: object) -> Decimal:
    """A stored number as a Decimal."""
    return Decimal(value) if type(value) is int else Decimal(str(_from_json(value)))


def longest_window(signals: Mapping[str, Signal]) -> timedelta:
    return max((signal.within for signal in signals.values()), default=timedelta(0))


def drop_points(tx: Transaction, definitions: Iterable[str]) -> None:
    """Points no active signal reads any more; those of the history are everybody's."""
    kept = [*definitions, ANSWER, CONTACT]
    tx.execute(delete(signal_point).where(signal_point.c.definition.not_in(kept)))


def known_definitions(tx: Transaction) -> set[str]:
    return set(tx.execute(select(signal_point.c.definition).distinct()).scalars())


def prune(
    tx: Transaction, windows: Mapping[str, timedelta], margin: timedelta, now: datetime
) -> int:
    """Delete signals' points older than their window, and of the history what newer points have
    replaced.
    """
    p = signal_point.c
    gone = 0
    for definition, window in windows.items():
        gone += tx.execute(
            delete(signal_point).where(p.definition == definition, p.time <= now - window)
        ).rowcount
    newest = (p.time.desc(), p.source.desc(), p.event_id.desc())
    nth = (
        func.row_number()
        .over(partition_by=(p.customer_key, p.definition), order_by=newest)
        .label("nth")
    )
    old = (p.definition.in_((ANSWER, CONTACT)), p.time <= now - margin)
    numbered = select(p.id, nth).where(*old).subquery()
    replaced = select(numbered.c.id).where(numbered.c.nth > DEPTH)
    return gone + tx.execute(delete(signal_point).where(p.id.in_(replaced))).rowcount
