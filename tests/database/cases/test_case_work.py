"""The work on a case beside calling, over time and on both databases: waits, stale words,
corrections, what follows the end.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from alerting.database.alerts import mutes
from alerting.database.tables import (
    case_file,
    clock,
    clock_entry,
    contact_attempt,
    correction,
    effectiveness_review,
    notification,
    resolution,
    timer,
    wait,
)
from alerting.domain.cases.cases import Status
from alerting.domain.cases.sla import WaitingFor
from alerting.domain.errors import ActionRefused
from alerting.services.cases import acts
from alerting.services.cases.respond import Actor, Seen
from alerting.services.rulebook.activation import activate_rulebook
from alerting.services.rulebook.move_open_cases import move_open_cases
from tests.support.builders import changed, problems_of, starter_people
from tests.support.world import BEGIN, World, recipients

H = timedelta(hours=1)
BERLIN = """\
berlin: {time_zone: Europe/Berlin, hours: {mon-fri: ["09:00-17:00"]}}
"""


def do(
    world: World, act: Any, by: str = "vp_sales", claim: Seen | None = None, door: Any = "cli"
) -> str:
    case = world.case("ACME-AERO")
    assert case.id is not None
    return acts.perform(world.app.ctx, case.id, Actor(party=by, door=door), act, claim)[1]


def activated(world: World, files: Mapping[str, str], people: Any = None) -> None:
    activate_rulebook(world.app.ctx, files, people or {}, author="test", reason="a test")


def with_file(name: str, text: str, **edits: tuple[str, str]) -> dict[str, str]:
    return {**changed(**edits), f"rules/{name}.yaml": text}


def hours(amount: timedelta) -> float:
    """Rounded: time also passes while a test runs."""
    return round(amount / H, 1)


def due(world: World, kind: str = "contact") -> float:
    """How many hours after the beginning it is due."""
    return hours(world.clocks("ACME-AERO")[kind].due_at - BEGIN)


@pytest.fixture
def unhappy(world: World) -> World:
    """The key account complained on Friday at 08:30 UTC; the mails went out."""
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    return world


def let_wait(
    world: World,
    who: WaitingFor = WaitingFor.CUSTOMER,
    until: datetime | None = None,
    by: str = "vp_sales",
) -> str:
    return do(world, acts.BeginWait(waiting_for=who, reason="away until Tuesday", until=until), by)


# Waiting


def test_clocks_stand_still_while_the_case_waits_and_run_on_when_the_customer_acts(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=2)
    began = unhappy.now()
    assert let_wait(unhappy).startswith("C-1 waits until 2026-03-20")
    assert unhappy.case("ACME-AERO").standing is Status.WAITING
    assert unhappy.clocks("ACME-AERO")["acknowledge"].met  # a caller who waits has taken the case
    assert recipients(unhappy.deliver()) == ["office.berlin"]  # whose clock stands still, too
    unhappy.pass_time(days=3)
    assert unhappy.tick() == 0
    assert unhappy.deliver() == []  # nobody is reminded of what stands still
    unhappy.take(unhappy.survey(score=9, comment="I am back."))
    case = unhappy.case("ACME-AERO")
    assert (case.standing, case.waiting_since) == (Status.ACKNOWLEDGED, None)
    assert due(unhappy) == 24 + 72
    assert due(unhappy, "resolve") == 168 + 72
    (row,) = unhappy.rows(select(wait))
    assert (hours(row.began_at - began), hours(row.ended_at - row.began_at), row.ended_by) == (
        0,
        72,
        "the customer",
    )
    assert [mail.subject for mail in unhappy.deliver()] == [
        "Go on with Acme Aerospace: the wait is over - C-1"
    ]
    ledger = unhappy.rows(
        select(clock_entry).where(clock_entry.c.kind == "contact").order_by(clock_entry.c.id)
    )
    assert [(e.what, hours(e.happened_at - BEGIN)) for e in ledger] == [
        ("started", 0),
        ("paused", 2),
        ("resumed", 74),
    ]


def test_after_a_wait_the_steps_come_as_much_later_and_none_twice(unhappy: World) -> None:
    unhappy.pass_time(hours=13)
    unhappy.tick()
    assert "Reminder: call Acme Aerospace by Sat 7 Mar 09:30 - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]
    let_wait(unhappy)
    unhappy.pass_time(hours=10)
    do(unhappy, acts.GoOn())
    unhappy.pass_time(hours=6, minutes=59)
    assert unhappy.tick() == 0
    unhappy.pass_time(minutes=1)
    unhappy.tick()
    assert [m.subject for m in unhappy.deliver()] == [
        "Can you call Acme Aerospace by Sat 7 Mar 19:30 for Vera Sample? - C-1"
    ]
    unhappy.pass_time(hours=4)
    unhappy.tick()
    assert recipients(unhappy.deliver()) == ["ceo"]


def test_what_happened_before_a_wait_ends_it_as_little_as_what_we_did_ourselves(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=1)
    before = unhappy.now() - timedelta(minutes=10)
    let_wait(unhappy)
    unhappy.pass_time(hours=1)
    unhappy.take(unhappy.call("ACME-AERO", time=before.isoformat()))
    unhappy.take(unhappy.call("ACME-AERO", direction="outbound", outcome="voicemail"))
    unhappy.take(unhappy.customer("ACME-AERO", city="Hamburg", time=unhappy.now().isoformat()))
    assert unhappy.case("ACME-AERO").waiting_since is not None
    unhappy.take(unhappy.call("ACME-AERO", outcome="resolved"))
    assert unhappy.case("ACME-AERO").waiting_since is None


def test_a_wait_ends_at_its_day_once_and_tells_whoever_waits(unhappy: World) -> None:
    let_wait(unhappy, WaitingFor.THIRD_PARTY, BEGIN + 50 * H, by="office_berlin")
    assert (
        unhappy.case("ACME-AERO").status is Status.OPEN
    )  # the office does not take the call by waiting for a part
    unhappy.pass_time(hours=60)
    unhappy.tick()
    assert due(unhappy) == 24 + 50
    assert "Go on with Acme Aerospace: the wait is over - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]
    (row,) = unhappy.rows(select(wait))
    assert (hours(row.ended_at - BEGIN), row.ended_by) == (50, "its day")
    unhappy.tick()
    assert len(unhappy.rows(select(notification).where(notification.c.template == "resumed"))) == 1


def test_reaching_the_customer_ends_the_wait_for_the_customer_and_the_clock_was_kept(
    unhappy: World,
) -> None:
    let_wait(unhappy)
    unhappy.pass_time(days=4)
    unhappy.reached("ACME-AERO", "vp_sales")
    kept = unhappy.clocks("ACME-AERO")["contact"]
    assert kept.stopped_at is not None
    assert kept.worked is not None
    assert (kept.met, hours(kept.worked), len(kept.pauses)) == (True, 0, 1)
    assert hours(kept.stopped_at - kept.started_at) == 96  # what the customer felt stays
    assert unhappy.case("ACME-AERO").waiting_since is None
    assert due(unhappy, "resolve") == 168 + 96


def test_a_call_does_not_end_a_wait_for_a_third_party(unhappy: World) -> None:
    let_wait(unhappy, WaitingFor.THIRD_PARTY)
    unhappy.pass_time(hours=30)
    unhappy.reached("ACME-AERO", "vp_sales")
    assert unhappy.case("ACME-AERO").waiting_for is WaitingFor.THIRD_PARTY
    unhappy.fixed("ACME-AERO")
    case = unhappy.case("ACME-AERO")
    assert (case.status, case.waiting_since) == (Status.RESOLVED, None)
    assert hours(unhappy.clocks("ACME-AERO")["resolve"].worked or H) == 0


def test_a_policy_says_which_waits_its_clocks_pause_for(world: World) -> None:
    activated(world, changed(sla=("within: 24h", "within: 24h\n      pauses: customer")))
    world.known_customers()
    world.take(world.survey(score=2))
    let_wait(world, WaitingFor.THIRD_PARTY)
    clocks = world.clocks("ACME-AERO")
    assert (clocks["contact"].paused_at is None, clocks["resolve"].paused_at is None) == (
        True,
        False,
    )
    do(world, acts.GoOn())
    let_wait(world, WaitingFor.CUSTOMER)
    assert world.clocks("ACME-AERO")["contact"].paused_at is not None


def test_what_is_missed_already_is_not_saved_by_waiting(unhappy: World) -> None:
    unhappy.pass_time(hours=25)
    unhappy.tick()
    let_wait(unhappy)
    clocks = unhappy.clocks("ACME-AERO")
    assert clocks["contact"].paused_at is None
    assert clocks["resolve"].paused_at is not None


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (
            acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason=" "),
            "say in a few words what is waited for",
        ),
        (
            acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason="x", until=BEGIN - H),
            "which has passed",
        ),
        (
            acts.BeginWait(waiting_for=WaitingFor.CUSTOMER, reason="x", until=BEGIN + 400 * H),
            "at most 14 d",
        ),
        (acts.GoOn(), "C-1 does not wait"),
        (acts.ReviewEffect(effective=True), "not resolved yet"),
        (acts.AddNote(text=" "), "the note is empty"),
        (
            acts.Resolve(root_cause="gremlins", action="repaired"),
            "root cause is one of product, delivery",
        ),
        (acts.Resolve(root_cause="other", action="repaired"), "'other' says nothing by itself"),
        (acts.Resolve(root_cause="product"), "say what was wrong and what was done about it"),
        (acts.Resolve(corrective_action="CA-1", note="x"), "declares no corrective actions"),
        (acts.Assign(to="vp_sales"), "is with vp_sales already"),
        (acts.Assign(to="office_berlin"), "is an office; name a person"),
        (acts.Assign(to="nobody_here"), "is nobody in people.yaml"),
        (acts.HandOver(to="lead_central", reason=" "), "why it is handed over"),
        (acts.ProposeCorrection(becomes=BEGIN, reason="x"), "nobody has reached the customer"),
        (acts.DecideCorrection(correction=9, approve=True), "has no correction 9"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason_and_changes_nothing(
    unhappy: World, act: Any, why: str
) -> None:
    before = unhappy.case("ACME-AERO"), unhappy.clocks("ACME-AERO")
    with pytest.raises(ActionRefused, match=why):
        do(unhappy, act)
    assert (unhappy.case("ACME-AERO"), unhappy.clocks("ACME-AERO")) == before


def test_pauses_count_only_where_they_overlap_working_time(world: World) -> None:
    """Two waits on a calendar: over the week-end, and over Tuesday noon. 24 working hours end on
    Thursday at 12:30.
    """
    activated(
        world,
        with_file("calendars", BERLIN, sla=("within: 24h", "within: 24h\n      calendar: berlin")),
    )
    world.known_customers()
    world.take(
        world.survey(score=2)
    )  # Friday 09:30 in Berlin: 24 h would end on Wednesday at 09:30
    assert due(world) == 120
    world.pass_time(hours=8)  # Friday 17:30
    let_wait(world)
    world.pass_time(days=2, hours=12)  # Monday 05:30
    do(world, acts.GoOn())
    assert due(world) == 120
    world.pass_time(days=1, hours=6)  # Tuesday 11:30
    let_wait(world)
    world.pass_time(hours=3)
    do(world, acts.GoOn())
    assert due(world) == 123
    world.pass_time(hours=1)  # Tuesday 15:30
    world.reached("ACME-AERO", "vp_sales")
    kept = world.clocks("ACME-AERO")["contact"]
    assert (hours(kept.worked or H), kept.met, kept.calendar) == (7.5 + 8 + 2.5 + 1, True, "berlin")


# Whose calendar, and policies that are edited


LATE = 'late: {time_zone: Europe/Berlin, hours: {mon-fri: ["12:00-20:00"]}}\n'
OF_FIXER = {
    "sla": ("within: 7d", "within: 8h\n      calendar: of fixer"),
    "settings": ("currency: EUR", "currency: EUR\ncalendar: berlin"),
}


@pytest.mark.parametrize(
    ("own", "calendar", "length"),
    [(None, "berlin", 72), ("late", "late", 10.5), ("gone", "berlin", 72)],
)
def test_a_promise_on_the_calendar_of_whoever_owes_it(
    world: World, own: str | None, calendar: str, length: float
) -> None:
    """From Friday at 09:30 in Berlin; whoever has no calendar works by that of the settings."""
    people = dict(starter_people())
    people["office_berlin"] = people["office_berlin"].model_copy(update={"calendar": own})
    activated(world, with_file("calendars", BERLIN + LATE, **OF_FIXER), people)
    world.known_customers()
    world.take(world.survey(score=2))
    assert (due(world, "resolve"), world.clocks("ACME-AERO")["resolve"].calendar) == (
        length,
        calendar,
    )
    assert due(world) == 24


def test_not_everybody_has_a_calendar() -> None:
    (problem,) = problems_of(with_file("calendars", BERLIN, sla=OF_FIXER["sla"]))
    assert (problem.file, problem.message) == ("rules/sla.yaml", "not everybody has a calendar")
    assert problem.suggestion == "add `calendar:` to rules/settings.yaml, for whoever has none"
    (problem,) = problems_of(
        with_file("calendars", BERLIN, settings=("currency: EUR", "currency: EUR\ncalendar: berln"))
    )
    assert (problem.file, problem.suggestion) == ("rules/settings.yaml", "did you mean 'berlin'?")


@pytest.mark.parametrize(("moves", "length"), [(True, 8), (False, 24)])
def test_open_cases_move_with_their_policy_where_it_says_so(
    unhappy: World, moves: bool, length: int
) -> None:
    word = "open_cases: move\n    starts" if moves else "starts"
    files = changed(sla=("within: 24h", "within: 8h"))
    files["rules/sla.yaml"] = (
        files["rules/sla.yaml"].replace("starts", word, 1).replace("before: 12h", "before: 2h", 1)
    )
    unhappy.pass_time(hours=1)
    activated(unhappy, files)
    assert move_open_cases(unhappy.app.ctx) == int(moves)
    assert move_open_cases(unhappy.app.ctx) == 0
    assert due(unhappy) == length
    assert unhappy.clocks("ACME-AERO")["contact"].plan == 1 + moves
    unhappy.pass_time(hours=5)
    unhappy.tick()
    subjects = [mail.subject for mail in unhappy.deliver() if mail.subject.startswith("Reminder")]
    assert len(subjects) == int(moves)


def test_moving_a_policy_makes_nothing_late_after_the_fact(unhappy: World) -> None:
    files = changed(sla=("within: 24h", "within: 1h"))
    edited = files["rules/sla.yaml"].replace("starts", "open_cases: move\n    starts", 1)
    edited = edited.replace("before: 12h", "before: 30m", 1).replace("before: 4h", "before: 10m", 1)
    unhappy.pass_time(hours=3)
    activated(unhappy, {**files, "rules/sla.yaml": edited})
    move_open_cases(unhappy.app.ctx)
    assert due(unhappy) == 24


# Words that nothing follows


def test_an_acknowledgement_followed_by_nothing_is_taken_back(world: World) -> None:
    activated(world, changed(sla=("within: 4h", "within: 4h\n      stale_after: 6h")))
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=5)
    world.reached("ACME-AERO", "vp_sales", outcome="voicemail")
    world.pass_time(hours=1)
    world.tick()
    assert world.case("ACME-AERO").status is Status.ACKNOWLEDGED  # an attempt has followed
    world.pass_time(hours=5)
    world.tick()
    assert world.case("ACME-AERO").status is Status.OPEN
    again = world.clocks("ACME-AERO")["acknowledge"]
    assert (again.plan, again.running, hours(again.due_at - BEGIN)) == (2, True, 15)
    subjects = [mail.subject for mail in world.deliver()]
    assert "You said you would call Acme Aerospace: is it still yours? - C-1" in subjects
    world.acknowledged("ACME-AERO", "vp_sales")
    assert world.clocks("ACME-AERO")["acknowledge"].met
    world.reached("ACME-AERO", "vp_sales")
    world.pass_time(days=2)
    world.tick()
    assert world.case("ACME-AERO").status is Status.CONTACTED


def test_only_an_acknowledgement_goes_stale() -> None:
    (problem,) = problems_of(changed(sla=("within: 24h", "within: 24h\n      stale_after: 6h")))
    assert "only `acknowledge` has `stale_after`" in problem.message


def test_steps_wait_for_their_readers_working_hours_unless_they_are_urgent(world: World) -> None:
    steps = (
        "{before: 12h, notify: caller}",
        "{before: 12h, notify: caller}\n        - {before: 11h, notify: ceo, urgent: true}",
    )
    files = with_file("calendars", BERLIN, sla=steps)
    files["rules/escalations/key_accounts.yaml"] = files[
        "rules/escalations/key_accounts.yaml"
    ].replace("critical", "high")
    files["rules/routing.yaml"] = files["rules/routing.yaml"].replace(
        "roles:\n", "roles:\n  ceo: {person: ceo}\n", 1
    )
    people = {p.id: p.model_copy(update={"calendar": "berlin"}) for p in starter_people().values()}
    activated(world, files, people)
    world.known_customers()
    world.take(world.survey(score=2))
    world.acknowledged("ACME-AERO", "vp_sales")
    world.deliver()
    world.pass_time(hours=13)  # 22:30 in Berlin
    world.tick()
    assert recipients(world.deliver()) == ["ceo"]
    world.pass_time(hours=7)
    world.tick()
    assert world.deliver() == []
    world.pass_time(days=2, hours=4)  # Monday 09:30
    world.tick()
    assert "vp.sales" in recipients(world.deliver())


# Who has it


def test_the_call_and_the_fixing_can_be_assigned(unhappy: World) -> None:
    do(unhappy, acts.Assign(to="lead_central"), by="ceo")
    assert unhappy.case("ACME-AERO").caller == "lead_central"
    do(unhappy, acts.Assign(duty="fixer", to="office_munich", reason="theirs"), by="ceo")
    case = unhappy.case("ACME-AERO")
    assert (case.fixer, "office_berlin" in case.informed) == ("office_munich", True)
    assert {"lead.central", "vp.sales"} < set(recipients(unhappy.deliver()))
    assert unhappy.clocks("ACME-AERO")["resolve"].running


def test_two_people_at_once_do_not_undo_each_others_work(unhappy: World) -> None:
    case = unhappy.case("ACME-AERO")
    seen = Seen(revision=case.revision)
    do(unhappy, acts.Assign(to="lead_central"), by="ceo", claim=seen, door="page")
    with pytest.raises(
        ActionRefused, match="C-1 has changed since you looked, and is with lead_central now"
    ):
        do(unhappy, acts.Assign(to="owner_north"), by="ceo", claim=seen, door="page")
    assert unhappy.case("ACME-AERO").caller == "lead_central"


# Wrong times


def test_a_wrong_time_is_corrected_once_somebody_else_approves_it(unhappy: World) -> None:
    unhappy.pass_time(hours=30)
    unhappy.tick()
    unhappy.deliver()
    unhappy.reached("ACME-AERO", "vp_sales")
    assert not unhappy.clocks("ACME-AERO")["contact"].met
    text = do(
        unhappy, acts.ProposeCorrection(becomes=BEGIN + 20 * H, reason="The phone's log says so.")
    )
    assert text == "Correction 1 is proposed; it counts once somebody else approves it."
    assert not unhappy.clocks("ACME-AERO")["contact"].met
    assert "Vera Sample asks you to approve a corrected time - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]
    with pytest.raises(ActionRefused, match="approved by somebody else"):
        do(unhappy, acts.DecideCorrection(correction=1, approve=True))
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    kept = unhappy.clocks("ACME-AERO")["contact"]
    assert (kept.met, hours(kept.worked or H)) == (True, 20)
    assert unhappy.case("ACME-AERO").contacted_at == BEGIN + 20 * H
    (row,) = unhappy.rows(select(contact_attempt))
    assert row.happened_at == BEGIN + 20 * H
    ledger = unhappy.rows(
        select(clock_entry).where(clock_entry.c.kind == "contact").order_by(clock_entry.c.id)
    )
    told = [(e.what, hours(e.happened_at - BEGIN)) for e in ledger]
    assert told == [("started", 0), ("missed", 24), ("stopped", 30), ("corrected", 20)]
    with pytest.raises(ActionRefused, match="decided already"):
        do(unhappy, acts.DecideCorrection(correction=1, approve=False), by="ceo")


def test_a_declined_correction_changes_nothing(unhappy: World) -> None:
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", "vp_sales")
    unhappy.fixed("ACME-AERO")
    do(
        unhappy,
        acts.ProposeCorrection(what="cause", becomes=BEGIN + H, reason="It was mended before."),
        by="office_berlin",
    )
    before = unhappy.clocks("ACME-AERO")
    do(unhappy, acts.DecideCorrection(correction=1, approve=False), by="ceo")
    assert unhappy.clocks("ACME-AERO") == before
    (row,) = unhappy.rows(select(correction))
    assert (row.approved, row.decided_by) == (False, "ceo")


@pytest.mark.parametrize(
    ("becomes", "why"), [(BEGIN - H, "before the customer wrote"), (BEGIN + 9 * H, "ahead of now")]
)
def test_a_correction_that_could_not_be_is_refused_when_it_is_proposed(
    unhappy: World, becomes: datetime, why: str
) -> None:
    unhappy.pass_time(hours=2)
    unhappy.take(unhappy.survey(score=1))
    unhappy.pass_time(hours=2)
    unhappy.reached("ACME-AERO", "vp_sales")
    with pytest.raises(ActionRefused, match=why):
        do(unhappy, acts.ProposeCorrection(becomes=becomes, reason="I remember."))


# How it ends, and what follows


RESOLUTIONS = """\
root_causes: {seal: A leaking seal, other: Something else}
actions: {replaced: Replaced}
corrective_actions: {CA-2026-014: Seals are tested before they leave}
reopen_within: 14d
effectiveness_review: {after: 30d, by: caller}
check_survey:
  survey: relationship
  after: 2d
  mail:
    en: {subject: Is it well now?, text: You told us that something was wrong. Is it well now?}
    de: {subject: Ist es wieder gut?, text: Bitte um eine Antwort.}
