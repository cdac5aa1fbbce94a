"""The demo's story, what comes in: customers, answers, calls, and things nobody can read."""

import re
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from alerting.cli.demo_stage import Story, StoryFailed, http
from alerting.database.cases import cases
from alerting.database.intake import dead_letters
from alerting.database.tables import alert, event
from alerting.services.intake.event_log import NewRecord

_ADA = {
    "name": "Ada Example",
    "role": "Head of Purchasing",
    "email": "ada@acme.example",
    "phone": "+49 30 5550199",
    "call_from": "09:00",
    "call_to": "11:30",
}
_NILS = {"name": "Nils Example", "role": "Plant Manager", "phone": "+49 89 5550142"}
_GERMANY = {"country": "DE", "language": "de", "time_zone": "Europe/Berlin"}
_KNOWN: list[dict[str, object]] = [
    {
        "customer_id": "ACME-AERO",
        "name": "Acme Aerospace",
        "revenue_with_us": 1_240_000,
        "owner": "owner_north",
        "renewal_date": "2026-05-31",
        "contacts": [_ADA],
        **_GERMANY,
    },
    {
        "customer_id": "ALPENWERK",
        "name": "Alpenwerk",
        "revenue_with_us": 410_000,
        "owner": "owner_north",
        "region": "Bavaria",
        "contacts": [_NILS],
        **_GERMANY,
    },
    {
        "customer_id": "KIOSK-7",
        "name": "Kiosk Seven",
        "revenue_with_us": 1_900,
        "owner": "lead_central",
        **_GERMANY,
    },
    {"customer_id": "LUMEN-MED", "name": "Lumen Medical", "revenue_with_us": 880_000, **_GERMANY},
]


def customers(story: Story) -> None:
    story.chapter("Customers arrive from the CRM")
    begin = story.now() - timedelta(days=30)
    story.post_events(
        *(story.event("customer.updated", f"crm-{c['customer_id']}", begin, c) for c in _KNOWN),
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


def key_account(story: Story) -> int:
    story.chapter("A key account answers the survey badly, on the hosted form")
    link = story.app.links.invitation("relationship", "ACME-AERO", "Ada Example")
    page = http(link)
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
    if http(link.split("?")[0], urllib.parse.urlencode(answer).encode()).status != 200:
        raise StoryFailed("the survey form did not take the answer")
    story.expect_mail("vp.sales@example.com", "Call Acme Aerospace by")
    story.expect_mail("office.berlin@example.com", "Fix the cause at Acme Aerospace")
    story.expect_mail("owner.north@example.com", "For information: Acme Aerospace")
    story.show_new_mails()
    return _case_of(story, "ACME-AERO")


def _case_of(story: Story, key: str) -> int:
    found = story.read(lambda tx: cases.unresolved_cases(tx, [key])).get(key)
    if found is None or found.id is None:
        raise StoryFailed(f"{key} has no case")
    return found.id


def calls_in_vain(story: Story) -> int:
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


@dataclass(frozen=True, kw_only=True)
class _Raised:
    """What is looked at of an alert."""

    segment: str
    suppressed: str | None


def _alerts(story: Story, key: str) -> list[_Raised]:
    chosen = select(alert.c.segment, alert.c.suppressed).where(alert.c.customer_key == key)
    rows = story.read(lambda tx: tx.execute(chosen).all())
    return [_Raised(segment=row.segment, suppressed=row.suppressed) for row in rows]


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


def low_value(story: Story) -> None:
    story.chapter("An unhappy customer of low value: somebody calls, but no VP")
    _survey(story, "survey-kiosk", "KIOSK-7", 3, "The invoice was wrong again.")
    story.expect_mail("lead.central@example.com", "Call Kiosk Seven by")
    story.show_new_mails()
    story.check(
        "no mail about it to the VP",
        lambda: story.mail("vp.sales@example.com", "Kiosk Seven") is None,
    )


def happy(story: Story) -> None:
    story.chapter("A happy key account: nobody is disturbed")
    _survey(story, "survey-lumen", "LUMEN-MED", 10, "Quick and friendly. Thank you!")
    story.check("the answer is stored", lambda: _is_stored(story, "survey-lumen"))
    story.check("no alert", lambda: not _alerts(story, "LUMEN-MED"))


def _is_stored(story: Story, event_id: str) -> bool:
    stored = select(event.c.seq).where(event.c.id == event_id)
    return story.read(lambda tx: tx.execute(stored).first()) is not None


def _excluded(story: Story, event_id: str) -> str | None:
    """Why a stored event was not judged, if so."""
    why = select(event.c.excluded).where(event.c.id == event_id)
    return story.read(lambda tx: tx.execute(why).scalar())


def unknown(story: Story) -> None:
    story.chapter("An unhappy customer nobody knows: unverified, and the service desk sees to it")
    _survey(story, "survey-unknown", "WHO-IS-THIS", 1, "Hello? Is anybody there?")
    story.expect_mail("service.desk@example.com", "Call WHO-IS-THIS by")
    story.show_new_mails()
    story.check(
        "its segment is unverified",
        lambda: [a.segment for a in _alerts(story, "WHO-IS-THIS")] == ["unverified"],
    )


def unreadable(story: Story) -> None:
    story.chapter("An outside producer puts something unreadable into the log")
    story.app.event_log.append(
        [NewRecord(topic="surveys", key="x", value=b'{"specversion": "1.0", "score": \xff}')]
    )
    found = story.check(
        "it is a dead letter, with bytes and place", lambda: story.read(dead_letters.list_letters)
    )
    story.say(f"   {found[0].place}: {found[0].reason}, {found[0].detail}")


def before_go_live(story: Story) -> None:
    story.chapter("An answer from before go_live arrives: recorded, never mailed")
    before = story.read(lambda tx: story.app.ctx.shelf.active(tx).go_live) - timedelta(days=60)
    _survey(story, "survey-old", "LUMEN-MED", 0, "An old grudge.", before)
    story.check(
        "it is stored, and marked as before go_live", lambda: _is_stored(story, "survey-old")
    )
    excluded = _excluded(story, "survey-old")
    if excluded != "before_go_live":
        raise StoryFailed(f"the old answer is marked {excluded!r}")
    story.check(
        "its alert was suppressed",
        lambda: [a.suppressed for a in _alerts(story, "LUMEN-MED")] == ["before_go_live"],
    )
    story.check(
        "nobody has a mail about it", lambda: not [m for m in story.mails() if "Lumen" in m.subject]
    )
