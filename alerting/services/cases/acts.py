"""What can be done to a case, by name: the one way in for page, link, API and command line."""

import unicodedata
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from alerting.database.cases import case_records
from alerting.database.people import staff_facts
from alerting.domain.cases.case_responses import NewDuty
from alerting.domain.cases.cases import Attempt, Case, Wait
from alerting.domain.cases.corrections import Corrected
from alerting.domain.cases.resolutions import Resolution
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import correct_time, respond, work_on_case
from alerting.services.cases.correct_time import WrongTime
from alerting.services.cases.respond import Actor, Basis
from alerting.services.context import Context


def _text(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    says_something = any(unicodedata.category(ch)[0] not in "CZ" for ch in given)
    return given.replace("\x00", "\ufffd") if says_something else ""


Text = Annotated[str, BeforeValidator(_text), Field(max_length=5000)]
"""PostgreSQL takes no NUL in a text; the rest of it is kept. A text of signs nobody sees is
none.
"""
Number = Annotated[int, Field(ge=1, le=10**15)]
Channel = Literal["phone", "meeting", "email", "chat"]
Outcome = Literal["reached", "voicemail", "auto_reply", "no_answer", "wrong_number"]


class _Act(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Acknowledge(_Act):
    """Somebody takes the call; whoever is not the caller becomes it."""

    act: Literal["acknowledge"] = "acknowledge"


class RecordContact(_Act):
    """A contact, or an attempt; `happened_at` is just now if left out."""

    act: Literal["contact"] = "contact"
    outcome: Outcome
    channel: Channel = "phone"
    happened_at: AwareDatetime | None = None
    note: Text = ""


class HandOver(_Act):
    """The call becomes another person's, and why. `to` is an id or a mail address."""

    act: Literal["hand_over"] = "hand_over"
    to: str
    reason: Text


class Assign(_Act):
    """The call or the fixing is given to somebody, by somebody else than who has it."""

    act: Literal["assign"] = "assign"
    duty: Literal["caller", "fixer"] = "caller"
    to: str
    reason: Text = ""


class BeginWait(_Act):
    """The case waits; without `until` for as long as a case may."""

    act: Literal["wait"] = "wait"
    waiting_for: WaitingFor
    reason: Text
    until: AwareDatetime | None = None


class GoOn(_Act):
    """The wait is over."""

    act: Literal["go_on"] = "go_on"


class Resolve(_Act):
    """The cause is removed; names are from rules/resolutions.yaml."""

    act: Literal["resolve"] = "resolve"
    root_cause: str | None = None
    action: str | None = None
    corrective_action: str | None = None
    note: Text = ""


class AddNote(_Act):
    """Words on the case."""

    act: Literal["note"] = "note"
    text: Text


class ReviewEffect(_Act):
    """Whether what was done has worked."""

    act: Literal["review"] = "review"
    effective: bool
    note: Text = ""


class ProposeCorrection(_Act):
    """A wrong time: of a call (its number; the last that reached the customer if left out), or of
    the cause removed (in which cycle; the present one if left out).
    """

    act: Literal["correct"] = "correct"
    what: Corrected = Corrected.CONTACT
    call: Number | None = None
    cycle: Number | None = None
    becomes: AwareDatetime
    reason: Text


class DecideCorrection(_Act):
    """Somebody else approves a correction, or declines it."""

    act: Literal["decide"] = "decide"
    correction: Number
    approve: bool


Act = Annotated[
    Acknowledge
    | RecordContact
    | HandOver
    | Assign
    | BeginWait
    | GoOn
    | Resolve
    | AddNote
    | ReviewEffect
    | ProposeCorrection
    | DecideCorrection,
    Field(discriminator="act"),
]


def perform(
    ctx: Context, case_id: int, actor: Actor, act: Any, claim: Basis | None = None
) -> tuple[Case | None, str]:
    """Do one of the acts; returns the case as it stands then, and its outcome as a sentence.

    `claim` is what the door knows of the case's state: a link's ticket, or what a page showed;
    notes, reviews and corrections change nobody's duty and ask nothing of it. Raises ActionRefused.
    """
    match act:
        case Acknowledge():
            done = respond.acknowledge_case(ctx, case_id, actor, claim)
            return done, f"{done.number} is {done.standing.value}; the caller is {done.caller}."
        case RecordContact():
            return _contact(ctx, case_id, actor, act, claim)
        case HandOver() | Assign():
            return _give(ctx, case_id, actor, act, claim)
        case BeginWait():
            return _wait(ctx, case_id, actor, act, claim)
        case GoOn():
            done = work_on_case.go_on_with(ctx, case_id, actor, claim)
            return done, f"{done.number} goes on; it is {done.standing.value}."
        case Resolve():
            return _resolve(ctx, case_id, actor, act, claim)
        case AddNote():
            done = work_on_case.note_on(ctx, case_id, actor, act.text)
            return done, f"Noted on {done.number}."
        case ReviewEffect():
            done = work_on_case.review_case(ctx, case_id, actor, act.effective, act.note)
            return (
                done,
                f"Noted: what was done about {done.number} {'has' if act.effective else 'has not'} "
                "worked.",
            )
        case ProposeCorrection() | DecideCorrection():
            return _correct(ctx, case_id, actor, act)
    raise ActionRefused(f"nothing is known of {act!r}")


def _correct(
    ctx: Context, case_id: int, actor: Actor, act: ProposeCorrection | DecideCorrection
) -> tuple[Case | None, str]:
    if isinstance(act, DecideCorrection):
        return _decide(ctx, case_id, actor, act)
    wrong = WrongTime(
        what=act.what,
        becomes=act.becomes,
        reason=act.reason,
        subject=act.call if act.what is Corrected.CONTACT else act.cycle,
    )
    made = correct_time.propose_correction(ctx, case_id, actor, wrong)
    return None, f"Correction {made} is proposed; it counts once somebody else approves it."


def _contact(
    ctx: Context, case_id: int, actor: Actor, act: RecordContact, claim: Basis | None
) -> tuple[Case, str]:
    def make(now: datetime) -> Attempt:
        at = act.happened_at or now
        return Attempt(
            by=actor.party, channel=act.channel, outcome=act.outcome, happened_at=at, note=act.note
        )

    done = respond.record_attempt(ctx, case_id, actor, make, claim)
    if act.outcome == "reached":
        return done, f"{done.number} is {done.standing.value}."
    return (
        done,
        f"{done.number} is {done.standing.value}: an attempt; the customer has not been reached.",
    )


def _give(
    ctx: Context, case_id: int, actor: Actor, act: HandOver | Assign, claim: Basis | None
) -> tuple[Case, str]:
    duty = "caller" if isinstance(act, HandOver) else act.duty
    find = respond.find_person if duty == "caller" else respond.find_party
    heir = find(ctx, act.to)
    if isinstance(act, HandOver):
        done = respond.hand_over_case(ctx, case_id, actor, heir.id, act.reason, claim)
    else:
        given = NewDuty(duty=act.duty, to=heir.id, by=actor.party, reason=act.reason)
        done = work_on_case.assign_case(ctx, case_id, actor, given, claim)
    with ctx.db.read() as tx:
        away = staff_facts.staff_at(tx, tx.now()).away.get(heir.id)
    gone = f", who {away.words}" if away is not None else ""
    said = (
        f"{done.number} is with {heir.name}"
        if duty == "caller"
        else f"{done.number} is fixed by {heir.name}"
    )
    return done, f"{said} from now on{gone}."


def _wait(
    ctx: Context, case_id: int, actor: Actor, act: BeginWait, claim: Basis | None
) -> tuple[Case, str]:
    longest: list[timedelta] = []
    with ctx.db.read() as tx:
        longest.append(ctx.shelf.active(tx).wait_at_most)

    def make(now: datetime) -> Wait:
        until = act.until or now + longest[0]
        return Wait(waiting_for=act.waiting_for, by=actor.party, reason=act.reason, until=until)

    done = work_on_case.wait_for(ctx, case_id, actor, make, claim)
    return done, f"{done.number} waits until {done.waiting_until:%Y-%m-%d %H:%M}Z at most."


def _resolve(
    ctx: Context, case_id: int, actor: Actor, act: Resolve, claim: Basis | None
) -> tuple[Case, str]:
    given = Resolution(
        note=act.note,
        root_cause=act.root_cause or None,
        action=act.action or None,
        corrective_action=act.corrective_action or None,
    )
    done = respond.remove_cause_of(ctx, case_id, actor, given, claim)
    owed = "" if done.contacted_at else "; the call is still owed"
    return done, f"{done.number} is {done.standing.value}{owed}."


def _decide(ctx: Context, case_id: int, actor: Actor, act: DecideCorrection) -> tuple[Case, str]:
    with ctx.db.read() as tx:
        row = case_records.correction_by_id(tx, act.correction)
    if row is None or row.case_id != case_id:
        raise ActionRefused(f"C-{case_id} has no correction {act.correction}")
    done = correct_time.decide_correction(ctx, act.correction, actor, act.approve)
    return done, f"Correction {act.correction} is {'approved' if act.approve else 'declined'}."
