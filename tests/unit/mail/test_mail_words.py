"""The small words of a mail: one line, phone links, money, times, calling hours, languages."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.adapters.mail.email.filters import (
    call_hours,
    day_time,
    language_name,
    money,
    one_line,
    phone_uri,
)
from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.mime import to_bytes
from tests.support.builders import unhurried
from tests.support.mail.letters import BCC, NASTY


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
