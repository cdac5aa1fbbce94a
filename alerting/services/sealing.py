"""Sealing the audit, verifying it, and handing out checkpoints, so that nobody can change what happened unnoticed."""

import hmac
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from alerting.database import audit, notifications, seals, staffing
from alerting.database.engine import Transaction
from alerting.domain.audit_file import lines_of
from alerting.domain.notifications import NewNotification
from alerting.domain.seals import Head, Seal, Walk, seal_after
from alerting.services.context import Context

CHUNK = 1_000
"""Entries of one transaction."""


@dataclass(kw_only=True)
class Verified:
    """What a verification found. `erased`: personal values that were forgotten, whose commitments still stand."""

    head: Head
    sealed: int = 0
    unsealed: int = 0
    values: int = 0
    erased: int = 0
    checkpoints: int = 0
    problems: list[str] = field(default_factory=list)


def seal_all(ctx: Context, beat: Callable[[], None] = lambda: None) -> int:
    """Seal every entry that waits, in the order of their numbers; returns how many. One process at a time does."""
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
    ctx: Context, known: Iterable[Head] = (), progress: Callable[[int, int], None] = lambda n, of: None
) -> Verified:
    """Reckon the whole chain again from what is stored; `known` are checkpoints somebody outside holds."""
    with ctx.db.read() as tx:
        head, walk, outside = seals.head_of(tx), Walk(), list(known)
        held = seals.checkpoints(tx)
        walk.watch(checkpoint.seq for checkpoint in [*held, *outside, head])
        found = Verified(head=head, checkpoints=len(held) + len(outside))
        for page in _pages(seals.sealed(tx, head.seq)):
            personal = seals.personal_of(tx, [seal.entry for seal, _ in page])
            for seal, row in page:
                found.problems += _check_entry(walk, seal, row, personal.get(seal.entry, []), found)
            found.sealed += len(page)
            progress(found.sealed, head.seq)
        found.unsealed = seals.count_unsealed(tx)
    found.problems += walk.compare([head], "the stored head")
    found.problems += walk.compare(held, "a stored checkpoint")
    found.problems += walk.compare(outside, "the checkpoint")
    return found


def _pages(sealed: Iterator[tuple[Seal, Any]]) -> Iterator[list[tuple[Seal, Any]]]:
    return iter(lambda: list(islice(sealed, seals.PAGE)), [])


def _check_entry(walk: Walk, seal: Seal, row: Any, personal: list[Any], found: Verified) -> Iterator[str]:
    what = f"entry {seal.entry} (seal {seal.seq})"
    if row.body is None:
        yield f"{what} is gone"
        list(walk.step(seal, b""))
        return
    body = bytes(row.body)
    altered = list(walk.step(seal, body))
    yield from altered
    if altered:
        return
    said = json.loads(body)
    stands = {"actor": row.actor, "action": row.action, "subject": {"kind": row.subject_kind, "id": row.subject_id}}
    times = {name: getattr(row, name).isoformat() for name in ("happened_at", "recorded_at")}
    for name, value in {**stands, **times}.items():
        if said[name] != value:
            yield f"{what}: the column {name} does not say what the sealed entry says"
    yield from _check_personal(what, said["personal"], personal, found)


def _check_personal(what: str, commitments: dict[str, str], personal: list[Any], found: Verified) -> Iterator[str]:
    """A value that was forgotten leaves its commitment; one that is there must be what was committed to."""
    held = {row.name: row for row in personal}
    for name, commitment in commitments.items():
        row = held.pop(name, None)
        if row is None:
            found.erased += 1
        elif row.key is None:
            yield f"{what}: the key to {name} is gone, and its value is not"
        elif not hmac.compare_digest(audit.commitment(bytes(row.key), name, row.value), commitment):
            yield f"{what}: {name} is not what was committed to"
        else:
            found.values += 1
    for name in held:
        yield f"{what}: {name} was added later"


def export(ctx: Context) -> Iterator[bytes]:
    """The sealed audit as lines of a file; what waits is sealed first. Personal values stay here."""
    seal_all(ctx)
    with ctx.db.read() as tx:
        head, now = seals.head_of(tx), tx.now()
        rows = ((seal, bytes(row.body or b"")) for seal, row in seals.sealed(tx, head.seq))
        yield from lines_of(rows, {"exported_at": now.isoformat(), "entries": head.seq})


def week_of(now: datetime) -> str:
    year, week, _ = (now - timedelta(hours=6)).isocalendar()
    return f"{year}-W{week:02}"


def hand_out_checkpoint(ctx: Context) -> Head | None:
    """Once a week, from Monday six in the morning (UTC) on: the end of the chain goes to whoever keeps it outside.

    None where it was not due, nobody is declared in `settings.yaml` (`audit_holder`), or there is nothing yet.
    """
    with ctx.db.read() as tx:
        if seals.has_checkpoint(tx, week_of(tx.now())) or ctx.shelf.active(tx).audit_holder is None:
            return None
    seal_all(ctx)

    def once() -> Head | None:
        with ctx.db.write() as tx:
            head, now = seals.lock_head(tx), tx.now()
            number = seals.add_checkpoint(tx, week_of(now), head, now) if head.seq else None
            if number is None:
                return None
            _tell(tx, ctx, number, head, now)
            return head

    return ctx.db.retrying(once)


def _tell(tx: Transaction, ctx: Context, number: int, head: Head, now: datetime) -> None:
    holder = ctx.shelf.active(tx).audit_holder
    if holder is None or staffing.staff_at(tx, now).get(holder) is None:
        return
    lines = [
        "Please keep this mail. It holds the end of the chain that seals the audit of this week, and nothing else.",
        "",
        "CHECKPOINT",
        str(head),
        "",
        "Whoever doubts that entries up to here are what they were can ask you for it:",
        f"`alerting audit verify --checkpoint {head}`",
        "holds it against the database, and with a file's name against an export of it.",
    ]
    data = {"subject": f"Audit checkpoint {head.seq} of {week_of(now)}", "lines": lines}
    note = NewNotification(cause_kind="checkpoint", cause_id=number, recipient=holder, template="checkpoint", data=data)
    notifications.add(tx, None, None, [note], ctx.mail_domain, now)
