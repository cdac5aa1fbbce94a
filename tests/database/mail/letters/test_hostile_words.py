"""No word of a customer becomes anything but a word."""

import re

from hypothesis import example, given, settings

from alerting.adapters.mail.email.mime import to_bytes
from alerting.services.mail.letters import Letter, RenderError
from tests.support.builders import unhurried
from tests.support.mail.channels import composer_of
from tests.support.mail.letters import BCC, HEADERS, NASTY, composed, letters, parsed, read_html
from tests.support.world import World


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
            composer_of(world).compose_plain(letter, RenderError("x: " + words)),
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
            composer_of(world).compose_plain(letter, RenderError("it failed")),
        ):
            begins = [
                line.strip() for line in mail.text.splitlines() if line.strip().startswith("FORGED")
            ]
            assert begins == [], template
            assert "\n\n\n" not in mail.text
