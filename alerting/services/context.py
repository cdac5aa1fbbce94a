"""What every use case needs: the database, the rulebook in force, and the domain our Message-IDs
live in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from alerting.database.engine import Database, Transaction
from alerting.database.rulebook import rulebooks
from alerting.domain.errors import RulebookChanged, RulebookInvalid, RulebookUnusable

if TYPE_CHECKING:  # many commands read no rulebook, and start faster without all that it stands on
    from alerting.domain.rulebook.rulebook import Rulebook

Result = TypeVar("Result")


@dataclass(kw_only=True)
class Shelf:
    """Rulebooks already read, by hash. Reading one means checking and compiling it, so it is done
    once.
    """

    read: Callable[[Mapping[str, str]], "Rulebook"]
    _held: dict[str, "Rulebook"] = field(default_factory=dict)
    _newest: str = ""

    def active(self, tx: Transaction) -> "Rulebook":
        """The active rulebook. Raises RulebookUnusable where there is none, or this code cannot
        read it.
        """
        content_hash = rulebooks.active_hash(tx)
        if content_hash is None:
            raise RulebookUnusable("no rulebook is active; run `alerting rules activate` first")
        try:
            found = self.get(tx, content_hash)
            self._newest = content_hash
            return found
        except RulebookInvalid as error:
            raise RulebookUnusable(
                f"this version cannot read rulebook {content_hash[:12]}: {error}"
            ) from error

    def newest(self) -> "Rulebook | None":
        """The one that was active when last asked; `hold_rulebook` finds out whether it still
        is.
        """
        return self._held.get(self._newest)

    def get(self, tx: Transaction, content_hash: str) -> "Rulebook":
        if content_hash not in self._held:
            self._held[content_hash] = self.read(rulebooks.files_of(tx, content_hash))
        return self._held[content_hash]


@dataclass(frozen=True, kw_only=True)
class Context:
    """Handed to every use case by bootstrap."""

    db: Database
    shelf: Shelf
    mail_domain: str


def hold_rulebook(tx: Transaction, rulebook: "Rulebook") -> None:
    """Keep `rulebook` active until this transaction ends. Asked after the customer locks
    (transaction 12).
    """
    if rulebooks.active_hash(tx, hold=True) != rulebook.hash:
        raise RulebookChanged("another rulebook became active")


def with_active_rulebook(
    ctx: Context, use_case: Callable[[Transaction, "Rulebook"], Result]
) -> Result:
    """Run with the active rulebook; once more whenever another one became active meanwhile
    (transaction 12).
    """

    rulebook = ctx.shelf.newest()

    def once() -> Result:
        nonlocal rulebook
        while True:
            if rulebook is None:
                with ctx.db.read() as tx:
                    rulebook = ctx.shelf.active(tx)
            try:
                with ctx.db.write() as tx:
                    return use_case(tx, rulebook)
            except RulebookChanged:
                rulebook = None  # and read at once: pauses are for a database that is busy

    return ctx.db.retrying(once) if ctx.db.engine.dialect.name == "sqlite" else once()
