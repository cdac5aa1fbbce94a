"""Senders that die or stand still, and templates that fail."""

import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.faults import assert_nothing_lost_or_sent_twice, attempts_about
from tests.support.services.smtp import SmtpServer
from tests.support.system.installer import Installer
from tests.support.system.mails import message_ids
from tests.support.system.roles import Role, wait_until

pytestmark = pytest.mark.apache_kafka


# Templates


def test_templates_that_fail_at_render_end_in_plain_mails_and_audit_entries(
    install: Installer,
) -> None:
    def break_templates(folder: Path) -> None:
        mails = folder / "templates/mail/en"
        broken = {
            "call.txt": "{{ v.customer.state.nothing.like.this }}",
            "fix.txt": "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
            "informed.subject.txt": "{{ 1 // 0 }}",
        }
        for name, words in broken.items():
            (mails / name).write_text((mails / name).read_text() + words)

    place = install(edit=break_templates)
    place.run("consume", "deliver")
    place.customer(
        "ACME-AERO",
        name="Acme Aerospace",
        country="DE",
        owner="owner_north",
        revenue_with_us=1_000_000,
    )
    place.flush()
    place.wait_for_events(1)
    place.survey("ACME-AERO", comment="{{ 1/0 }} <b>")
    place.flush()
    mails = place.smtp.wait_for(3, 30)
    place.wait_for_sent(3)
    assert sorted(mail.rcpt_tos[0].split("@")[0] for mail in mails) == [
        "office.berlin",
        "owner.north",
        "vp.sales",
    ]
    for mail in mails:
        assert "This mail is plain because its template failed (" in mail.email.get_content()
    (call_her,) = [
        mail.email.get_content() for mail in mails if mail.rcpt_tos == ("vp.sales@example.com",)
    ]
    assert "/a/" in call_her, "the caller can act from the plain mail, too"
    assert place.count("audit_entry", "action = 'template.failed'") == 3


# Senders that die or stand still


class KillingServer(SmtpServer):
    """Kills the sender after it has accepted the first message, before it says so."""

    victim: Role | None = None

    def record(self, envelope: Any) -> None:
        super().record(envelope)
        if self.victim is not None:
            victim, self.victim = self.victim, None
            victim.kill()


def test_a_sender_killed_between_acceptance_and_record_is_the_documented_doubt(
    install: Installer,
) -> None:
    place = install(smtp=KillingServer)
    assert isinstance(place.smtp, KillingServer)
    place.run("consume")
    place.smtp.victim = place.run("deliver")
    events = [place.survey(f"doubt-{number}") for number in range(8)]
    place.flush()
    place.smtp.wait_for(1, 20)
    wait_until(lambda: place.count("notification") == 8)
    place.run("deliver")
    place.wait_for_sent(8)
    assert 2 in message_ids(place.smtp.messages).values()
    assert_nothing_lost_or_sent_twice(place, events)


class FreezingRefusals(dict[str, str]):
    """Asked about the first recipient, stop the sender's process, and defer that attempt."""

    victim: Role | None = None

    def get(self, address: str, default: Any = None) -> Any:
        if self.victim is None:
            return default
        victim, self.victim = self.victim, None
        victim.pause()
        return "451 4.7.1 Try again later"


def test_a_sender_that_stood_still_past_its_lease_does_not_undo_what_another_did(
    install: Installer,
) -> None:
    place = install()
    frozen = place.run("deliver")
    place.run("consume")
    place.smtp.refuse = refusals = FreezingRefusals()
    refusals.victim = frozen
    events = [place.survey("frozen")]
    place.flush()
    wait_until(lambda: refusals.victim is None)
    place.run("deliver")
    place.wait_for_sent(1)
    frozen.resume()
    wait_until(lambda: frozen.said("attempt ended"))
    time.sleep(0.5)
    assert attempts_about(place, "frozen")[-1] == ("sent", 250)
    assert place.count("notification", "status = 'sent'") == 1
    assert_nothing_lost_or_sent_twice(place, events)
