"""The demo's story, what is done about it: who calls, who does not, and what the report says."""

from datetime import timedelta

from sqlalchemy import select

from alerting.cli.demo_stage import Story, StoryFailed
from alerting.database.cases import case_clocks, cases
from alerting.database.engine import Transaction
from alerting.database.tables import clock, contact_attempt, timer
from alerting.services.reports import report as response_times


def voicemail(story: Story, case_id: int) -> None:
    story.chapter("The VP acknowledges, and reaches a voicemail: an attempt, no contact")
    mail = story.expect_mail("vp.sales@example.com", "Call Acme Aerospace by")
    story.act(mail, "I'll call:")
    story.act(mail, "I called...:", outcome="voicemail", channel="phone", note="Left a message.")

    def still_owed() -> bool:
        def ask(tx: Transaction) -> bool:
            attempts = tx.execute(
                select(contact_attempt).where(contact_attempt.c.case_id == case_id)
            ).all()
            running = tx.execute(
                select(clock).where(clock.c.case_id == case_id, clock.c.kind == "contact")
            ).one()
            return [a.outcome for a in attempts] == ["voicemail"] and running.stopped_at is None

        return bool(story.read(ask))

    story.check("recorded as an attempt, and the clock for the call runs on", still_owed)


def called(story: Story, case_id: int) -> None:
    story.chapter("The VP reaches the customer; the Berlin office removes the cause")
    story.pass_time(timedelta(hours=2))
    mail = story.expect_mail("vp.sales@example.com", "Call Acme Aerospace by")
    story.act(
        mail,
        "I called...:",
        outcome="reached",
        channel="phone",
        note="Apologised; a technician comes on Monday.",
    )
    story.expect_mail("owner.north@example.com", "Called at")
    office = story.expect_mail("office.berlin@example.com", "Fix the cause at Acme Aerospace")
    story.act(
        office, "The cause is removed:", note="The seal was of the wrong size; replaced on site."
    )

    def resolved() -> bool:
        case = story.read(lambda tx: cases.case_by_id(tx, case_id))
        kept = story.read(lambda tx: [c.met for c in case_clocks.clocks_of(tx, [case_id])[case_id]])
        return bool(case and case.status == "resolved" and kept == [True, True, True])

    story.check("the case is resolved, all three promises kept", resolved)
    story.show_new_mails()


def breach(story: Story, case_id: int) -> None:
    story.chapter("Nobody calls Alpenwerk: the substitute is asked, then the manager hears")
    story.pass_time(timedelta(hours=11))
    story.expect_mail("owner.north@example.com", "Reminder: call Alpenwerk")
    story.pass_time(timedelta(hours=8))
    story.expect_mail("lead.central@example.com", "Can you call Alpenwerk")
    story.pass_time(timedelta(hours=4))
    story.expect_mail("lead.central@example.com", "Not called in time: Alpenwerk")

    def missed() -> bool:
        late = select(clock.c.due_at).where(
            clock.c.case_id == case_id, clock.c.kind == "contact", clock.c.missed_at.is_not(None)
        )
        return story.read(lambda tx: tx.execute(late).first()) is not None

    story.check("the promise is recorded as missed", missed)
    story.check(
        "each step fired once",
        lambda: _fired(story, case_id) == ["told lead_central"] * 2 + ["told owner_north"] * 2,
    )
    story.show_new_mails()


def _fired(story: Story, case_id: int) -> list[str]:
    chosen = (timer.c.subject == case_id, timer.c.kind == "step", timer.c.fired_at.is_not(None))
    return sorted(
        story.read(lambda tx: tx.execute(select(timer.c.outcome).where(*chosen)).scalars().all())
    )


def told_report(story: Story) -> None:
    from alerting.cli.reports.report import print_lines

    story.chapter("Response times")
    found = response_times.report(story.app.ctx)
    contact = next((line for line in found.overall if line.kind == "contact"), None)
    if contact is None or (contact.attainment.met, contact.attainment.overdue) != (1, 1):
        raise StoryFailed("the report must count one call in time and one overdue")
    print_lines(found)
    story.say("   ok: one call in time, one overdue, the others still running")
