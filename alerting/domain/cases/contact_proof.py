"""How well a contact is proven: by the phone system's own record, by another system's event, or by
somebody's own word.

Nobody has to attach anything: an outbound interaction of the customer on the same channel, near the
time that was recorded, is the evidence, whenever it arrives.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from alerting.domain.times.durations import format_duration

Grade = Literal["phone log", "CRM event", "own word"]

AROUND = timedelta(minutes=30)
"""How far from the recorded time an event may lie: people write down when they hung up, or began,
or about when.
"""

AT_ONCE = timedelta(minutes=2)
"""Recorded within this time counts as recorded at once."""


@dataclass(frozen=True, kw_only=True)
class Logged:
    """An outbound interaction some system reported. Phone systems know how long it lasted."""

    source: str
    id: str
    time: datetime
    channel: str
    outcome: str | None = None
    duration_seconds: float | None = None

    @property
    def grade(self) -> Grade:
        return (
            "phone log"
            if self.channel == "phone" and self.duration_seconds is not None
            else "CRM event"
        )

    @property
    def end(self) -> datetime:
        return self.time + timedelta(seconds=self.duration_seconds or 0)

    @property
    def spoke(self) -> bool:
        """Whether anybody can have been spoken with: not by a voicemail, nor in a call that lasted
        no time.
        """
        return self.outcome not in {"voicemail", "abandoned"} and self.duration_seconds != 0


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The best there is for one contact. `after`: how long afterwards it was recorded."""

    grade: Grade
    event: Logged | None
    after: timedelta

    @property
    def words(self) -> str:
        """`phone log: event 17 of /pbx`, `own word, 3 h later`."""
        if self.event is None:
            return (
                self.grade
                if self.after <= AT_ONCE
                else f"{self.grade}, {format_duration(self.after)} later"
            )
        return f"{self.grade}: event {self.event.id} of {self.event.source}"


def proof_of(
    channel: str,
    happened_at: datetime,
    recorded_at: datetime,
    logged: Sequence[Logged],
    since: datetime | None = None,
) -> Proof:
    """What proves a contact in which the customer was reached. What had ended before he complained,
    `since` when, does not.
    """
    fitting = [
        event
        for event in logged
        if event.channel == channel
        and abs(event.time - happened_at) <= AROUND
        and event.spoke
        and (since is None or event.end >= since)
    ]
    best = min(
        fitting,
        key=lambda e: (e.grade != "phone log", abs(e.time - happened_at), e.source, e.id),
        default=None,
    )
    return Proof(
        grade=best.grade if best else "own word", event=best, after=recorded_at - happened_at
    )
