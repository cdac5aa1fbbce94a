"""Mails of real cases: what they must say, and that no word of a customer becomes anything but a
word.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer
from sqlalchemy import select

from alerting.adapters.mail.email.filters import (
    call_hours,
    day_time,
    language_name,
    money,
    one_line,
    phone_uri,
)
from alerting.adapters.mail.email.mime import to_bytes
from alerting.adapters.mail.links import Links
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.database.people import staff_facts
from alerting.database.tables import case_file, notification
from alerting.domain.errors import ActionRefused
from alerting.domain.mail.notifications import Mail
from alerting.services.cases.case_view import case_view
from alerting.services.cases.respond import Ticket
from alerting.services.mail.letters import Letter, RenderError
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.builders import starter_files, starter_people, unhurried
from tests.support.world import GERMANY, World, make_world

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Reply-To",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]
ADA = {
    "name": "Ada Example",
    "role": "Head of Purchasing",
    "email": "ada@acme.example",
    "phone": "+49 30 5550199",
    "call_from": "09:00",
    "call_to": "11:30",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One installation for all of these tests; each has customers of its own."""
    made = make_world(tmp_path_factory.mktemp("mail"))
    yield made
    made.app.close()


def letters(world: World, key: str) -> dict[str, Letter]:
    """The newest mail of each kind that waits for this customer's case, as delivery would hand it
    to the composer.
    """
    ctx = world.app.ctx
    with ctx.db.read() as tx:
        book, staff = ctx.shelf.active(tx), staff_facts.staff_at(tx, tx.now())
        query = (
            select(notification)
            .where(notification.c.customer_key == key)
            .order_by(notification.c.id)
        )
        return {
            row.template: Letter(
                template=row.template,
                recipient=staff.parties[row.recipient],
                message_id=row.message_id,
                view=case_view(tx, book, row.case_id),
                data=row.data,
                rulebook=book,
            )
            for row in tx.execute(query).all()
        }


def composed(world: World, letter: Letter) -> Mail:
    return world.app.post.compose(letter)


def parsed(mail: Mail) -> EmailMessage:
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(to_bytes(mail))
    assert isinstance(message, EmailMessage)
    return message


@pytest.fixture(scope="module")
def acme(world: World) -> dict[str, Letter]:
    """A key account's case: two calls in vain, then a bad answer."""
    world.take(
        world.customer(
            "ACME-AERO",
            name="Acme Aerospace",
            revenue_with_us=1_240_000,
            owner="owner_north",
            renewal_date="2026-05-31",
            contacts=[ADA],
            **GERMANY,
        )
    )
    month_ago = (world.now() - timedelta(days=30)).isoformat()
    world.take(world.survey("ACME-AERO", score=9, comment="Splendid", time=month_ago))
    for hours_ago in (30, 20):
        time = (world.now() - timedelta(hours=hours_ago)).isoformat()
        world.take(world.call("ACME-AERO", topic="the pump", time=time))
    world.take(
        world.survey(
            "ACME-AERO",
            score=2,
            comment="It still leaks.",
            contact_me=True,
            respondent={"name": "Ada Example"},
        )
    )
    return letters(world, "ACME-AERO")


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


NASTY = st.one_of(
    st.text(min_size=1, max_size=60),
    st.lists(
        st.sampled_from(
            [
                "\r\n",
                "\n",
                "\r",
                "\0",
                "Bcc: eve@evil.example",
                "=?utf-8?q?",
                "=0D=0ABcc:_eve@evil.example",
                "?=",
                "=?",
                "?",
                "=",
                "\u202e",
                "\u2028",
                "\x85",
                "\x0b",
                "ä",
                "😀",
                ":",
                ",",
                "<",
                ">",
                '"',
                " ",
                "x" * 70,
            ]
        ),
        min_size=1,
        max_size=6,
    ).map("".join),
)
BCC = "Bcc: eve@evil.example"


