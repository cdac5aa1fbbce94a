"""Stages in which something may be kept from being sent; the first that gives a reason decides."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

Asked = TypeVar("Asked", contravariant=True)

Effect = Literal["never", "waits", "later"]
"""It is not sent at all; it waits until an instant; it is looked at again by itself."""


@dataclass(frozen=True, kw_only=True)
class Withheld:
    """Why something is not sent, or not yet: the stage that says so, and its reason in words."""

    stage: str
    reason: str
    effect: Effect
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Stage(Generic[Asked]):
    """One reason by name. `words` says when it applies; `applies` gives its words for this one, or
    None.
    """

    name: str
    words: str
    applies: Callable[[Asked], str | datetime | None]
    effect: Effect = "never"

    def ask(self, about: Asked) -> Withheld | None:
        found = self.applies(about)
        if found is None:
            return None
        if isinstance(found, datetime):
            reason = f"{self.words} until {found.isoformat()}"
            return Withheld(stage=self.name, reason=reason, effect=self.effect, until=found)
        return Withheld(stage=self.name, reason=found, effect=self.effect)


def passed(stages: Sequence[Stage[Asked]], stopped: str | None) -> list[str]:
    """The names of the stages before the one that stopped it; of all of them where none did."""
    names = [stage.name for stage in stages]
    return names[: names.index(stopped)] if stopped in names else names


def first_reason(stages: Sequence[Stage[Asked]], about: Asked) -> Withheld | None:
    """What the first stage says that says anything; None where it goes."""
    return next((found for stage in stages if (found := stage.ask(about)) is not None), None)
