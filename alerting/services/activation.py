"""Which rulebook is in force: only activation moves it, and every process follows."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from alerting.database import audit, events, instance, points, rulebooks
from alerting.database.engine import Transaction
from alerting.domain.people import Party
from alerting.domain.rulebook import Rulebook, content_hash
from alerting.services.context import Context

MARGIN = timedelta(days=1)
"""A new signal's points are made from events this much older than its window, so that late judgements find theirs."""


def activate_rulebook(
    ctx: Context, files: Mapping[str, str], people: Mapping[str, Party], *, author: str, reason: str
) -> tuple[str, bool]:
    """Store a checked rulebook and make it the active one; imports people.yaml as dated facts.

    Returns its hash and whether anything changed. Judgements under the former rulebook commit first; new signals get
    their points from stored events before any event is judged under the new one.
    """
    rulebook = ctx.shelf.read(files)

    def once() -> tuple[str, bool]:
        with ctx.db.write() as tx:
            instance.begin_instance(tx, "production", tx.now())
            before = rulebooks.lock_active(tx)
            now = tx.now()
            imported = rulebooks.import_people(tx, people, now)
            if imported:
                _note(tx, "people.imported", "people", {"parties": imported}, author)
            name = content_hash(files)
            if before == name:
                return name, bool(imported)
            rulebooks.store_rulebook(tx, name, files, now)
            _give_points(tx, rulebook)
            rulebooks.activate(tx, name, author, reason, now)
            _note(tx, "rulebook.activated", name, {"before": before, "reason": reason}, author)
            return name, True

    return ctx.db.retrying(once)


def activate_first(ctx: Context, read: Callable[[], tuple[Mapping[str, str], Mapping[str, Party]]]) -> str | None:
    """The first start of an empty database activates what `read` finds; later starts do not even look at it."""
    with ctx.db.read() as tx:
        if rulebooks.active_hash(tx) is not None:
            return None
    files, people = read()
    return activate_rulebook(ctx, files, people, author="first start", reason="the database was empty")[0]


def _give_points(tx: Transaction, rulebook: Rulebook) -> None:
    known = points.known_definitions(tx)
    points.drop_points(tx, [signal.definition for signal in rulebook.signals.values()])
    for signal in rulebook.signals.values():
        if signal.definition in known:
            continue
        stored = events.stored_events(tx, signal.of, tx.now() - signal.within - MARGIN)
        points.add_points(tx, [point for event in stored for point in signal.points_of(event)])


def _note(tx: Transaction, action: str, subject: str, facts: dict[str, object], author: str) -> None:
    now = tx.now()
    entry = audit.Entry(
        actor=author, action=action, subject_kind="rulebook", subject_id=subject, happened_at=now, facts=facts
    )
    audit.write(tx, entry, now)
