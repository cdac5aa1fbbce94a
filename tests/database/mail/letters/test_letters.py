"""Mails of real cases: what they must say."""

import json
import re
from dataclasses import replace
from email.headerregistry import Address

from sqlalchemy import select

from alerting.database.tables import case_file
from alerting.services.mail.letters import Letter
from tests.support.mail.letters import HEADERS, composed, letters, parsed, read_html
from tests.support.world import GERMANY, World

# What a mail says


def test_the_callers_mail_says_whom_to_call_why_and_by_when(
    world: World, acme: dict[str, Letter]
) -> None:
    mail = composed(world, acme["call"])
    assert mail.html is not None
    assert mail.subject == "Call Acme Aerospace by Sat 7 Mar 09:30 - key account, NPS 2"
    for words in (
        "YOU are the caller",
        "Ada Example",
        "Head of Purchasing",
        "wants a call",
        "speaks German",
        "+49 30 5550199",
        "09:00–11:30",
        "It still leaks.",
        "NPS 9",
        "2 calls in 7 days, none solved",
        "1.2 million EUR",
        "31 May 2026",
        "you speak with Ada Example (voicemail doesn",
        "Berlin office fixes the cause",
        "Hugo Sample is asked",
        "Cora Sample hears",
        "is a key account",
        "segment key",
        acme["call"].view.case.number,
        "hand it over",
    ):
        assert words.lower() in mail.text.lower(), words
        assert words.lower() in text_of(mail.html).lower(), words
    for who in ("Olga Sample", "Berlin office"):
        assert re.search(rf"{who}.* informed", mail.text), who
    assert 'href="tel:+49305550199"' in mail.html


def test_every_link_of_a_mail_is_the_readers_own(world: World, acme: dict[str, Letter]) -> None:
    for template, letter in acme.items():
        mail = composed(world, letter)
        for body in (mail.text, mail.html or ""):
            for token in re.findall(r"/a/([\w.-]+)", body):
                ticket = world.app.links.read_action(token)
                case = letter.view.case
                assert (ticket.case_id, ticket.person) == (case.id, letter.recipient.id), template
                assert (ticket.assignment, ticket.cycle) == (case.assignment, case.cycle), template
    purposes = {
        world.app.links.read_action(t).purpose
        for t in re.findall(r"/a/([\w.-]+)", composed(world, acme["call"]).text)
    }
    assert purposes == {"acknowledge", "contact", "hand_over"}


def test_the_office_gets_its_task_and_the_informed_get_no_duty(
    world: World, acme: dict[str, Letter]
) -> None:
    fix, informed = composed(world, acme["fix"]), composed(world, acme["informed"])
    assert "13 Mar 09:30" in fix.text  # its own deadline, a week after the customer wrote
    assert {
        world.app.links.read_action(t).purpose for t in re.findall(r"/a/([\w.-]+)", fix.text)
    } >= {"fixed"}
    assert "YOU are the caller" not in fix.text + informed.text
    assert "/a/" not in informed.text


def test_times_are_the_readers(world: World, acme: dict[str, Letter]) -> None:
    chicago = replace(acme["call"], recipient=acme["call"].view.staff.parties["lead_america"])
    mail = composed(world, chicago)
    assert mail.subject == "Call Acme Aerospace by Sat 7 Mar 02:30 - key account, NPS 2"
    assert "09:00–11:30 their time (02:00–04:30 yours)" in mail.text


# Headers


def test_the_headers_of_a_mail(world: World, acme: dict[str, Letter]) -> None:
    letter = acme["call"]
    message = parsed(composed(world, letter))
    assert list(message.keys()) == HEADERS
    assert message["From"] == "Customer alerts <alerts@example.com>"
    assert message["To"].addresses == (Address("Vera Sample", addr_spec="vp.sales@example.com"),)
    assert message["Message-ID"] == letter.message_id
    assert (
        message["Reply-To"] == "owner.north@example.com"
    )  # the account owner, whoever else is told
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == letter.view.now.replace(microsecond=0)
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]


def test_all_mails_of_a_case_are_one_thread_also_after_it_was_reopened(world: World) -> None:
    world.take(
        world.customer("NORDWIND", name="Nordwind", **GERMANY), world.survey("NORDWIND", score=2)
    )
    first = letters(world, "NORDWIND")
    world.reached("NORDWIND", "vp_sales")
    world.pass_time(hours=2)
    world.take(world.survey("NORDWIND", score=1))
    assert world.case("NORDWIND").cycle == 2
    mails = [
        composed(world, letter)
        for letter in (*first.values(), *letters(world, "NORDWIND").values())
    ]
    threads = {parsed(mail)["In-Reply-To"] for mail in mails}
    assert len(threads) == 1
    assert {parsed(mail)["References"] for mail in mails} == threads
    assert len({mail.message_id for mail in mails}) > 3
    assert threads.isdisjoint({mail.message_id for mail in mails})


def test_without_a_known_owner_there_is_nobody_to_reply_to(world: World) -> None:
    world.take(world.survey("A-STRANGER", score=2))
    message = parsed(composed(world, letters(world, "A-STRANGER")["call"]))
    assert "Reply-To" not in message
    assert message["To"].addresses[0].addr_spec == "service.desk@example.com"


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", " ".join(read_html(html).words)).replace(" ,", ",").replace("’", "'")


def test_no_key_and_no_address_is_readable_in_a_link(world: World, acme: dict[str, Letter]) -> None:
    mail = composed(world, acme["call"])
    secrets = [
        *world.app.secrets.link_keys,
        world.app.secrets.admin_token,
        *world.app.secrets.ingest_keys,
    ]
    for secret in secrets:
        assert secret not in mail.text + (mail.html or "")
    with world.app.ctx.db.read() as tx:
        assert tx.execute(select(case_file.c.customer_key)).first() is not None
    for token in re.findall(r"/a/([\w.-]+)", mail.text):
        assert "@" not in json.dumps(world.app.links.read_action(token).person)
