"""Every error the product raises on purpose.

AlertingError
├── Invalid                     somebody must change something; trying again is no use
│   ├── SettingsInvalid         ALERTING_* variables, all of them at once
│   ├── RulebookInvalid         rules/ and templates/, all problems at once, each with file and line
│   ├── ConditionRefused        one SQL condition, with its column
│   ├── UnreadableEvent         bytes that are no event; becomes a dead letter
│   ├── ActionRefused           what a person asked for does not fit the state of the case
│   ├── NoEstimate              data that a model cannot be fitted to
│   ├── ExtraMissing            a part that is installed on its own is not there
│   ├── ChainBroken             the audit's chain does not end where its end is noted
│   ├── RecordTooLarge          the event log takes no record of this size
│   └── PartitionStopped        the event log is not the one the stored position speaks of
└── Temporary                   the same call may succeed later
    ├── LogUnavailable          the event log does not answer
    ├── DatabaseUnavailable     the database does not answer, or asked us to retry
    ├── RulebookUnusable        no rulebook is active, or this code cannot read the active one
    ├── PositionMoved           another consumer took this partition's batch
    └── RulebookChanged         another rulebook became active while we judged
"""

from dataclasses import dataclass


class AlertingError(Exception):
    """The root; `permanent` says whether trying again is of any use."""

    permanent = True


class Invalid(AlertingError):
    """Somebody must change something first."""


class Temporary(AlertingError):
    """The same call may succeed later."""

    permanent = False


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One finding about a file people write: where, what, and what to do about it."""

    file: str
    line: int | None
    column: int | None
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        place = ":".join(
            str(part) for part in (self.file, self.line, self.column) if part is not None
        )
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{place}: {self.message}{hint}"


class SettingsInvalid(Invalid):
    """All settings that are wrong, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class RulebookInvalid(Invalid):
    """All problems of a rulebook, sorted by place."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (p.file, p.line or 0, p.column or 0))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConditionRefused(Invalid):
    """A condition that cannot be compiled; `column` counts from 1 within its text."""

    def __init__(
        self, message: str, *, column: int | None = None, suggestion: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.column = column
        self.suggestion = suggestion


class UnreadableEvent(Invalid):
    """Bytes that are no event we know; `reason` is a short constant, `field` a dotted path."""

    def __init__(self, reason: str, detail: str, *, field: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if field is None else f"{reason}: {field}: {detail}")
        self.reason = reason
        self.detail = detail
        self.field = field


class ActionRefused(Invalid):
    """What a person asked for does not fit; the message says why and what to do instead."""


class NoEstimate(Invalid):
    """Data that a model cannot be fitted to; the message says what they lack."""


class ExtraMissing(Invalid):
    """A part of the product that is installed on its own is not there; the message names the
    command that brings it.
    """


class ChainBroken(Invalid):
    """The audit's chain does not end where its end is noted: nothing is sealed or exported until
    somebody has looked.
    """


class RecordTooLarge(Invalid):
    """The event log takes no record of this size."""


class PartitionStopped(Invalid):
    """The log behind a partition is not the one its stored position speaks of."""


class LogUnavailable(Temporary):
    """The event log does not answer."""


class DatabaseUnavailable(Temporary):
    """The database does not answer, or asked us to try again."""


class RulebookUnusable(Temporary):
    """No rulebook is active, or this code cannot read the active one. Events must wait, they are
    not at fault.
    """


class PositionMoved(Temporary):
    """Another consumer has taken this partition's records; seek again."""


class RulebookChanged(Temporary):
    """Another rulebook became active; load it and judge again."""
