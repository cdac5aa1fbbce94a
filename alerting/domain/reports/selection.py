"""What a report is about: a period and what it is narrowed to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta

from alerting.domain.cases.sla import ClockKind
from alerting.domain.errors import ActionRefused

NARROWED = ("person", "team", "segment", "territory", "rule", "policy", "clock")
"""What a selection can be narrowed to; these words stand in URLs."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Clocks that started in [begin, end) and are what is named; empty means all.

    `members` are those of the team, once somebody has looked them up; a team nobody knows has none.
    """

    begin: datetime | None = None
    end: datetime | None = None
    person: str = ""
    team: str = ""
    segment: str = ""
    territory: str = ""
    rule: str = ""
    policy: str = ""
    clock: str = ""
    members: tuple[str, ...] | None = None

    def before(self, now: datetime) -> "Selection | None":
        """The period of the same length before; None for one without a beginning."""
        if self.begin is None:
            return None
        length = min(self.end or now, now) - self.begin
        begin = (
            self.begin - max(length, timedelta(0))
            if self.begin - datetime.min.replace(tzinfo=UTC) > length
            else None
        )
        return (
            replace(self, begin=begin, end=self.begin)
            if length > timedelta(0) and begin is not None
            else None
        )

    def of_teams(self, members: Mapping[str, Iterable[str]]) -> "Selection":
        """The same with the members of the team that is named."""
        return replace(self, members=tuple(members.get(self.team, ()))) if self.team else self

    @property
    def of_case(self) -> bool:
        """Whether anything is asked of the cases."""
        return bool(self.segment or self.territory or self.rule)

    @property
    def narrowed(self) -> Mapping[str, str]:
        """What it is narrowed to, by name."""
        return {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name in NARROWED and getattr(self, f.name)
        }


def period(first: date | None, last: date | None) -> tuple[datetime | None, datetime | None]:
    """Two days, both included, as a half-open stretch of time in UTC. Raises ActionRefused where
    they are swapped.
    """
    if first is not None and last is not None and first > last:
        raise ActionRefused(
            f"the report would begin on {first}, after its end on {last}; swap the two days"
        )
    begin = None if first is None else datetime.combine(first, time(), UTC)
    if last is None or last == date.max:  # no day follows the last one there is
        return begin, None
    return begin, datetime.combine(last, time(), UTC) + timedelta(days=1)


def selection(first: date | None, last: date | None, narrowed: Mapping[str, str]) -> Selection:
    """From what a URL or a command says. Raises ActionRefused for swapped days and a clock there is
    none of.
    """
    begin, end = period(first, last)
    kinds = [kind.value for kind in ClockKind]
    if narrowed.get("clock") and narrowed["clock"] not in kinds:
        raise ActionRefused(
            f"there is no clock {narrowed['clock']!r}; known are {', '.join(kinds)}"
        )
    clean = {name: narrowed[name].replace("\x00", "") for name in NARROWED if narrowed.get(name)}
    return Selection(begin=begin, end=end, members=None, **clean)