def test_no_words_of_a_customer_add_or_change_a_header(world: World) -> None:
    number = iter(range(10_000))

    @settings(unhurried, max_examples=60)
    @given(name=NASTY, words=NASTY)
    @example(name=f"Acme\r\n{BCC}", words=f"x\r\n\r\n{BCC}")
    @example(name="=?utf-8?q?Acme=0D=0ABcc:_eve@evil.example?=", words="=?utf-8?b?QmNjOiBldmU=?=")
    @example(name="==??utf-8?q?=0ABcc:_eve@evil.example?=", words="=\0?utf-8?q?=0ABcc:x?=")
    @example(name="Acme\0\u202eevil", words="\u2028\u2029\x85\x1c")
    @example(name="é" * 400, words="x" * 500)
    def safe(name: str, words: str) -> None:
        key = f"NASTY-{next(number)}"
        contact = {
            "name": words[:400],
            "role": name[:400],
            "phone": words[:50],
            "email": name[:400],
        }
        world.take(
            world.customer(
                key, name=name[:400], language=words[:400], contacts=[contact], owner=words[:400]
            )
        )
        world.take(
            world.survey(
                key, score=1, comment=words, language=name[:400], respondent={"name": words[:400]}
            )
        )
        (letter,) = letters(world, key).values()
        for mail in (
            composed(world, letter),
            world.app.post.compose_plain(letter, RenderError("x: " + words)),
        ):
            message = parsed(mail)
            assert set(message.keys()) <= set(HEADERS) | {"Content-Transfer-Encoding"}
            assert len(set(message.keys())) == len(message.keys())
            assert [address.addr_spec for address in message["To"].addresses] == [
                "service.desk@example.com"
            ]
            assert not set(message["Subject"]) & set("\r\n\0\u202e\u2028")
            head = to_bytes(mail).split(b"\r\n\r\n")[0]
            assert not re.search(rb"(?im)^\s*bcc", head)

    safe()


def test_a_mail_with_a_header_of_its_own_making_does_not_leave() -> None:
    """The last line of defence, should a word slip through."""
    mail = Mail(
        message_id="<1@example.com>",
        sender="alerts@example.com",
        recipient="vp@example.com",
        recipient_name="VP",
        subject=f"Hello\r\n{BCC}",
        text="x",
        html=None,
        reply_to=None,
        in_reply_to=None,
        sent_at=datetime(2026, 3, 6, tzinfo=UTC),
    )
    with pytest.raises(ValueError, match=r"linefeed|header"):
        to_bytes(mail)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Acme\r\nBcc: eve", "Acme Bcc: eve"),
        ("=?utf-8?q?x?=", "= ?utf-8?q?x?="),
        ("==??x", "== ??x"),
        ("a\0b\x1b[31mc", "a b [31mc"),
        ("a\u202eb\u2066c\u2028d", "a b c d"),
        ("a\x85b\u3000c", "a b c"),
        ("  much   space\t\n", "much space"),
        ("Straße in 東京 😀", "Straße in 東京 😀"),
        ("x" * 300, "x" * 199 + "…"),
        (None, "None"),
    ],
)
def test_one_line(text: str | None, line: str) -> None:
    assert one_line(text) == line


