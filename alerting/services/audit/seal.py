"""Sealing the audit, verifying it, and handing out checkpoints, so that nobody can change what
happened unnoticed.
"""

import hmac
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from alerting.database.audit import audit_entries, erasure, seals
from alerting.database.engine import Transaction
from alerting.database.mail import notifications
from alerting.database.people import staff_facts
from alerting.database.rows.audit import EntryRow, PersonalRow
from alerting.domain.audit.audit_file import lines_of
from alerting.domain.audit.seals import Head, Seal, Walk, amiss, seal_after
from alerting.domain.customers.customers import Customer
from alerting.domain.mail.notifications import NewNotification
from alerting.domain.people.people import Party
from alerting.domain.routing.fill_role import fill_role
from alerting.domain.routing.staff import Answer, Staff
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.domain.templates import Template
from alerting.services.context import Context

log = logging.getLogger(__name__)

Sealed = tuple[Seal, EntryRow | None]

CHUNK = 1_000
"""Entries of one transaction."""


@dataclass(kw_only=True)
class Verified:
    """What a verification found. `erased`: personal values that were forgotten, whose commitments
    still stand.
    """

    head: Head
    sealed: int = 0
    unsealed: int = 0
    values: int = 0
    erased: int = 0
    checkpoints: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class _Checking:
    """A verification on its way. `gone`: values of this page that are not there any more, each with
    its entry's row.
    """

    walk: Walk
    found: Verified
    gone: list[tuple[str, EntryRow]] = field(default_factory=list)


