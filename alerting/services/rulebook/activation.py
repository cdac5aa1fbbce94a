"""Which rulebook is in force: only activation moves it, and every process follows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from alerting.database import instance
from alerting.database.alerts import watches
from alerting.database.audit import audit_entries
from alerting.database.customers import memberships, points
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.people import staff_facts
from alerting.database.rulebook import rulebooks
from alerting.domain.alerts.customer_silence import watch_name
from alerting.domain.audit.entries import Action, Entry, EntrySubject
from alerting.domain.errors import ActionRefused, RulebookInvalid, RulebookUnusable
from alerting.domain.people.people import Known
from alerting.domain.rulebook.rulebook import Rulebook, content_hash
from alerting.services.context import Context

MARGIN = timedelta(days=1)
"""A new signal's points are made from events this much older than its window, so that late
judgements find theirs.
"""


@dataclass(frozen=True, kw_only=True)
class Activated:
    """What came of an activation: `changed` when another rulebook or other people are in force,
    `waiting` when a second person must agree first.
    """

    hash: str
    changed: bool
    waiting: bool = False


def activate_rulebook(
    ctx: Context,
    files: Mapping[str, str],
    people: Mapping[str, Known],
    *,
    author: str,
    reason: str,
    expected: str | None = None,
) -> Activated:
    """Store a checked rulebook and make it the active one; imports `people`, unless empty, as dated
    facts.

    Judgements under the former rulebook commit first; new signals get their points from stored
    events before any event is judged under the new one. Where the active rulebook asks for a second
    person, the first to activate only proposes. `expected` is the active hash the author has
    compared with: another one by now raises ActionRefused.
    """
    rulebook = ctx.shelf.read(files)

    def once() -> Activated:
        with ctx.db.write() as tx:
            instance.begin_instance(tx, "production", tx.now())
            before = rulebooks.lock_active(tx)
            now = tx.now()
            name = content_hash(files)
            if expected is not None and before != expected:
                raise ActionRefused("another rulebook was activated meanwhile; compare again")
            proposer = _proposer(tx, name, author)
            wanted = _Wanted(
                rulebook=rulebook,
                people=people,
                before=before,
                author=proposer or author,
                reason=reason,
                approver=author if proposer is not None else None,
            )
            if proposer is not None:
                return _activate(tx, ctx, wanted)
            if before is not None and before != name and _asks_for_two(tx, ctx):
                rulebooks.store_rulebook(tx, name, files, now)
                rulebooks.propose(tx, name, author, reason, now)
                note_rulebook(
                    tx, Action.RULEBOOK_PROPOSED, name, {"before": before, "reason": reason}, author
                )
                return Activated(hash=name, changed=False, waiting=True)
            return _activate(tx, ctx, wanted)

    return ctx.db.retrying(once)


def _asks_for_two(tx: Transaction, ctx: Context) -> bool:
    """An active rulebook nobody can read any more must not keep its successor out."""
    try:
        return ctx.shelf.active(tx).second_person
    except RulebookUnusable:
        return False


def _who(author: str) -> str:
    """`ANN ` is ann, and no second person."""
    return " ".join(author.casefold().split())


def _proposer(tx: Transaction, name: str, author: str) -> str | None:
    """Who proposed it, if somebody else did."""
    return next(
        (
            p.author
            for p in rulebooks.proposals(tx)
            if p.rulebook == name and _who(p.author) != _who(author)
        ),
        None,
    )


@dataclass(frozen=True, kw_only=True)
class _Wanted:
    """What is activated after `before`, by whom and why; where two were asked for, `author`
    proposed it.
    """

    rulebook: Rulebook
    people: Mapping[str, Known]
    before: str | None
    author: str
    reason: str
    approver: str | None


def _activate(tx: Transaction, ctx: Context, wanted: _Wanted) -> Activated:
    now, rulebook = tx.now(), wanted.rulebook
    imported = staff_facts.import_people(tx, wanted.people, now)
    if imported:
        note_rulebook(tx, Action.PEOPLE_IMPORTED, "people", {"parties": imported}, wanted.author)
    if wanted.before == rulebook.hash:
        return Activated(hash=rulebook.hash, changed=bool(imported))
    rulebooks.store_rulebook(tx, rulebook.hash, rulebook.files, now)
    _give_points(tx, rulebook)
    _begin_watches(tx, rulebook)
    _review_all(tx, ctx, wanted.before, rulebook)
    rulebooks.activate(tx, rulebook.hash, wanted.author, wanted.reason, now, wanted.approver)
    facts: dict[str, object] = {
        "before": wanted.before,
        "reason": wanted.reason,
        **({"approver": wanted.approver} if wanted.approver else {}),
    }
    note_rulebook(tx, Action.RULEBOOK_ACTIVATED, rulebook.hash, facts, wanted.author)
    return Activated(hash=rulebook.hash, changed=True)


def stored_rulebook(ctx: Context, beginning: str) -> Rulebook:
    """A stored rulebook by its hash or the beginning of it. Raises LookupError."""
    with ctx.db.read() as tx:
        found = rulebooks.named(tx, beginning) if beginning else []
        if len(found) != 1:
            known = ", ".join(dict.fromkeys(row.rulebook[:12] for row in rulebooks.activations(tx)))
            what = (
                "no stored rulebook begins" if not found else f"{len(found)} stored rulebooks begin"
            )
            raise LookupError(f"{what} with {beginning!r}; activated were {known or 'none'}")
        return ctx.shelf.get(tx, found[0])


def activate_first(
    ctx: Context, read: Callable[[], tuple[Mapping[str, str], Mapping[str, Known]]]
) -> str | None:
    """The first start of an empty database activates what `read` finds; later starts do not even
    look at it.
    """
    with ctx.db.read() as tx:
        if rulebooks.active_hash(tx) is not None:
            return None
    files, people = read()
    return activate_rulebook(
        ctx, files, people, author="first start", reason="the database was empty"
    ).hash


def _begin_watches(tx: Transaction, rulebook: Rulebook) -> None:
    """A new rule on silence watches every customer from what is stored; those of rules that are
    gone are forgotten.
    """
    rules = {watch_name(rule): rule for rule in rulebook.silence_rules}
    known = watches.keep_only(tx, list(rules))
    for name, rule in rules.items():
        if name not in known and rule.of is not None and rule.silent_for is not None:
            watches.begin_watch(tx, name, rule.of, rule.silent_for)


def _review_all(tx: Transaction, ctx: Context, before: str | None, rulebook: Rulebook) -> None:
    """Other segments, other members: everybody is looked at again."""
    former = {} if before is None else _standing_files(tx, ctx, before)
    if former != rulebook.standing_files:
        memberships.review_everybody(tx, tx.now(), f"rulebook:{rulebook.hash[:12]}")


def _standing_files(tx: Transaction, ctx: Context, name: str) -> dict[str, str]:
    try:
        return ctx.shelf.get(tx, name).standing_files
    except RulebookInvalid:
        return {}


def _give_points(tx: Transaction, rulebook: Rulebook) -> None:
    known = points.known_definitions(tx)
    points.drop_points(tx, [signal.definition for signal in rulebook.signals.values()])
    for signal in rulebook.signals.values():
        if signal.definition in known:
            continue
        stored = events.stored_events(
            tx, signal.of, tx.now() - signal.within - max(MARGIN, rulebook.lateness)
        )
        points.add_points(tx, [point for event in stored for point in signal.points_of(event)])


def note_rulebook(
    tx: Transaction, action: Action, subject: str, facts: dict[str, object], author: str
) -> None:
    """An entry of the audit about a rulebook."""
    now = tx.now()
    entry = Entry(
        actor=author,
        action=action,
        subject=EntrySubject(kind="rulebook", id=subject),
        happened_at=now,
        facts=facts,
    )
    audit_entries.write(tx, entry, now)
