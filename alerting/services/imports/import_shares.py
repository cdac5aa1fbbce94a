"""Shares of an import: some of the customers of a table, read and taken; in this process, or
several at once.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context

from alerting.database.customers import customers
from alerting.database.engine import Database
from alerting.domain.customers.customer_diff import CustomerDiff, field_changes
from alerting.domain.customers.customers import apply_change
from alerting.domain.errors import UnreadableEvent
from alerting.domain.intake.events import Event, made_event
from alerting.domain.intake.payloads import CustomerUpdated
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.context import Context, Shelf
from alerting.services.customers.memberships import Newcomers, look_at_newcomers
from alerting.services.garbage import seldom_collecting
from alerting.services.imports.group_rows import Given, RowGroup, read_group
from alerting.services.imports.read_row import Errors, RowReader
from alerting.services.intake.take_records import take_events

WAITING = 3
"""Shares for each process that are read ahead of it."""


@dataclass(kw_only=True)
class ImportShare:
    """What came of some of the customers. `owners`: the first line of each, and how many customers
    are theirs.

    `parents`, where the table names any: each customer's group (None: none is said) and its line.
    """

    rows: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    bad: list[tuple[int, str]] = field(default_factory=list)
    owners: dict[str, tuple[int, int]] = field(default_factory=dict)
    parents: dict[str, tuple[str | None, int]] = field(default_factory=dict)
    errors: dict[str, Errors] = field(default_factory=dict)
    diffs: list[CustomerDiff] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How shares of a table are taken. `tell`: whether each change is wanted; `names`: keys by
    name, where there are no ids.
    """

    reader: RowReader
    dry_run: bool
    tell: bool
    names: dict[str, list[str]] | None = None


@dataclass(frozen=True, kw_only=True)
class Taker:
    """Takes shares, each in one transaction.

    `turn` is held while writing: SQLite takes one writer, and those that wait look only now and
    then.
    """

    ctx: Context
    plan: Plan
    turn: AbstractContextManager[object]

    def take(self, every: Sequence[RowGroup]) -> ImportShare:
        """Read the rows of these customers; store them, unless it is a dry run, as one."""
        share = ImportShare(rows=sum(len(group.rows) for group in every))
        self.plan.reader.errors = share.errors
        given = [
            found
            for group in every
            if (found := read_group(self.plan.reader, group, share.bad)) is not None
        ]
        for one in given:
            self._note(one, share)
        with self.ctx.db.read() as tx:
            now = tx.now()
            states = customers.newest_states(tx, [one.customer_id for one in given])
        begin = f"{now:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        made: list[tuple[Event, str]] = []
        for one in given:
            before = states.get(one.customer_id)
            one.keep_doubted(before or {})
            if before is not None and apply_change(before, one.changes) == before:
                share.unchanged += 1
                continue
            try:
                # what intake could not read would become a dead letter, and replaying it no use:
                # the file must be mended
                made.append(self._made(one, now, begin))
            except UnreadableEvent as error:
                share.bad += [(line, str(error)) for line in one.lines]
                continue
            share.new += before is None
            share.changed += before is not None
            if self.plan.tell:
                share.diffs.append(_diff(one, before))
        if made and not self.plan.dry_run:
            ahead = self._ahead([event for event, _ in made if event.customer_key not in states])
            with self.turn:
                self.ctx.db.retrying(lambda: take_events(self.ctx, made, ahead))
        return share

    def _ahead(self, newcomers: Sequence[Event]) -> Newcomers:
        """Outside the turn, for which others wait. One event for each: a file's rows about one
        customer are one.
        """
        with self.ctx.db.read() as tx:
            return look_at_newcomers(tx, self.ctx.shelf.active(tx), tx.now(), newcomers)

    def _note(self, given: Given, share: ImportShare) -> None:
        """Its owner, and its group by name where names stand for ids."""
        owner, said = given.changes.get("owner"), given.changes.get("parent")
        parent = said if isinstance(said, str) else None
        if isinstance(owner, str):
            line, count = share.owners.get(owner, (given.lines[0], 0))
            share.owners[owner] = (min(line, given.lines[0]), count + 1)
        names = self.plan.names
        if (
            names is not None
            and parent is not None
            and len(group := names.get(parent.casefold(), [])) == 1
        ):
            parent = group[0]
            given.changes, given.payload = {**given.changes, "parent": parent}, None
        if self.plan.reader.table.place_of("parent") is not None:
            share.parents[given.customer_id] = (parent, given.lines[0])

    def _made(self, given: Given, now: datetime, begin: str) -> tuple[Event, str]:
        """The row as an event. Its id holds the moment: a value that returns to what it was is a
        change, not a repetition.
        """
        name, event_id = self.plan.reader.table.name, f"{begin}-{given.lines[0]:09}"
        data = {"customer_id": given.customer_id, **given.changes}
        payload = given.payload or CustomerUpdated.model_validate(data)
        event = made_event(event_id, f"import:{name}"[:200], now, payload, data)
        return event, f"{name}:{given.lines[0]}"[-400:]


def _diff(given: Given, before: dict[str, object] | None) -> CustomerDiff:
    state = apply_change(before or {}, given.changes)
    return CustomerDiff(
        customer_id=given.customer_id,
        name=str(state.get("name") or given.customer_id),
        line=given.lines[0],
        new=before is None,
        fields=field_changes(before or {}, given.changes),
    )


Submit = Callable[[Sequence[RowGroup]], Iterator[ImportShare]]
"""Hands over some customers; gives the shares that are done by now, in their order."""


@contextmanager
def taking(
    ctx: Context, plan: Plan, processes: int
) -> Iterator[tuple[Submit, Callable[[], Iterator[ImportShare]]]]:
    """Hand over shares, then take what is left. With several processes each has a connection and a
    reader of its own.
    """
    if processes == 1:
        taker = Taker(ctx=ctx, plan=plan, turn=nullcontext())
        with seldom_collecting():
            yield (lambda every: iter([taker.take(every)])), (lambda: iter(()))
        return
    waiting: list[Future[ImportShare]] = []
    spawning = get_context("spawn")
    turn = spawning.Lock() if ctx.db.url.startswith("sqlite") else nullcontext()
    mine = (ctx.db.url, ctx.mail_domain, ctx.shelf.read, plan, turn)
    with ProcessPoolExecutor(processes, spawning, initializer=_begin, initargs=mine) as pool:

        def submit(every: Sequence[RowGroup]) -> Iterator[ImportShare]:
            waiting.append(pool.submit(_take_apart, every))
            while len(waiting) > WAITING * processes or (waiting and waiting[0].done()):
                yield waiting.pop(0).result()

        def rest() -> Iterator[ImportShare]:
            while waiting:
                yield waiting.pop(0).result()

        try:
            yield submit, rest
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


_forever = ExitStack()
_held: list[Taker] = []
"""Of a process that takes shares: the one thing it does."""


def _begin(
    url: str,
    mail_domain: str,
    read: Callable[[Mapping[str, str]], Rulebook],
    plan: Plan,
    turn: AbstractContextManager[object],
) -> None:
    _forever.enter_context(seldom_collecting())
    ctx = Context(db=Database(url), shelf=Shelf(read=read), mail_domain=mail_domain)
    _held.append(Taker(ctx=ctx, plan=plan, turn=turn))


def _take_apart(every: Sequence[RowGroup]) -> ImportShare:
    return _held[0].take(every)