def seal_all(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """Seal every entry that waits, in the order of their numbers; returns how many. One process at
    a time does.

    Raises ChainBroken where the noted end of the chain is not its newest seal.
    """
    done = 0
    while True:
        beat()
        count = ctx.db.retrying(lambda: _seal_some(ctx))
        done += count
        if count < CHUNK:
            return done


def _seal_some(ctx: Context) -> int:
    with ctx.db.read() as tx:
        if not seals.unsealed(tx, 1):
            return 0
    with ctx.db.write() as tx:
        head, made = seals.lock_head(tx), list[Seal]()
        for entry, body in seals.unsealed(tx, CHUNK):
            made.append(seal_after(head, entry, body))
            head = Head(seq=made[-1].seq, hash=made[-1].hash)
        if made:
            seals.add_seals(tx, made, tx.now())
        return len(made)


def verify(
    ctx: Context,
    known: Iterable[Head] = (),
    progress: Callable[[int, int], None] = lambda n, of: None,
) -> Verified:
    """Compute the whole chain again from what is stored, up to its newest seal; `known` are
    checkpoints somebody outside holds.
    """
    with ctx.db.read() as tx:
        walk, outside, held = (
            Walk(),
            list(known),
            seals.checkpoints(tx),
        )  # before the end: none lies beyond it
        noted, head = seals.ends(tx)
        walk.watch(checkpoint.seq for checkpoint in [*held, *outside])
        found = Verified(head=head, checkpoints=len(held) + len(outside))
        for page in _pages(seals.sealed(tx, head.seq)):
            _check_page(tx, _Checking(walk=walk, found=found), page)
            found.sealed += len(page)
            progress(found.sealed, head.seq)
        found.unsealed, strange = seals.count_unsealed(tx)
    if (wrong := amiss(noted, head)) is not None:
        found.problems.append(wrong)
    if strange:
        many = (
            f"{strange} entries have no seal and do not wait for one: added, or their seals removed"
        )
        one = "1 entry has no seal and does not wait for one: added, or its seal removed"
        found.problems.append(one if strange == 1 else many)
    found.problems += walk.compare(held, "a stored checkpoint")
    found.problems += walk.compare(outside, "the checkpoint")
    return found


def _pages(sealed: Iterator[Sealed]) -> Iterator[list[Sealed]]:
    return iter(lambda: list(islice(sealed, seals.PAGE)), [])


def _check_page(tx: Transaction, checking: _Checking, page: list[Sealed]) -> None:
    personal = seals.personal_of(tx, [seal.entry for seal, _ in page])
    for seal, row in page:
        checking.found.problems += _check_entry(checking, seal, row, personal.get(seal.entry, []))
    erased = erasure.explained(tx, [row for _, row in checking.gone])
    for what, row in checking.gone:
        if row.id in erased:
            checking.found.erased += 1
        else:
            checking.found.problems.append(f"{what} is gone, and its customer was not forgotten")


def _check_entry(
    checking: _Checking, seal: Seal, row: EntryRow | None, personal: list[PersonalRow]
) -> Iterator[str]:
    what = f"entry {seal.entry} (seal {seal.seq})"
    if row is None:
        yield f"{what} is gone"
        list(checking.walk.step(seal, b""))
        return
    body = bytes(row.body)
    altered = list(checking.walk.step(seal, body))
    yield from altered
    if altered:
        return
    said = audit_entries.said_in(body)
    if said is None:
        yield f"{what} is none that we wrote: it was altered and sealed again"
        return
    stands = {
        "actor": row.actor,
        "action": row.action,
        "subject": {"kind": row.subject_kind, "id": row.subject_id},
    }
    times = {name: getattr(row, name).isoformat() for name in ("happened_at", "recorded_at")}
    for name, value in {**stands, **times}.items():
        if said.get(name) != value:
            yield f"{what}: the column {name} does not say what the sealed entry says"
    held = {one.name: one for one in personal}
    checking.gone += [(f"{what}: {name}", row) for name in said["personal"] if name not in held]
    yield from _check_personal(what, said["personal"], held, checking.found)


def _check_personal(
    what: str, commitments: Mapping[str, str], held: Mapping[str, PersonalRow], found: Verified
) -> Iterator[str]:
    """A value that is there must be what was committed to."""
    for name, row in held.items():
        commitment = commitments.get(name)
        if commitment is None:
            yield f"{what}: {name} was added later"
        elif row.key is None:
            yield f"{what}: the key to {name} is gone, and its value is not"
        elif not hmac.compare_digest(
            audit_entries.commitment(bytes(row.key), name, row.value).encode(), commitment.encode()
        ):
            yield f"{what}: {name} is not what was committed to"
        else:
            found.values += 1


def export(ctx: Context) -> Iterator[bytes]:
    """The sealed audit as lines of a file; what waits is sealed first. Personal values stay here.
    Raises ChainBroken.
    """
    seal_all(ctx)
    with ctx.db.read() as tx:
        head, now = seals.sound_end(tx), tx.now()
        rows = (
            (seal, b"" if row is None else bytes(row.body))
            for seal, row in seals.sealed(tx, head.seq)
        )
        yield from lines_of(rows, {"exported_at": now.isoformat(), "entries": head.seq})


def week_of(now: datetime) -> str:
    year, week, _ = (now - timedelta(hours=6)).isocalendar()
    return f"{year}-W{week:02}"


def hand_out_checkpoint(ctx: Context) -> Head | None:
    """Once a week, from Monday six in the morning (UTC) on: the end of the chain goes to whoever
    keeps it outside.

    None where it was not due, nobody is declared in `settings.yaml` (`audit_holder`), or there is
    nothing yet. Raises LookupError where nobody at all can be told: then nothing was handed out,
    either.
    """
    with ctx.db.read() as tx:
        if seals.has_checkpoint(tx, week_of(tx.now())) or ctx.shelf.active(tx).audit_holder is None:
            return None
    seal_all(ctx)

    def once() -> Head | None:
        with ctx.db.write() as tx:
            head, now, rulebook = seals.lock_head(tx), tx.now(), ctx.shelf.active(tx)
            if rulebook.audit_holder is None or not head.seq:
                return None
            number = seals.add_checkpoint(tx, week_of(now), head, now)
            if number is None:
                return None
            recipient, why = _keeper(rulebook, rulebook.audit_holder, staff_facts.staff_at(tx, now))
            note = NewNotification(
                cause_kind="checkpoint",
                cause_id=number,
                recipient=recipient.id,
                template=Template.CHECKPOINT,
                data=_checkpoint_mail(head, week_of(now), why),
            )
            notifications.add(tx, None, None, [note], ctx.mail_domain, now)
            return head

    return ctx.db.retrying(once)


def _keeper(rulebook: Rulebook, holder: str, staff: Staff) -> tuple[Party, str | None]:
    """Who gets the checkpoint, and why it is not the declared holder: the substitute or, as of any
    role, `default`.
    """
    party = staff.get(holder)
    answer = (
        Answer(party=None, words=staff.why_unknown(holder)) if party is None else staff.ask(party)
    )
    if party is not None and answer.party is party:
        return party, None
    nobody = Customer(key="", known=False, state={})
    found = answer.party or fill_role("default", nobody, "", rulebook.routing, staff).party
    said = {"holder": holder, "told": found.id, "why": answer.words}
    log.error("the audit_holder of settings.yaml cannot be told", extra=said)
    return found, answer.words


def _checkpoint_mail(head: Head, week: str, why: str | None) -> dict[str, object]:
    lines = [
        "Please keep this mail. It holds the end of the chain that seals the audit of this week, "
        "and nothing else.",
        *(
            [f"It comes to you in place of the `audit_holder` of settings.yaml: {why}."]
            if why
            else []
        ),
        "",
        "CHECKPOINT",
        str(head),
        "",
        "Whoever doubts that entries up to here are what they were can ask you for it:",
        f"`alerting audit verify --checkpoint {head}`",
        "holds it against the database, and with a file's name against an export of it.",
    ]
    return {"subject": f"Audit checkpoint {head.seq} of {week}", "lines": lines}
