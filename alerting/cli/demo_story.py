"""The demo's story: what happens, through which door, and what must be found in mailbox and
database afterwards.
"""

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from alerting.adapters.mail.email.mailbox import Kept, read_mailbox
from alerting.bootstrap import App
from alerting.database import instance
from alerting.database.cases import cases
from alerting.database.engine import Transaction
from alerting.database.intake import events
from alerting.database.tables import alert, clock, contact_attempt, event, timer
from alerting.domain.times.durations import format_duration
from alerting.services.intake.event_log import NewRecord
from alerting.services.reports.report import report

PATIENCE = 15.0
"""Seconds to wait for something that takes milliseconds on an idle machine."""


class StoryFailed(Exception):
    """Something that must have happened did not."""


@dataclass(kw_only=True)
class Story:
    """The running installation, and what has been told so far."""

    app: App
    say: Callable[[str], None]
    _told: set[str] = field(default_factory=set)
    _chapter: int = 0

    def chapter(self, title: str) -> None:
        self._chapter += 1
        self.say(f"\n{self._chapter}. {title}")

    def check(self, sentence: str, condition: Callable[[], Any]) -> Any:
        """Wait until `condition` holds, or fail the demo."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = condition()
            if found:
                self.say(f"   ok: {sentence}")
                return found
            time.sleep(0.05)
        raise StoryFailed(sentence)

    def mails(self) -> list[Kept]:
        return read_mailbox(self.app.settings.mailbox)

    def mail(self, address: str, subject: str) -> Kept | None:
        return next((m for m in self.mails() if address in m.to and subject in m.subject), None)

    def expect_mail(self, address: str, subject: str) -> Kept:
        found = self.check(f"mail to {address}: {subject} ...", lambda: self.mail(address, subject))
        assert isinstance(found, Kept)
        return found

    def show_new_mails(self) -> None:
        """Print what was sent to whom, and why."""
        for mail in reversed(self.mails()):
            if mail.name in self._told:
                continue
            self._told.add(mail.name)
            self.say(f"   mail  {mail.to}\n         {mail.subject}")
            lines = [line.strip() for line in mail.text.splitlines()]
            for number, line in enumerate(lines):
                if line.upper().startswith("WHY"):
                    reasons = [
                        line.split(":", 1)[1].strip(),
                        *(r[2:] for r in lines[number + 1 : number + 5] if r.startswith("- ")),
                    ]
                    self.say(f"         why: {'; '.join(r for r in reasons if r)}")
                    break

    def read(self, question: Callable[[Transaction], Any]) -> Any:
        with self.app.ctx.db.read() as tx:
            return question(tx)

    def now(self) -> datetime:
        found = self.read(lambda tx: tx.now())
        assert isinstance(found, datetime)
        return found

    def pass_time(self, by: timedelta) -> None:
        with self.app.ctx.db.write() as tx:
            instance.move_demo_clock(tx, by)
        self.say(f"   ... {format_duration(by)} pass")

    def post_events(self, *found: Mapping[str, Any]) -> None:
        """POST /v1/events, as a survey tool or the telephone system would."""
        answer = _http(
            f"{self.app.settings.base_url}/v1/events",
            json.dumps(list(found)).encode(),
            {
                "content-type": "application/cloudevents-batch+json",
                "x-api-key": self.app.secrets.ingest_keys[0],
            },
        )
        if answer.status != 202:
            raise StoryFailed(f"POST /v1/events answered {answer.status}: {answer.body}")

    def act(self, mail: Kept, label: str, **fields: str) -> None:
        """Follow an action link of a mail: look at its page, then send its form."""
        link = re.search(rf"{re.escape(label)}\s+(http\S+)", mail.text)
        if link is None:
            raise StoryFailed(f"the mail to {mail.to} has no link {label!r}")
        page = _http(link[1])
        if page.status != 200 or "<form" not in page.body:
            raise StoryFailed(f"the page behind {label!r} answered {page.status}")
        answer = _http(link[1], urllib.parse.urlencode(fields).encode())
        if answer.status != 200:
            raise StoryFailed(f"{label!r} answered {answer.status}")

    def event(
        self, kind: str, event_id: str, at: datetime, data: Mapping[str, Any]
    ) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "type": kind,
            "source": "/demo",
            "id": event_id,
            "time": at.isoformat(),
            "data": dict(data),
        }


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    body: str


def _http(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> _Answer:
    request = urllib.request.Request(url, data=body, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as found:
            return _Answer(status=found.status, body=found.read().decode())
    except urllib.error.HTTPError as error:
        return _Answer(status=error.code, body=error.read().decode())
    except urllib.error.URLError as error:
        return _Answer(status=0, body=str(error))


def tell(story: Story) -> None:
    """The whole story, in order."""
    story.say("All roles are starting: consume, deliver, follow-up, web.")
    story.check(
        "they are ready", lambda: _http(f"{story.app.settings.base_url}/readyz").status == 200
    )
    _customers(story)
    first = _key_account(story)
    valuable = _calls_in_vain(story)
    _low_value(story)
    _happy(story)
    _voicemail(story, first)
    _unknown(story)
    _unreadable(story)
    _before_go_live(story)
    _called(story, first)
    _breach(story, valuable)
    _report(story)


def _customers(story: Story) -> None:
    story.chapter("Customers arrive from the CRM")
    begin = story.now() - timedelta(days=30)
    ada = {
        "name": "Ada Example",
        "role": "Head of Purchasing",
        "email": "ada@acme.example",
        "phone": "+49 30 5550199",
        "call_from": "09:00",
        "call_to": "11:30",
    }
    nils = {"name": "Nils Example", "role": "Plant Manager", "phone": "+49 89 5550142"}
    germany = {"country": "DE", "language": "de", "time_zone": "Europe/Berlin"}
    known = [
        {
            "customer_id": "ACME-AERO",
            "name": "Acme Aerospace",
            "revenue_with_us": 1_240_000,
            "owner": "owner_north",
            "renewal_date": "2026-05-31",
            "contacts": [ada],
            **germany,
        },
        {
            "customer_id": "ALPENWERK",
            "name": "Alpenwerk",
            "revenue_with_us": 410_000,
            "owner": "owner_north",
            "region": "Bavaria",
            "contacts": [nils],
            **germany,
        },
        {
            "customer_id": "KIOSK-7",
            "name": "Kiosk Seven",
            "revenue_with_us": 1_900,
            "owner": "lead_central",
            **germany,
        },
        {
            "customer_id": "LUMEN-MED",
            "name": "Lumen Medical",
            "revenue_with_us": 880_000,
            **germany,
        },
    ]
    story.post_events(
        *(story.event("customer.updated", f"crm-{c['customer_id']}", begin, c) for c in known),
        story.event(
            "survey.answered",
            "survey-last-year",
            begin + timedelta(days=1),
            {"customer_id": "ACME-AERO", "survey_id": "relationship", "metric": "nps", "score": 9},
        ),
    )
    story.check("four customers are known", lambda: _count(story, "customer.updated") == 4)


def _count(story: Story, kind: str) -> int:
    return len(
        story.read(lambda tx: tx.execute(select(event.c.seq).where(event.c.type == kind)).all())
    )


def _key_account(story: Story) -> int:
    story.chapter("A key account answers the survey badly, on the hosted form")
    link = story.app.links.invitation("relationship", "ACME-AERO", "Ada Example")
    page = _http(link)
    nonce = re.search(r'name="nonce" value="([^"]+)"', page.body)
    if page.status != 200 or nonce is None:
        raise StoryFailed(f"the survey form answered {page.status}")
    invitation = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["i"][0]
    answer = {
        "nonce": nonce[1],
        "i": invitation,
        "score": "2",
        "comment": "Three calls to your local office, and the pump still leaks. I am tired of "
        "explaining it anew.",
        "contact_me": "yes",
    }
    if _http(link.split("?")[0], urllib.parse.urlencode(answer).encode()).status != 200:
        raise StoryFailed("the survey form did not take the answer")
    story.expect_mail("vp.sales@example.com", "Call Acme Aerospace by")
    story.expect_mail("office.berlin@example.com", "Fix the cause at Acme Aerospace")
    story.expect_mail("owner.north@example.com", "For information: Acme Aerospace")
    story.show_new_mails()
    return _case_of(story, "ACME-AERO")


def _case_of(story: Story, key: str) -> int:
    found = story.read(lambda tx: cases.unresolved_cases(tx, [key]))
    if key not in found:
        raise StoryFailed(f"{key} has no case")
    return int(found[key].id)


def _calls_in_vain(story: Story) -> int:
    story.chapter(
        "A customer of high potential calls the local office three times; nothing is solved"
    )
    now = story.now()
    for number, days in enumerate((4, 2, 0), 1):
        data = {
            "customer_id": "ALPENWERK",
            "channel": "phone",
            "direction": "inbound",
            "outcome": "unresolved",
            "office": "office_munich",
            "topic": "delivery",
            "text": f"Asks for the {number}. time where the order is.",
        }
        story.post_events(
            story.event("interaction.recorded", f"call-{number}", now - timedelta(days=days), data)
        )
    story.expect_mail("owner.north@example.com", "Call Alpenwerk by")
    story.expect_mail("office.munich@example.com", "Fix the cause at Alpenwerk")
    story.show_new_mails()
    story.check("one alert, on the third call", lambda: len(_alerts(story, "ALPENWERK")) == 1)
    return _case_of(story, "ALPENWERK")


def _alerts(story: Story, key: str) -> list[Any]:
    return list(
        story.read(lambda tx: tx.execute(select(alert).where(alert.c.customer_key == key)).all())
    )


def _survey(
    story: Story, event_id: str, customer: str, score: int, comment: str, at: datetime | None = None
) -> None:
    data = {
        "customer_id": customer,
        "survey_id": "relationship",
        "metric": "nps",
        "score": score,
        "comment": comment,
    }
    story.post_events(story.event("survey.answered", event_id, at or story.now(), data))


def _low_value(story: Story) -> None:
    story.chapter("An unhappy customer of low value: somebody calls, but no VP")
    _survey(story, "survey-kiosk", "KIOSK-7", 3, "The invoice was wrong again.")
    story.expect_mail("lead.central@example.com", "Call Kiosk Seven by")
    story.show_new_mails()
    story.check(
        "no mail about it to the VP",
        lambda: story.mail("vp.sales@example.com", "Kiosk Seven") is None,
    )


def _happy(story: Story) -> None:
    story.chapter("A happy key account: nobody is disturbed")
    _survey(story, "survey-lumen", "LUMEN-MED", 10, "Quick and friendly. Thank you!")
    story.check("the answer is stored", lambda: _stored(story, "survey-lumen"))
    story.check("no alert", lambda: not _alerts(story, "LUMEN-MED"))


def _stored(story: Story, event_id: str) -> Any:
    return story.read(lambda tx: tx.execute(select(event).where(event.c.id == event_id)).first())


def _voicemail(story: Story, case_id: int) -> None:
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


def _unknown(story: Story) -> None:
    story.chapter("An unhappy customer nobody knows: unverified, and the service desk sees to it")
    _survey(story, "survey-unknown", "WHO-IS-THIS", 1, "Hello? Is anybody there?")
    story.expect_mail("service.desk@example.com", "Call WHO-IS-THIS by")
    story.show_new_mails()
    story.check(
        "its segment is unverified",
        lambda: [a.segment for a in _alerts(story, "WHO-IS-THIS")] == ["unverified"],
    )


def _unreadable(story: Story) -> None:
    story.chapter("An outside producer puts something unreadable into the log")
    story.app.event_log.append(
        [NewRecord(topic="surveys", key="x", value=b'{"specversion": "1.0", "score": \xff}')]
    )
    found = story.check(
        "it is a dead letter, with bytes and place", lambda: story.read(events.dead_letters)
    )
    story.say(f"   {found[0].place}: {found[0].reason}, {found[0].detail}")


def _before_go_live(story: Story) -> None:
    story.chapter("An answer from before go_live arrives: recorded, never mailed")
    before = story.read(lambda tx: story.app.ctx.shelf.active(tx).go_live) - timedelta(days=60)
    _survey(story, "survey-old", "LUMEN-MED", 0, "An old grudge.", before)
    stored = story.check(
        "it is stored, and marked as before go_live", lambda: _stored(story, "survey-old")
    )
    if stored.excluded != "before_go_live":
        raise StoryFailed(f"the old answer is marked {stored.excluded!r}")
    story.check(
        "its alert was suppressed",
        lambda: [a.suppressed for a in _alerts(story, "LUMEN-MED")] == ["before_go_live"],
    )
    story.check(
        "nobody has a mail about it", lambda: not [m for m in story.mails() if "Lumen" in m.subject]
    )


def _called(story: Story, case_id: int) -> None:
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
        kept = story.read(lambda tx: [c.met for c in cases.clocks_of(tx, [case_id])[case_id]])
        return bool(case.status == "resolved" and kept == [True, True, True])

    story.check("the case is resolved, all three promises kept", resolved)
    story.show_new_mails()


def _breach(story: Story, case_id: int) -> None:
    story.chapter("Nobody calls Alpenwerk: the substitute is asked, then the manager hears")
    story.pass_time(timedelta(hours=11))
    story.expect_mail("owner.north@example.com", "Reminder: call Alpenwerk")
    story.pass_time(timedelta(hours=8))
    story.expect_mail("lead.central@example.com", "Can you call Alpenwerk")
    story.pass_time(timedelta(hours=4))
    story.expect_mail("lead.central@example.com", "Not called in time: Alpenwerk")

    def missed() -> Any:
        return story.read(
            lambda tx: tx.execute(
                select(clock).where(
                    clock.c.case_id == case_id,
                    clock.c.kind == "contact",
                    clock.c.missed_at.is_not(None),
                )
            ).first()
        )

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


def _report(story: Story) -> None:
    from alerting.cli.reports.report import print_lines

    story.chapter("Response times")
    found = report(story.app.ctx)
    contact = next((line for line in found.overall if line.kind == "contact"), None)
    if contact is None or (contact.attainment.met, contact.attainment.overdue) != (1, 1):
        raise StoryFailed("the report must count one call in time and one overdue")
    print_lines(found)
    story.say("   ok: one call in time, one overdue, the others still running")