"""


@pytest.fixture
def strict(world: World) -> World:
    activated(world, with_file("resolutions", RESOLUTIONS))
    world.known_customers()
    world.take(world.survey(score=2))
    world.deliver()
    world.reached("ACME-AERO", "vp_sales")
    do(
        world,
        acts.Resolve(root_cause="seal", action="replaced", corrective_action="CA-2026-014"),
        by="office_berlin",
    )
    world.deliver()
    return world


def test_a_case_ends_with_what_the_lists_declare(strict: World) -> None:
    case = strict.case("ACME-AERO")
    assert case.status is Status.RESOLVED
    assert (case.root_cause, case.action, case.corrective_action) == (
        "seal",
        "replaced",
        "CA-2026-014",
    )


def test_where_the_lists_are_required_a_case_does_not_end_without_them(world: World) -> None:
    activated(world, with_file("resolutions", RESOLUTIONS))
    world.known_customers()
    world.take(world.survey(score=2))
    for act, why in (
        (acts.Resolve(note="mended"), "say the root cause: one of seal, other"),
        (acts.Resolve(note="mended", root_cause="seal"), "say the action: one of replaced"),
        (
            acts.Resolve(root_cause="seal", action="replaced", corrective_action="CA-9"),
            "corrective action is one of",
        ),
    ):
        with pytest.raises(ActionRefused, match=why):
            do(world, act, by="office_berlin")


def test_whether_it_worked_is_asked_later_and_the_case_stays_closed(strict: World) -> None:
    strict.pass_time(days=29)
    strict.tick()
    strict.deliver()
    strict.pass_time(days=1)
    strict.tick()
    assert [(m.subject, recipients([m])) for m in strict.deliver()] == [
        ("Has it worked at Acme Aerospace? - C-1", ["vp.sales"])
    ]
    with pytest.raises(ActionRefused, match="what did not work"):
        do(strict, acts.ReviewEffect(effective=False))
    do(strict, acts.ReviewEffect(effective=True, note="No further complaint."))
    (row,) = strict.rows(select(effectiveness_review))
    assert (row.effective, row.by, hours(row.due_at - BEGIN)) == (True, "vp_sales", 720)
    assert strict.case("ACME-AERO").status is Status.RESOLVED


def test_a_complaint_soon_after_the_end_opens_the_case_again_in_its_next_cycle(
    strict: World,
) -> None:
    strict.pass_time(days=3)
    strict.take(strict.survey(score=1))
    case = strict.case("ACME-AERO")
    assert (case.number, case.cycle, case.status, case.resolved_at) == ("C-1", 2, Status.OPEN, None)
    assert strict.rows(select(clock).where(clock.c.cycle == 1, clock.c.stopped_at.is_(None))) == []
    left = strict.rows(
        select(timer).where(timer.c.fired_at.is_(None), timer.c.cancelled_at.is_(None))
    )
    assert {row.key.split(".")[0] for row in left} == {
        "2"
    }  # the first cycle is asked about no more
    assert any("COMPLAINED AGAIN" in mail.text for mail in strict.deliver())


def test_a_complaint_later_than_that_opens_another_case(strict: World) -> None:
    strict.pass_time(days=15)
    strict.take(strict.survey(score=1))
    assert strict.case("ACME-AERO").number == "C-2"


def test_the_customer_is_asked_and_a_negative_answer_opens_the_case_again(strict: World) -> None:
    strict.pass_time(days=2)
    strict.tick()
    (mail,) = strict.deliver()
    assert (mail.subject, recipients([mail])) == (
        "Ist es wieder gut?",
        ["ada"],
    )  # the language of the customer
    assert "/f/relationship?i=" in mail.text
    strict.pass_time(hours=1)
    strict.take(strict.survey(score=5))
    case = strict.case("ACME-AERO")
    assert (case.number, case.cycle, case.status) == ("C-1", 2, Status.OPEN)


def test_an_answer_no_rule_wants_opens_the_case_again_if_it_is_negative(strict: World) -> None:
    """The customer is no key account any more: no rule hears the answer, and still it is not
    well.
    """
    files = with_file("resolutions", RESOLUTIONS)
    for name in [name for name in files if name.startswith("rules/escalations/")]:
        files[name] = files[name].replace(
            "sentiment = 'negative'", "sentiment = 'negative' AND score < 2"
        )
    files = {name: text for name, text in files.items() if not name.startswith("rules/tests/")}
    activated(strict, files)
    strict.take(strict.survey(score=3))
    assert strict.case("ACME-AERO").cycle == 1  # nobody has asked yet
    strict.pass_time(days=2)
    strict.tick()
    strict.pass_time(hours=3)
    strict.take(strict.survey(score=3))
    case = strict.case("ACME-AERO")
    assert (case.number, case.cycle, case.status, case.contacted_at) == (
        "C-1",
        2,
        Status.OPEN,
        None,
    )
    assert sorted(kind for kind, c in strict.clocks("ACME-AERO").items() if c.running) == [
        "acknowledge",
        "contact",
        "resolve",
    ]
    strict.reached("ACME-AERO", "vp_sales")
    assert strict.case("ACME-AERO").status is Status.CONTACTED


def test_a_silenced_customer_stays_silent(strict: World) -> None:
    strict.pass_time(days=2)
    strict.tick()
    strict.deliver()
    with strict.app.ctx.db.write() as tx:
        until = tx.now() + timedelta(days=9)
        mutes.add_mute(tx, "customer", "ACME-AERO", until, "ops", "being sold", tx.now())
    strict.pass_time(hours=1)
    strict.take(strict.survey(score=1))
    assert strict.case("ACME-AERO").status is Status.RESOLVED
    assert strict.deliver() == []


def test_a_content_answer_confirms_the_end(strict: World) -> None:
    strict.pass_time(days=2)
    strict.tick()
    strict.pass_time(days=1)
    strict.take(strict.survey(score=9))
    assert strict.case("ACME-AERO").status is Status.RESOLVED
    assert strict.case("ACME-AERO").cycle == 1


def test_nobody_is_asked_whose_case_is_open_again_or_who_has_no_address(strict: World) -> None:
    strict.take(strict.survey("ALPENWERK", score=1))
    strict.pass_time(days=1)
    strict.take(strict.survey(score=1))
    strict.pass_time(days=2)
    strict.tick()
    assert strict.rows(select(notification).where(notification.c.template == "check_survey")) == []


def test_a_case_with_two_pauses_a_reopening_and_a_policy_edit_has_its_whole_ledger(
    world: World,
) -> None:
    activated(world, with_file("resolutions", RESOLUTIONS))
    world.known_customers()
    world.take(world.survey(score=2))
    for _ in range(2):
        world.pass_time(hours=1)
        let_wait(world)
        world.pass_time(hours=2)
        do(world, acts.GoOn())
    edited = with_file("resolutions", RESOLUTIONS, sla=("within: 24h", "within: 12h"))
    edited["rules/sla.yaml"] = edited["rules/sla.yaml"].replace(
        "starts", "open_cases: move\n    starts", 1
    )
    edited["rules/sla.yaml"] = edited["rules/sla.yaml"].replace("before: 12h", "before: 6h", 1)
    activated(world, edited)
    move_open_cases(world.app.ctx)
    assert due(world) == 12 + 4
    world.pass_time(hours=3)  # 9 h have been felt, 5 h of them counted
    world.reached("ACME-AERO", "vp_sales")
    do(world, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")
    world.pass_time(days=1)
    world.take(world.survey(score=1))
    world.reached("ACME-AERO", "vp_sales")
    entries = world.rows(
        select(clock_entry).where(clock_entry.c.kind == "contact").order_by(clock_entry.c.id)
    )
    told = [
        (e.cycle, e.plan, e.what, hours(e.happened_at - BEGIN), hours(e.due_at - BEGIN))
        for e in entries
    ]
    assert told == [
        (1, 1, "started", 0, 24),
        (1, 1, "paused", 1, 24),
        (1, 1, "resumed", 3, 26),
        (1, 1, "paused", 4, 26),
        (1, 1, "resumed", 6, 28),
        (1, 1, "superseded", 6, 28),
        (1, 2, "started", 0, 16),
        *(
            (1, 2, what, at, 16)
            for what, at in (("paused", 1), ("resumed", 3), ("paused", 4), ("resumed", 6))
        ),
        (1, 2, "stopped", 9, 16),
        (2, 1, "started", 33, 45),
        (2, 1, "stopped", 33, 45),
    ]
    first = next(
        r
        for r in world.rows(
            select(clock).where(clock.c.kind == "contact", clock.c.cycle == 1, clock.c.plan == 2)
        )
    )
    assert (round(first.worked / 3_600_000_000, 1), hours(first.stopped_at - first.started_at)) == (
        5,
        9,
    )


def test_what_people_wrote_about_a_case_is_forgotten_with_its_customer(strict: World) -> None:
    strict.pass_time(days=3)
    strict.take(strict.survey(score=1))
    let_wait(strict)
    strict.take(strict.envelope("customer.forgotten", {"customer_id": "ACME-AERO"}))
    assert [row.reason for row in strict.rows(select(wait))] == [""]
    (case,) = strict.rows(select(case_file))
    assert (case.status, case.waiting_since) == ("resolved", None)
    assert [row.ended_by for row in strict.rows(select(wait))] == ["forgotten"]


# Found by trying to break it


def test_a_wait_of_no_length_does_not_lose_the_steps(unhappy: World) -> None:
    unhappy.pass_time(hours=2)
    let_wait(unhappy)
    do(unhappy, acts.GoOn())
    unhappy.pass_time(hours=11)
    unhappy.tick()
    assert "Reminder: call Acme Aerospace by Sat 7 Mar 09:30 - C-1" in [
        mail.subject for mail in unhappy.deliver()
    ]


def test_a_call_from_before_the_wait_that_is_recorded_within_it_does_not_end_it(
    unhappy: World,
) -> None:
    unhappy.pass_time(hours=2)
    let_wait(unhappy)
    unhappy.pass_time(hours=3)
    unhappy.reached("ACME-AERO", "vp_sales", minutes_ago=4 * 60)
    assert unhappy.case("ACME-AERO").waiting_since is not None
    do(unhappy, acts.GoOn())
    assert due(unhappy, "resolve") == 168 + 3
    unhappy.pass_time(days=8)
    unhappy.tick()
    assert unhappy.rows(
        select(clock_entry).where(clock_entry.c.what == "missed", clock_entry.c.kind == "resolve")
    )


def test_a_late_fact_takes_no_pause_away(unhappy: World) -> None:
    unhappy.pass_time(hours=1)
    let_wait(unhappy)
    unhappy.pass_time(hours=20)
    do(unhappy, acts.GoOn())
    assert due(unhappy) == 44
    unhappy.pass_time(hours=5)
    unhappy.take(unhappy.customer("ACME-AERO", owner="owner_west", time=(BEGIN - H).isoformat()))
    unhappy.tick()
    assert (due(unhappy), unhappy.clocks("ACME-AERO")["contact"].missed_at) == (44, None)


def test_a_late_fact_ends_no_wait(unhappy: World) -> None:
    unhappy.pass_time(hours=1)
    let_wait(unhappy)
    unhappy.pass_time(hours=2)
    unhappy.take(unhappy.customer("ACME-AERO", owner="owner_west", time=(BEGIN - H).isoformat()))
    assert unhappy.case("ACME-AERO").waiting_since is not None
    clocks = unhappy.clocks("ACME-AERO")
    assert clocks["contact"].paused_at is not None
    unhappy.pass_time(hours=30)
    assert unhappy.tick() == 0


def test_a_late_acknowledgement_stays_late_when_it_goes_stale(world: World) -> None:
    activated(world, changed(sla=("within: 4h", "within: 4h\n      stale_after: 6h")))
    world.known_customers()
    world.take(world.survey(score=2))
    world.pass_time(hours=10)
    world.acknowledged("ACME-AERO", "vp_sales")
    world.pass_time(hours=6)
    world.tick()
    world.acknowledged("ACME-AERO", "vp_sales")
    rows = world.rows(select(clock).where(clock.c.kind == "acknowledge").order_by(clock.c.plan))
    assert [(row.stopped_at <= row.due_at, row.superseded_at) for row in rows] == [
        (False, None),
        (True, None),
    ]


@pytest.mark.parametrize(
    ("right", "length", "worked", "met"), [(6, 28, 2, True), (26, 47, 3, True), (50, 47, 27, False)]
)
def test_a_corrected_call_is_reckoned_with_the_cases_waits(
    unhappy: World, right: int, length: int, worked: int, met: bool
) -> None:
    """Waited from hour 2 to 25; the call was written down at hour 1."""
    unhappy.pass_time(hours=1)
    unhappy.reached("ACME-AERO", "vp_sales", outcome="voicemail")
    unhappy.pass_time(hours=1)
    let_wait(unhappy, WaitingFor.THIRD_PARTY)
    unhappy.pass_time(hours=23)
    do(unhappy, acts.GoOn())
    unhappy.pass_time(hours=28)
    unhappy.reached("ACME-AERO", "vp_sales", minutes_ago=52 * 60)
    do(unhappy, acts.ProposeCorrection(becomes=BEGIN + right * H, reason="The log."))
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    kept = unhappy.clocks("ACME-AERO")["contact"]
    assert (hours(kept.due_at - BEGIN), hours(kept.worked or H), kept.met) == (length, worked, met)


def test_of_several_calls_the_first_that_reached_counts_after_a_correction(unhappy: World) -> None:
    for at in (25, 2):
        unhappy.pass_time(hours=at)
        unhappy.reached("ACME-AERO", "vp_sales")
    unhappy.pass_time(hours=1)
    with pytest.raises(ActionRefused, match="has no call 9"):
        do(unhappy, acts.ProposeCorrection(call=9, becomes=BEGIN + 4 * H, reason="The log."))
    do(unhappy, acts.ProposeCorrection(call=2, becomes=BEGIN + 4 * H, reason="The log."))
    do(unhappy, acts.ProposeCorrection(call=2, becomes=BEGIN + 5 * H, reason="Or so."))
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    kept, case = unhappy.clocks("ACME-AERO")["contact"], unhappy.case("ACME-AERO")
    assert (hours(kept.worked or H), kept.met) == (4, True)
    assert case.answered_until is not None
    assert hours(case.answered_until - BEGIN) == 25
    with pytest.raises(ActionRefused, match="not recorded at 2026-03-07 11:30Z any more"):
        do(unhappy, acts.DecideCorrection(correction=2, approve=True), by="ceo")


def test_a_corrected_voicemail_keeps_no_promise(unhappy: World) -> None:
    unhappy.pass_time(hours=29)
    unhappy.reached("ACME-AERO", "vp_sales", outcome="voicemail")
    unhappy.reached("ACME-AERO", "vp_sales")
    do(unhappy, acts.ProposeCorrection(call=1, becomes=BEGIN + 2 * H, reason="The log."))
    with pytest.raises(ActionRefused, match="is an office"):
        do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="office_berlin")
    do(unhappy, acts.DecideCorrection(correction=1, approve=True), by="ceo")
    assert not unhappy.clocks("ACME-AERO")["contact"].met
    assert [
        hours(row.happened_at - BEGIN)
        for row in unhappy.rows(select(contact_attempt).order_by(contact_attempt.c.id))
    ] == [2, 29]


def test_whoever_missed_a_promise_missed_it_whoever_has_the_case_later(unhappy: World) -> None:
    unhappy.pass_time(hours=25)
    unhappy.tick()
    do(unhappy, acts.HandOver(to="lead_central", reason="on a plane"))
    unhappy.reached("ACME-AERO", "lead_central")
    (row,) = unhappy.rows(select(clock).where(clock.c.kind == "contact"))
    assert row.party == "vp_sales"


def test_whoever_has_the_case_by_then_hears_that_the_wait_is_over(unhappy: World) -> None:
    let_wait(unhappy, until=BEGIN + 5 * H)
    do(unhappy, acts.HandOver(to="lead_central", reason="on a plane"))
    unhappy.deliver()
    unhappy.pass_time(hours=5)
    unhappy.tick()
    assert recipients([m for m in unhappy.deliver() if "the wait is over" in m.subject]) == [
        "lead.central"
    ]


def test_the_first_cycles_cause_stays_with_the_first_cycle(strict: World) -> None:
    strict.pass_time(days=3)
    strict.take(strict.survey(score=1))
    assert strict.case("ACME-AERO").root_cause is None
    strict.reached("ACME-AERO", "vp_sales")
    do(
        strict,
        acts.Resolve(root_cause="other", action="replaced", note="the pump"),
        by="office_berlin",
    )
    rows = strict.rows(select(resolution).order_by(resolution.c.cycle))
    assert [(row.cycle, row.root_cause) for row in rows] == [(1, "seal"), (2, "other")]


def test_a_contract_nobody_can_keep_leaves_the_policys_promise(world: World) -> None:
    world.known_customers()
    far = {"contact": "87840h", "calendar": "berlin"}
    activated(
        world,
        with_file(
            "calendars", 'berlin: {time_zone: Europe/Berlin, hours: {mon: ["09:00-09:05"]}}\n'
        ),
    )
    world.take(world.customer("ACME-AERO", contract=far))
    world.take(world.survey(score=2))
    assert due(world) == 24