@unhurried
@given(text=NASTY, limit=st.integers(2, 50))
def test_one_line_is_one_line_within_its_limit_and_stays_what_it_is(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert "=?" not in line
    assert one_line(line, limit) == line


# Bodies


class Tags(HTMLParser):
    """Everything a browser would take for an element, and the text around it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read_html(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", " ".join(read_html(html).words)).replace(" ,", ",").replace("’", "'")


def hostile(world: World, key: str, words: str) -> dict[str, Letter]:
    """Every field a customer or a CRM may fill, filled with the same words. Two calls, then a bad
    answer.
    """
    contact = {
        "name": f"N{words}",
        "role": f"R{words}",
        "email": f"E{words}",
        "phone": f"+49 30 1{words}",
    }
    state = {name: f"{name}{words}" for name in ("owner", "industry", "region", "city", "parent")}
    world.take(
        world.customer(
            key,
            name=f"C{words}",
            contacts=[contact],
            country="DE",
            revenue_with_us=900_000,
            **state,
        )
    )
    for outcome in ("unresolved", "escalated", "voicemail"):
        world.take(
            world.call(
                key,
                outcome,
                topic=f"T{words}",
                text=f"X{words}",
                agent=words,
                office=words,
                contact=words,
            )
        )
    world.take(
        world.survey(
            key,
            score=0,
            comment=f"S{words}",
            language=f"L{words}",
            contact_me=True,
            respondent={"name": f"N{words}", "email": f"E{words}", "phone": f"P{words}"},
        )
    )
    return letters(world, key)


def test_markup_in_a_customers_words_is_shown_and_not_obeyed(world: World) -> None:
    words = (
        '<script>alert(1)</script><img src=x onerror=y><a href="javascript:z" '
        "style='x'>&amp;\"'}}{{ v }}{% raw %}"
    )
    for template, letter in hostile(world, "MARKUP", words).items():
        mail = composed(world, letter)
        assert mail.html is not None
        page = read_html(mail.html)
        assert {tag for tag, _ in page.tags}.isdisjoint(
            {"script", "img", "iframe", "svg", "form"}
        ), template
        for tag, attributes in page.tags:
            assert not [name for name in attributes if name.startswith("on")], (template, tag)
            link = attributes.get("href") or ""
            assert link.startswith(("http://127.0.0.1:8080/", "tel:+", "mailto:")) or not link, link
        assert "<script>alert(1)</script>" in "".join(page.words), template
        assert "&amp;lt;" not in mail.html  # escaped once, not twice


def test_no_line_of_a_text_is_written_by_a_customer(world: World) -> None:
    """A line of one's own could pass for one of ours: `I'll call: http://evil.example`."""
    for template, letter in hostile(world, "LINES", "\r\n\nFORGED: http://evil.example\n").items():
        for mail in (
            composed(world, letter),
            world.app.post.compose_plain(letter, RenderError("it failed")),
        ):
            begins = [
                line.strip() for line in mail.text.splitlines() if line.strip().startswith("FORGED")
            ]
            assert begins == [], template
            assert "\n\n\n" not in mail.text


# When a template fails


def with_template(letter: Letter, **templates: str) -> Letter:
    """The same letter under a rulebook with other templates: `en_call_txt="..."`."""
    files = dict(starter_files())
    for name, text in templates.items():
        locale, template, ending = name.split("_", 2)
        files[f"templates/mail/{locale}/{template}.{ending.replace('_', '.')}"] = text
    return replace(letter, rulebook=build_rulebook(files))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{{ v.customer.state.no_such_thing }}", "UndefinedError"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ v.case.number + 1 }}", "TypeError"),
        ("{{ v.currency | money('EUR') }}", "InvalidOperation"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
    ],
)
def test_a_template_that_fails_still_leads_to_a_plain_mail(
    world: World, acme: dict[str, Letter], text: str, error: str
) -> None:
    broken = with_template(acme["call"], en_call_txt=text)
    with pytest.raises(RenderError, match=f"call.*{error}") as caught:
        composed(world, broken)
    plain = world.app.post.compose_plain(broken, caught.value)
    assert plain.subject == f"{broken.view.case.number}: Acme Aerospace - A key account is unhappy"
    for words in (
        "Caller: Vera Sample",
        "Fixer: Berlin office",
        "contact by Sat 7 Mar 09:30",
        "+49 30 5550199",
        error,
    ):
        assert words in plain.text
    purposes = {
        world.app.links.read_action(t).purpose for t in re.findall(r"/a/([\w.-]+)", plain.text)
    }
    assert purposes == {"acknowledge", "contact"}
    assert plain.html is None
    assert parsed(plain).get_content_type() == "text/plain"
    assert (plain.message_id, plain.in_reply_to) == (
        acme["call"].message_id,
        composed(world, acme["call"]).in_reply_to,
    )


@pytest.mark.parametrize(
    ("template", "purposes"),
    [("call", {"acknowledge", "contact"}), ("fix", {"fixed"}), ("informed", set())],
)
def test_a_plain_mail_offers_each_reader_only_what_is_theirs_to_do(
    world: World, acme: dict[str, Letter], template: str, purposes: set[str]
) -> None:
    plain = world.app.post.compose_plain(acme[template], RenderError("it failed"))
    found = {
        world.app.links.read_action(t).purpose for t in re.findall(r"/a/([\w.-]+)", plain.text)
    }
    assert found == purposes
    assert f"/cases/{acme[template].view.case.id}" in plain.text


