"""Everything a response to a case is decided by, and how it is decided."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from alerting.domain.cases.case_alerts import strictest
from alerting.domain.cases.cases import Case, Complaint, Decision, Status, clocks_after, followed_by
from alerting.domain.cases.clocks import Clock
from alerting.domain.cases.corrections import Call, OnRecord
from alerting.domain.cases.resolutions import Resolutions, after_resolution
from alerting.domain.cases.sla import Policy
from alerting.domain.cases.waits import deciding
from alerting.domain.errors import ActionRefused
from alerting.domain.routing.staff import Staff


class Promises(Protocol):
    """What the customer wrote, and what each of it is promised; in memory."""

    def complaints(self, case: Case, clocks: Sequence[Clock]) -> list[Complaint]:
        """The complaints, promised to whoever has the case as it is given."""
        ...


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """A case as it stands under its customer's lock, with all that is known around it."""

    case: Case
    clocks: list[Clock]
    calls: Sequence[Call]
    promises: Promises
    staff: Staff
    said_to_call: Mapping[int, Sequence[datetime]]
    """When somebody said to call and a promise was kept by that, by cycle."""
    may_open: bool
    """Neither is its customer forgotten, nor another case of the same customer open."""
    policies: Mapping[str, Policy]
    resolutions: Resolutions
    wait_at_most: timedelta
    now: datetime

    @property
    def complaints(self) -> list[Complaint]:
        return self.promises.complaints(self.case, self.clocks)

    def as_of(self, case: Case, clocks: list[Clock]) -> "CaseFile":
        """The same where something was decided about the case first."""
        return CaseFile(**{**vars(self), "case": case, "clocks": clocks})

    def on_record(self, subject: int | None) -> OnRecord:
        """What a correction of this call, or of a cause (None of the calls), is computed with."""
        cycles = [call.cycle for call in self.calls if call.id == subject]
        return OnRecord(
            calls=self.calls,
            complaints=self.complaints,
            taken_at=self.said_to_call.get(cycles[0] if cycles else self.case.cycle, ()),
            policies=self.policies,
            may_open=self.may_open,
        )

    def check_person(self, party_id: str) -> None:
        """Raises ActionRefused for an office: a call is somebody's own."""
        party = self.staff.get(party_id)
        if party is not None and party.kind != "person":
            raise ActionRefused(f"{party.name} is an office; a call is somebody's own: say who")


Decide = Callable[[CaseFile], Decision]


def decide_response(file: CaseFile, decide: Decide, by: str) -> Decision:
    """What an act comes to: with the end of a wait there is nothing left to wait for, with the
    strictest of all promises where a wait begins or ends, and with what is asked after the end.
    """
    decision = deciding(
        file.case, file.clocks, lambda case, clocks: decide(file.as_of(case, clocks)), by, file.now
    )
    decision = with_the_strictest(decision, file.clocks, file.promises, file.now)
    return after_resolution(file.case, decision, file.resolutions)


def with_the_strictest(
    decision: Decision, clocks: list[Clock], promises: Promises, now: datetime
) -> Decision:
    """Where a wait begins or ends, rules that do not pause for the same may promise more than the
    clock that runs.
    """
    case = decision.case
    if not (decision.wait or decision.ended) or case.status is Status.RESOLVED:
        return decision
    held = clocks_after(clocks, decision)
    return followed_by(decision, strictest(case, held, promises.complaints(case, held), now))
