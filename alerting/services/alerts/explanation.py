"""What an explanation of an event consists of."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypedDict

from alerting.database.rows.rules import Reason


@dataclass(frozen=True, kw_only=True)
class ConditionLine:
    """One named condition: `truth` is true, false or unknown; `reads` the values it saw."""

    name: str
    sql: str
    truth: str
    reads: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class RuleLine:
    """One rule on events of this type, with every condition."""

    rule: str
    title: str
    fires: bool
    conditions: Sequence[ConditionLine]


class ExplainedPerson(TypedDict):
    """Who filled a role of the rule, and the steps that led there."""

    role: str
    party: str
    name: str
    why: list[str]


class Stages(TypedDict):
    """The stages in which an alert or a mail may be kept from people: those it passed, the one that
    stopped it and why.
    """

    passed: Sequence[str]
    stopped_at: str | None
    reason: str | None


class ExplainedAlert(TypedDict):
    """What followed from one alert: suppression, case, who was chosen and why, mails, timers.
    Instants are in ISO 8601.
    """

    number: int
    rule: str
    severity: str
    raised_at: str
    state: str
    revision: int
    superseded_at: str | None
    suppressed: str | None
    case: str | None
    stages: Stages
    because: Sequence[Reason]
    people: Sequence[ExplainedPerson]
    mails: Sequence[Mapping[str, object]]
    timers: Sequence[Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Everything about one event; all values are fit for JSON."""

    event: Mapping[str, object]
    customer: Mapping[str, object]
    rulebook: Mapping[str, object]
    rules: Sequence[RuleLine]
    alerts: Sequence[ExplainedAlert]
    notes: Sequence[str]

    def as_json(self) -> dict[str, object]:
        return asdict(self)