@pytest.mark.parametrize(
    ("locale", "subject", "german_text"),
    [
        ("de", "Bitte anrufen", True),
        ("de-AT", "Bitte anrufen", True),
        ("fr", "Call Acme", False),
        ("en", "Call Acme", False),
    ],
)
def test_a_reader_without_templates_of_his_own_reads_english(
    world: World, acme: dict[str, Letter], locale: str, subject: str, german_text: bool
) -> None:
    german = with_template(
        acme["call"], de_call_subject_txt="Bitte anrufen", de_call_txt="Bitte heute noch."
    )
    letter = replace(german, recipient=german.recipient.model_copy(update={"locale": locale}))
    mail = composed(world, letter)
    assert mail.subject.startswith(subject)
    assert ("Bitte heute noch." in mail.text) is german_text
    assert "YOU are the caller" in (mail.html or "")  # what is missing in German comes in English


# Small words


@pytest.mark.parametrize(
    ("number", "uri"),
    [
        ("+49 30 5550199", "+49305550199"),
        ("(030) 555-0199", "0305550199"),
        (" +1 (312) 555 0100", "+13125550100"),
        ("+49 (0)30 1", "+49301"),
        ("030 5 x12", "0305"),
        ("on request", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_a_phone_link_holds_digits_only(number: str, uri: str) -> None:
    assert phone_uri(number) == uri


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (1_240_000, "1.2 million EUR"),
        (2_000_000, "2 million EUR"),
        (310_000, "310,000 EUR"),
        (0, "0 EUR"),
        (1234.9, "1,234 EUR"),
        (Decimal("10000000"), "10 million EUR"),
        (-1_500_000, "-1.5 million EUR"),
    ],
)
def test_money_is_read_at_a_glance(amount: Any, text: str) -> None:
    assert money(amount, "EUR") == text


def test_instants_are_shown_in_the_readers_zone_also_across_the_change_of_clocks() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert (
        day_time(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), berlin, with_zone=True)
        == "Sun 29 Mar 01:30 CET"
    )
    assert (
        day_time(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), berlin, with_zone=True)
        == "Sun 29 Mar 03:30 CEST"
    )


@pytest.mark.parametrize(
    ("contact", "zone", "text"),
    [
        ({"call_from": "09:00", "call_to": "11:30"}, "Europe/Berlin", "09:00–11:30 their time"),
        (
            {"call_from": "09:00", "call_to": "11:30"},
            "Asia/Tokyo",
            "09:00–11:30 their time (01:00–03:30 yours)",
        ),
        ({"call_from": "09:00", "call_to": "11:30"}, None, "09:00–11:30 their time"),
        ({"call_from": "09:00", "call_to": "11:30"}, "Mars/Olympus", "09:00–11:30 their time"),
        ({"call_from": "09:00", "call_to": "11:30"}, "../../etc/passwd", "09:00–11:30 their time"),
        ({"call_from": "09:00"}, "Europe/Berlin", None),
        ({}, "Europe/Berlin", None),
    ],
)
def test_calling_hours_are_theirs_and_ours(
    contact: dict[str, str], zone: str | None, text: str | None
) -> None:
    assert (
        call_hours(contact, zone, ZoneInfo("Europe/Berlin"), datetime(2026, 3, 6, 8, tzinfo=UTC))
        == text
    )


def test_languages_have_names() -> None:
    assert [
        language_name(code) for code in ("de", "pt-BR", "DE", "tlh", "x\nI'll call: http://evil")
    ] == ["German", "Portuguese", "German", "tlh", "x I'll call: http://evil"]


# Links


NEW, OLD = "new-key-0123456789", "old-key-0123456789"
TICKET = Ticket(case_id=7, person="vp_sales", assignment=2, cycle=1, purpose="contact")


def token_of(links: Links, ticket: Ticket = TICKET) -> str:
    return links.action(ticket).rsplit("/", 1)[-1]


@pytest.mark.parametrize("purpose", ["acknowledge", "contact", "hand_over", "fixed"])
def test_a_link_is_bound_to_case_person_assignment_cycle_and_purpose(purpose: Any) -> None:
    links = Links("https://alerts.example.com/", [NEW])
    ticket = replace(TICKET, purpose=purpose)
    assert links.action(ticket).startswith("https://alerts.example.com/a/")
    assert links.read_action(token_of(links, ticket)) == ticket
    others = [
        replace(ticket, case_id=8),
        replace(ticket, person="ceo"),
        replace(ticket, assignment=3),
        replace(ticket, cycle=2),
    ]
    assert len({token_of(links, other) for other in [ticket, *others]}) == 5


