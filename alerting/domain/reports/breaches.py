"""Why a promise was broken, as far as the ledger and the audit say. Nobody's guess stands here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerting.domain.audit.entries import Action, Deed
from alerting.domain.times.durations import format_duration

_ACTS = (
    Action.CONTACT_MADE,
    Action.CONTACT_ATTEMPTED,
    Action.CASE_ACKNOWLEDGED,
    Action.CASE_WAITING,
    Action.CASE_HANDED_OVER,
    Action.CAUSE_REMOVED,
)


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A promise that was missed: `ended` is when it was kept after all, or now."""

    kind: str
    cycle: int
    started_at: datetime
    due_at: datetime
    ended: datetime


class Waited(Protocol):
    """A wait, stored: for whom, in which cycle, from when until when (None: it goes on)."""

    @property
    def waiting_for(self) -> str: ...
    @property
    def cycle(self) -> int: ...
    @property
    def began_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...


def reasons(
    broken: Broken, entries: Sequence[Deed], waits: Sequence[Waited], name: Callable[[str], str]
) -> list[str]:
    """What happened between start and end that says something about it, in words.

    `entries` are the case's audit entries oldest first, `waits` its
    waits.
    """
    during = [entry for entry in entries if broken.started_at <= entry.at <= broken.ended]
    return [
        *_waited(broken, waits),
        *(
            f"handed over to {name(e.facts.text('to'))}"
            for e in during
            if e.action == Action.CASE_HANDED_OVER
        ),
        *(
            f"taken over by {name(e.facts.text('to'))}"
            for e in during
            if e.action == Action.CASE_TAKEN_OVER
        ),
        *(
            f"mail to {name(e.facts.text('refused'))} was refused"
            for e in during
            if e.action == Action.NOTIFICATION_REFUSED
        ),
        *_tried(during),
        *_idle(broken, during),
    ]


def _waited(broken: Broken, waits: Sequence[Waited]) -> list[str]:
    words = {"customer": "the customer", "third_party": "a third party"}
    found = []
    for wait in waits:
        length = min(wait.ended_at or broken.ended, broken.ended) - max(
            wait.began_at, broken.started_at
        )
        if wait.cycle == broken.cycle and length > timedelta(0):
            found.append(
                f"waited {format_duration(length)} for "
                f"{words.get(wait.waiting_for, wait.waiting_for)}"
            )
    return found


def _tried(during: Sequence[Deed]) -> list[str]:
    vain = sum(entry.action == Action.CONTACT_ATTEMPTED for entry in during)
    if not vain:
        return []
    return ["1 unsuccessful call" if vain == 1 else f"{vain} unsuccessful calls"]


def _idle(broken: Broken, during: Sequence[Deed]) -> list[str]:
    """Whether anybody did anything before it was due; a cause that is removed is no call, and the
    other way round.
    """
    before = [entry for entry in during if entry.at <= broken.due_at and entry.action in _ACTS]
    if not before:
        return ["nobody acted before it was due"]
    if broken.kind == "contact" and all(
        entry.action == Action.CASE_ACKNOWLEDGED for entry in before
    ):
        return ["acknowledged, and not called"]
    return []
