"""Customer words are untrusted: whatever they hold, a mail keeps its own headers and its own
markup.
"""

from datetime import UTC, datetime
from email import policy
from email.parser import BytesParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerting.adapters.mail.email.filters import one_line
from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.mime import to_bytes
from alerting.adapters.mail.links import Links
from alerting.domain.errors import ActionRefused
from alerting.services.cases.respond import Ticket
from tests.support.builders import unhurried

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


@unhurried
@given(words=st.text(max_size=200))
@example(words="Hello\r\nBcc: everybody@example.com")
@example(words="=?utf-8?q?hi=0D=0ABcc:_victim@example.com?=")
@example(words="a\u2028b\u202ec\x00d")
def test_no_text_becomes_a_header(words: str) -> None:
    mail = Mail(
        message_id="<1@example.com>",
        sender="Alerts <alerts@example.com>",
        recipient="vp@example.com",
        recipient_name=one_line(words),
        subject=one_line(f"Call {words}"),
        text=words.replace("\x00", ""),
        html=None,
        reply_to="owner@example.com",
        in_reply_to="<case-1@example.com>",
        sent_at=datetime(2026, 3, 6, tzinfo=UTC),
    )
    try:
        raw = to_bytes(mail)
    except ValueError:
        return  # refused whole is safe, too; it is recorded as such
    parsed = BytesParser(policy=policy.default).parsebytes(raw)
    assert {name.lower() for name in parsed} <= {name.lower() for name in HEADERS} | {
        "content-transfer-encoding"
    }
    assert parsed["To"].addresses[0].addr_spec == "vp@example.com"
    assert len(parsed["To"].addresses) == 1


KEYS = ["newest-key-0123456789", "older-key-0123456789"]


TICKET = Ticket(case_id=7, person="vp_sales", assignment=2, cycle=1, purpose="contact")


def _token(links: Links, ticket: Ticket = TICKET) -> str:
    return links.action(ticket).rsplit("/", 1)[1]


def test_a_link_says_what_it_was_made_for_and_old_keys_still_open_it() -> None:
    links = Links("https://alerts.example.com/", KEYS)
    assert links.read_action(_token(links)) == TICKET
    assert links.read_action(_token(Links("https://x", KEYS[1:]))) == TICKET
    with pytest.raises(ActionRefused):
        Links("https://x", KEYS[1:]).read_action(_token(links))  # the newest key signs


@given(place=st.integers(0, 60), letter=st.sampled_from("abcXYZ019_-"))
def test_a_link_changed_by_one_letter_opens_nothing_else(place: int, letter: str) -> None:
    links = Links("https://x", KEYS)
    token = _token(links)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    try:
        assert (
            links.read_action(changed) == TICKET
        )  # the last letter of base64 may hold unused bits
    except ActionRefused:
        assert changed != token


def test_a_survey_invitation_is_no_action_link() -> None:
    links = Links("https://x", KEYS)
    with pytest.raises(ActionRefused):
        links.read_action(links.invitation("relationship", "ACME").split("i=")[1])