def test_a_token_changed_by_any_one_character_opens_nothing() -> None:
    links = Links("https://x", [NEW])
    token = token_of(links)
    for place in range(len(token) - 1):  # the last letter of base64 holds two bits nobody reads
        for letter in "Aa0_-.":
            if letter != token[place]:
                with pytest.raises(ActionRefused, match="incomplete or was changed"):
                    links.read_action(token[:place] + letter + token[place + 1 :])


@pytest.mark.parametrize("token", ["", ".", "x", "W10", "a.b.c", "ä", "\0", "x" * 10_000, "eyJ.x"])
def test_what_was_never_a_token_opens_nothing(token: str) -> None:
    with pytest.raises(ActionRefused):
        Links("https://x", [NEW]).read_action(token)


def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_opens() -> None:
    before, during, after = (
        Links("https://x", [OLD]),
        Links("https://x", [NEW, OLD]),
        Links("https://x", [NEW]),
    )
    assert during.read_action(token_of(before)) == TICKET
    assert after.read_action(token_of(during)) == TICKET
    for reader, token in ((after, token_of(before)), (before, token_of(during))):
        with pytest.raises(ActionRefused):
            reader.read_action(token)


def test_an_invitation_is_no_action_link_and_belongs_to_its_survey() -> None:
    links = Links("https://x", [NEW])
    link = links.invitation("relationship", "ACME", "Ada Example")
    token = link.split("?i=")[1]
    assert link.startswith("https://x/f/relationship?i=")
    assert links.read_invitation(token, "relationship") == ("ACME", "Ada Example")
    with pytest.raises(ActionRefused, match="belongs to another survey"):
        links.read_invitation(token, "other")
    with pytest.raises(ActionRefused):
        links.read_action(token)
    with pytest.raises(ActionRefused):
        links.read_invitation(token_of(links), "relationship")


@pytest.mark.parametrize(
    ("salt", "digest", "accepted"),
    [
        ("action link", hashlib.sha256, True),
        ("survey invitation", hashlib.sha256, False),
        ("action link", hashlib.sha1, False),
    ],
)
def test_a_signature_for_another_purpose_or_by_a_weak_hash_opens_nothing(
    salt: str, digest: Any, accepted: bool
) -> None:
    """The right key and the right content are not enough."""
    options = {"digest_method": digest, "key_derivation": "hmac"}
    token = URLSafeSerializer(NEW, salt=salt, signer_kwargs=options).dumps(
        [7, "vp_sales", 2, 1, "c"]
    )
    links = Links("https://x", [NEW])
    if accepted:
        assert links.read_action(str(token)) == TICKET
        return
    with pytest.raises(ActionRefused):
        links.read_action(str(token))


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


def test_a_reader_sees_conditions_rules_and_segments_in_the_own_language(
    small_world: World,
) -> None:
    words = """
conditions: {gave a negative answer: gab eine negative Antwort, is a key account: ist ein Schlüsselkunde}
rules: {key-account-unhappy: Ein Schlüsselkunde ist unzufrieden}
segments: {key: Schlüsselkunde}
"""  # noqa: E501
    files = {**starter_files(), "rules/words/de.yaml": words}
    people = {
        name: p.model_copy(update={"locale": "de-AT"})
        for name, p in starter_people().items()
        if name != "ceo"
    }
    activate_rulebook(
        small_world.app.ctx, files, {**starter_people(), **people}, author="test", reason="words"
    )
    small_world.known_customers()
    small_world.take(small_world.survey())
    by_reader = {mail.to.split("<")[-1].split("@")[0]: mail for mail in small_world.deliver()}
    assert "gab eine negative Antwort (" in by_reader["vp.sales"].text
    assert "Schlüsselkunde, NPS 2" in by_reader["vp.sales"].subject
    assert by_reader["owner.north"].subject.startswith(
        "For information: Acme Aerospace: Ein Schlüsselkunde ist unzuf"
    )
    assert "gave a negative answer" not in by_reader["vp.sales"].text
