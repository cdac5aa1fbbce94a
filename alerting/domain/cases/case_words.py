"""A case in words: how a role was filled, and audit entries as sentences of its story."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from alerting.domain.audit.entries import Action, RecordedEntry
from alerting.domain.fields import Fields
from alerting.domain.routing.fill_role import StepOutcome
from alerting.domain.routing.staff import Staff


def name_of(staff: Staff, party: str | None) -> str:
    found = staff.get(party)
    return found.name if found else str(party)


def sentence_of(entry: RecordedEntry, staff: Staff) -> str | None:
    """An audit entry as a sentence; None for those that another line already tells."""
    sentence = _SENTENCES.get(entry.action)
    return sentence(_Facts(facts=entry.facts, staff=staff)) if sentence else None


@dataclass(frozen=True, kw_only=True)
class _Facts:
    """An audit entry that becomes a sentence."""

    facts: Fields
    staff: Staff

    @property
    def by(self) -> str:
        return name_of(self.staff, self.facts.text_or_none("by"))

    def name(self, fact: str) -> str:
        """The name of whoever stands in this fact."""
        return name_of(self.staff, self.facts.text_or_none(fact))


def _opened(e: _Facts) -> str:
    people = ", ".join(
        f"{role_name(p.text('role'))}: {name_of(e.staff, p.text('party'))}"
        for p in e.facts.objects("people")
    )
    return f"Case opened by rule {e.facts['rule']} ({people})"


def _contacted(e: _Facts) -> str:
    tried = "tried, but did not reach the customer"
    outcome = "reached the customer" if e.facts["counts"] else tried
    how = e.facts.text("outcome").replace("_", " ")
    return f"{e.by} {outcome} ({e.facts['channel']}, {how})" + _clock_words(e.facts)


_WAITED = {"customer": "the customer", "third_party": "a third party"}


def _named(facts: Fields) -> str:
    """`(wrong invoice; credit note; CA-2026-014)`, as far as they were given."""
    given = [
        facts.text(name)
        for name in ("root_cause", "action", "corrective_action")
        if facts.get(name)
    ]
    return f" ({'; '.join(name.replace('_', ' ') for name in given)})" if given else ""


def _ended(by: str, staff: Staff) -> str:
    words = {
        "the customer": "the customer has acted",
        "its day": "its day has come",
        "a further alert": "another alert joined",
    }
    return words.get(by) or f"{name_of(staff, by)} went on"


def _correction(facts: Fields) -> str:
    what = "the call" if facts["what"] == "contact" else "the cause was removed"
    return (
        f"{what} at {facts.text('becomes')[:16].replace('T', ' ')}Z, not "
        f"{facts.text('was')[:16].replace('T', ' ')}Z"
    )


def _owner_words(facts: Fields, staff: Staff) -> str:
    if "to" in facts:
        return (
            "The customer has another owner: the call went from "
            f"{name_of(staff, facts.text('from'))} "
            f"to {name_of(staff, facts.text('to'))}"
        )
    owner, caller = name_of(staff, facts.text("owner")), name_of(staff, facts.text("kept_by"))
    return f"The customer has another owner, {owner}; the call stays with {caller}: {facts['why']}"


def _clock_words(facts: Fields) -> str:
    results = facts.object("clocks")
    words = [
        f"{key.split('.')[1]} {'in time' if result == 'met' else 'too late'}"
        for key, result in results.items()
    ]
    return f" - {', '.join(words)}" if words else ""


_SENTENCES: Mapping[str, Callable[[_Facts], str]] = {
    Action.CASE_OPENED: _opened,
    Action.CONTACT_MADE: _contacted,
    Action.CONTACT_ATTEMPTED: _contacted,
    Action.CASE_JOINED: lambda e: f"Another alert joined: rule {e.facts['rule']}",
    Action.CASE_CALLER_CHANGED: lambda e: f"{e.name('to')} became the caller: {e.facts['why']}",
    Action.CASE_REOPENED: lambda e: (
        f"The customer complained again after the call: cycle {e.facts['cycle']} began"
    ),
    Action.CASE_FORGOTTEN: lambda e: "The customer was forgotten: the case is over",
    Action.CASE_ACKNOWLEDGED: lambda e: f"{e.by} will call" + _clock_words(e.facts),
    Action.CASE_TAKEN_OVER: lambda e: f"{e.name('to')} took over from {e.name('from')}",
    Action.CASE_HANDED_OVER: lambda e: f"{e.by} handed over to {e.name('to')}",
    Action.CASE_OWNER_CHANGED: lambda e: _owner_words(e.facts, e.staff),
    Action.CAUSE_REMOVED: lambda e: (
        f"{e.by} removed the cause" + _named(e.facts) + _clock_words(e.facts)
    ),
    Action.CASE_FIXER_CHANGED: lambda e: f"{e.name('to')} fixes the cause from now on, said {e.by}",
    Action.CASE_WAITING: lambda e: (
        f"Waits for {_WAITED[e.facts.text('for')]}, said {e.by}" + _clock_words(e.facts)
    ),
    Action.CASE_RESUMED: lambda e: f"The wait is over: {_ended(e.facts.text('by'), e.staff)}",
    Action.CASE_NOTED: lambda e: f"{e.by} noted",
    Action.CASE_REVIEWED: lambda e: (
        f"{e.by}: what was done {'has' if e.facts['effective'] else 'has not'} worked"
    ),
    Action.CASE_CONFIRMED: lambda e: (
        "The customer is content with what was done"
        + ("" if e.facts["score"] is None else f" ({e.facts['score']})")
    ),
    Action.CASE_ACKNOWLEDGEMENT_STALE: lambda e: (
        f"{e.by} had said to call, and nothing followed: it is open again"
    ),
    Action.CASE_PROMISES_MOVED: lambda e: "The policy was edited; this case moves with it",
    Action.CHECK_SURVEY_SENT: lambda e: "The customer was asked whether it is well now",
    Action.CHECK_SURVEY_IMPOSSIBLE: lambda e: (
        f"The customer could not be asked: {e.facts['reason']}"
    ),
    Action.CHECK_SURVEY_NEGATIVE: lambda e: "The customer says that it is not well yet",
    Action.REVIEW_ASKED: lambda e: f"{e.name('asked')} was asked whether it worked",
    Action.CORRECTION_PROPOSED: lambda e: f"{e.by} proposed a correction: {_correction(e.facts)}",
    Action.CORRECTION_APPROVED: lambda e: (
        f"{e.by} approved the correction: {_correction(e.facts)}" + _clock_words(e.facts)
    ),
    Action.CORRECTION_DECLINED: lambda e: f"{e.by} declined the correction: {_correction(e.facts)}",
    Action.CASE_RESOLVED: lambda e: "Case resolved",
    Action.CLOCK_MISSED: lambda e: (
        f"Missed: {e.facts.text('clock').split('.')[1]} was due from {e.name('owed_by')}"
    ),
    Action.NOTIFICATION_REFUSED: lambda e: (
        f"Mail to {e.name('refused')} was refused"
        + (f"; it goes to {e.name('to')}" if e.facts["to"] else "")
    ),
    Action.NO_NOTIFICATION_SENT: lambda e: f"No mail to {e.name('recipient')}: {e.facts['reason']}",
    Action.NOTIFICATION_BATCHED: lambda e: (
        f"Mail to {e.name('recipient')} waits for the next digest"
    ),
    Action.NOTIFICATION_HELD: lambda e: (
        f"Mail to {e.name('recipient')} waits for the end of the quiet hours"
    ),
    Action.TEMPLATE_FAILED: lambda e: (
        f"The template {e.facts['template']} failed; a plain mail was sent instead"
    ),
}


def held_as(filled: Fields) -> str:
    """How a role was filled, as words: `the role territory lead, as there is no account owner`."""
    steps = [step for step in filled.objects("steps") if step["found"] != StepOutcome.ELSEWHERE]
    if not steps:
        return f"the role {role_name(filled.text('role'))}{_as_it_was_said(filled)}"
    missing = [role_name(one.text("label")) for one in steps if one["found"] == StepOutcome.NOBODY]
    causes = [f"there is no {', no '.join(missing)}"] if missing else []
    causes += [
        f"{role_name(one.text('label'))} {one.text('words')}"
        for one in steps[:-1]
        if one["found"] == StepOutcome.UNUSABLE
    ]
    last = steps[-1]
    causes += (
        [last.text("words")] if last["found"] in {StepOutcome.STAND_IN, StepOutcome.TURN} else []
    )
    held = f"the role {role_name(last.text('label'))}"
    return f"{held}, as {' and '.join(causes)}" if causes else held


def _as_it_was_said(filled: Fields) -> str:
    """Entries of before steps were kept have sentences alone: `(account owner: nobody; ...)`."""
    said = filled.get("why")
    if filled.get("steps") or not isinstance(said, (list, tuple)) or not said:
        return ""
    return f" ({'; '.join(str(one) for one in said)})"


def role_name(role: str) -> str:
    """`vp_sales` -> `VP sales`."""
    return " ".join(
        word.upper() if word in {"vp", "ceo", "cfo", "coo"} else word for word in role.split("_")
    )
