"""Every customer looked at again at once, in several processes where that is quicker."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from alerting.database.customers import customers, memberships
from alerting.database.engine import Database, Transaction
from alerting.domain.rulebook.rulebook import Rulebook
from alerting.services.alerts.judge_batch import judge_moves
from alerting.services.context import Context, Shelf, hold_rulebook, with_active_rulebook
from alerting.services.customers.memberships import Looked, look_at
from alerting.services.customers.value_customers import reckon_scale
from alerting.services.garbage import seldom_collecting
from alerting.services.judging_round import begin_round

CHUNK = 2_000
"""Customers looked at in one transaction."""

CAUSE = "recompute"


@dataclass(frozen=True, kw_only=True)
class Recomputed:
    """How many were looked at and have moved, and whether value was reckoned anew."""

    customers: int
    moves: int
    renewed: bool


def recompute(
    ctx: Context, processes: int = 1, progress: Callable[[int, int], None] = lambda done, of: None
) -> Recomputed:
    """Cut points of value, segments and tags of everybody. What was interrupted is begun again by
    calling it again.
    """

    def reckon() -> bool:
        with ctx.db.write() as tx:
            return reckon_scale(tx, ctx.shelf.active(tx), at_once=True)

    with ctx.db.read() as tx:
        keys = customers.known_keys(tx)
    shares = [keys[at : at + CHUNK] for at in range(0, len(keys), CHUNK)]
    moves = 0
    with _lookers(
        ctx, min(processes, len(shares))
    ) as look_at_all:  # other processes start while we reckon
        renewed = ctx.db.retrying(reckon)
        for share, moved in zip(shares, look_at_all(shares), strict=True):
            moves += moved
            progress(len(share), len(keys))
    return Recomputed(customers=len(keys), moves=moves, renewed=renewed)


LookAtAll = Callable[[Sequence[Sequence[str]]], Iterator[int]]
"""Looks at shares of the customers; gives how many have moved of each, in their order."""


@contextmanager
def _lookers(ctx: Context, processes: int) -> Iterator[LookAtAll]:
    if processes < 2:
        yield lambda shares: (_look(ctx, share, nullcontext()) for share in shares)
        return
    spawning = get_context("spawn")
    turn = spawning.Lock() if ctx.db.url.startswith("sqlite") else nullcontext()
    mine = (ctx.db.url, ctx.shelf.read, ctx.mail_domain, turn)
    with ProcessPoolExecutor(processes, spawning, initializer=_begin, initargs=mine) as pool:
        for _ in range(processes):
            pool.submit(_look_apart, ())
        yield lambda shares: pool.map(_look_apart, shares)


_forever = ExitStack()
_own: list[tuple[Context, AbstractContextManager[Any]]] = []
"""Of a process that looks at shares: its connection, and the lock it writes under."""


def _begin(
    url: str,
    read: Callable[[Mapping[str, str]], Rulebook],
    mail_domain: str,
    turn: AbstractContextManager[Any],
) -> None:
    _forever.enter_context(seldom_collecting())
    _own.append((Context(db=Database(url), shelf=Shelf(read=read), mail_domain=mail_domain), turn))


def _look_apart(keys: Sequence[str]) -> int:
    ctx, turn = _own[0]
    return _look(ctx, keys, turn) if keys else 0


def _look(ctx: Context, keys: Sequence[str], turn: AbstractContextManager[Any]) -> int:
    """Look at some customers; returns how many have moved.

    SQLite lets one process write: there we look before we write, and look again where anything has
    happened meanwhile. PostgreSQL locks these customers only.
    """
    before = None
    if ctx.db.url.startswith("sqlite"):
        with ctx.db.read() as tx:
            rulebook = ctx.shelf.active(tx)
            before = _Before(
                looked=look_at(tx, rulebook, tx.now(), dict.fromkeys(keys, CAUSE)),
                rulebook=rulebook.hash,
                mark=memberships.mark(tx, keys),
            )
    with turn:
        return with_active_rulebook(
            ctx, lambda tx, rulebook: _note(tx, ctx, rulebook, keys, before)
        )


@dataclass(frozen=True, kw_only=True)
class _Before:
    looked: Looked
    rulebook: str
    mark: tuple[int, ...]


def _note(
    tx: Transaction, ctx: Context, rulebook: Rulebook, keys: Sequence[str], before: _Before | None
) -> int:
    customers.lock_customers(tx, keys)
    hold_rulebook(tx, rulebook)
    if before is not None and (before.rulebook, before.mark) == (
        rulebook.hash,
        memberships.mark(tx, keys),
    ):
        looked = before.looked
    else:
        looked = look_at(tx, rulebook, tx.now(), dict.fromkeys(keys, CAUSE))
    memberships.add_moves(tx, looked.moves, tx.now())
    memberships.replan_reviews(tx, keys, looked.reviews)
    judge_moves(begin_round(tx, ctx, rulebook), looked.moves)
    return len(looked.moves)
