"""What the customer wrote, as the clocks of the case see it: what is promised, from when on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.domain.cases.case_alerts import promised_by
from alerting.domain.cases.cases import Case, Complaint
from alerting.domain.cases.clocks import Clock, Starts
from alerting.domain.cases.sla import Policy
from alerting.domain.customers.customers import History
from alerting.domain.routing.staff import Staff
from alerting.domain.rulebook.rulebook import Rulebook


@dataclass(frozen=True, kw_only=True)
class PromiseWords:
    """An alert, or an answer to a check survey (`id` 0), with the rulebook that judged it."""

    id: int
    rule: str
    severity: str
    judged_by: Rulebook
    sent_at: datetime
    received_at: datetime
    raised_at: datetime


@dataclass(frozen=True, kw_only=True)
class WrittenWords:
    """All that a customer wrote about a case, and what its promises depend on."""

    words: Sequence[PromiseWords]
    history: History
    staff: Staff
    active: Rulebook

    def complaints(self, case: Case, clocks: Sequence[Clock]) -> list[Complaint]:
        """Each promises what the rulebook it was judged by says, or the active one where its policy
        moves open cases. Where neither knows the policy, what the case's clocks promise is promised
        again.
        """
        return [
            Complaint(
                id=one.id,
                rule=one.rule,
                severity=one.severity,
                policy=self._policy(one, case, clocks),
                starts=Starts.of_event(one.sent_at, one.received_at, one.raised_at),
            )
            for one in self.words
        ]

    def _policy(self, one: PromiseWords, case: Case, clocks: Sequence[Clock]) -> Policy:
        rule = one.judged_by.rule(one.rule)
        name = rule.policy if rule else case.policy
        active = self.active
        moves = name in active.policies and active.policies[name].moves_open_cases
        by = active if moves or name not in one.judged_by.policies else one.judged_by
        if name not in by.policies:
            return promised_by(case, clocks)
        people = self.staff.get(case.caller), self.staff.get(case.fixer)
        return by.promised(name, self.history.as_of(one.sent_at), *people)
