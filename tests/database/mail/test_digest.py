"""Digests: the first mail at once, what follows within the reader's time as one, and nothing urgent
ever late.
"""

from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import select

from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.mime import to_bytes
from alerting.adapters.mail.email.notices import AnyComposer
from alerting.bootstrap import App
from alerting.database.people import staff_facts
from alerting.database.tables import audit_entry, delivery, digest, notification
from alerting.domain.mail.message import Outcome
from alerting.services.mail.letters import AnyMail, RenderError
from tests.support.mail.channels import composer_of, post_with, send_by
from tests.support.world import BEGIN, World, recipients

SMALL = ("KIOSK-7", "KIOSK-8", "KIOSK-9")


@pytest.fixture
def patient(world: World) -> World:
    """The office of the small customers' caller, lead_central, gathers mails for two hours."""
    world.known_customers()
    world.take(
        *(
            world.customer(key, name=f"Kiosk {key[-1]}", revenue_with_us=900, owner="lead_central")
            for key in SMALL
        )
    )
    with_digest(world.app, lead_central="2h")
    return world


def with_digest(app: App, **pauses: str | None) -> None:
    with app.ctx.db.write() as tx:
        staff = staff_facts.staff_at(tx, tx.now()).parties
        changed = {
            name: p.model_copy(update={"digest": pauses.get(name, p.digest)})
            for name, p in staff.items()
        }
        staff_facts.import_people(tx, changed, tx.now())


def complain(world: World, *customers: str) -> None:
    world.take(*(world.survey(key, score=3, comment=f"{key} leaks.") for key in customers))


def to_lead(mails: Any) -> list[Any]:
    return [mail for mail in mails if "lead.central" in mail.to]


def test_the_first_comes_at_once_and_what_follows_within_two_hours_comes_as_one(
    patient: World,
) -> None:
    complain(patient, "KIOSK-7")
    assert [mail.subject[:14] for mail in to_lead(patient.deliver())] == ["Call Kiosk 7 b"]
    patient.pass_time(minutes=30)
    complain(patient, "KIOSK-8", "KIOSK-9")
    assert to_lead(patient.deliver()) == []
    patient.pass_time(minutes=89)
    assert to_lead(patient.deliver()) == []
    patient.pass_time(minutes=2)
    (mail,) = to_lead(patient.deliver())
    assert mail.subject == "2 to call: Kiosk 8, Kiosk 9"
    assert all(
        words in mail.text
        for words in ("KIOSK-8 leaks.", "KIOSK-9 leaks.", "gave a negative answer")
    )
    assert mail.text.count("/a/") == 6  # each of both can be answered by three links
    patient.pass_time(hours=12)
    assert to_lead(patient.deliver()) == []


def test_a_digest_of_one_is_the_mail_itself_and_the_pause_begins_anew(patient: World) -> None:
    complain(patient, "KIOSK-7")
    patient.deliver()
    complain(patient, "KIOSK-8")
    patient.pass_time(hours=2, minutes=1)
    assert [mail.subject[:13] for mail in to_lead(patient.deliver())] == ["Call Kiosk 8 "]
    complain(patient, "KIOSK-9")
    assert to_lead(patient.deliver()) == []


def test_several_that_wait_when_nothing_was_sent_yet_come_as_one(patient: World) -> None:
    complain(patient, *SMALL)
    (mail,) = to_lead(patient.deliver())
    assert mail.subject.startswith("3 to call: ")


def test_what_is_critical_never_waits(patient: World) -> None:
    with_digest(patient.app, vp_sales="1d")
    patient.take(patient.survey("ACME-AERO"))
    assert "vp.sales" in recipients(patient.deliver())
    patient.take(patient.survey("ACME-AERO", score=1))
    assert "vp.sales" in recipients(patient.deliver())


def test_each_wait_is_on_record_with_its_reason(patient: World) -> None:
    complain(patient, "KIOSK-7")
    patient.deliver()
    complain(patient, "KIOSK-8")
    patient.deliver()
    (waiting,) = patient.rows(select(notification).where(notification.c.status == "pending"))
    assert waiting.reason.startswith("for the digest at 2026-03-06T10:30")
    assert timedelta(0) <= waiting.not_before - BEGIN - timedelta(hours=2) < timedelta(minutes=1)
    assert [row.action for row in patient.rows(select(audit_entry))].count(
        "notification.batched"
    ) == 1


def test_a_retry_may_drop_members_and_never_adds(patient: World) -> None:
    complain(patient, *SMALL)
    answers = [Outcome(kind="deferred", detail="451 later", code=451)]
    sent: list[Mail] = []
    server_of(patient, sent, answers)
    patient.deliver()
    assert [mail.subject for mail in sent] == ["3 to call: Kiosk 7, Kiosk 8, Kiosk 9"]
    patient.reached("KIOSK-8", "lead_central")
    patient.take(
        patient.customer("KIOSK-10", name="Kiosk 10", revenue_with_us=1, owner="lead_central")
    )
    complain(patient, "KIOSK-10")
    patient.pass_time(minutes=10)
    patient.deliver()
    assert [mail.subject for mail in sent if "lead.central" in mail.recipient][1:] == [
        "2 to call: Kiosk 7, Kiosk 9"
    ]
    assert sent[0].message_id == sent[-1].message_id
    assert len(patient.rows(select(digest))) == 1
    statuses = [
        row.status for row in patient.rows(select(notification).order_by(notification.c.id))
    ]
    assert statuses[:4] == ["sent", "skipped", "sent", "pending"]


def test_a_refused_digest_passes_each_duty_on_by_itself(patient: World) -> None:
    complain(patient, "KIOSK-7", "KIOSK-8")
    sent: list[Mail] = []
    server_of(patient, sent, [Outcome(kind="refused", detail="550 no such user", code=550)])
    patient.deliver()
    assert [mail.recipient for mail in sent[1:]] == ["head.of.service@example.com"] * 2
    assert {row.outcome for row in patient.rows(select(delivery))} == {"refused", "sent"}


def test_a_digest_whose_template_fails_still_says_everything_plainly(patient: World) -> None:
    complain(patient, "KIOSK-7", "KIOSK-8")

    class Failing(AnyComposer):
        def compose(self, letter: AnyMail) -> Mail:
            raise RenderError("digest line 3: it failed")

    own = composer_of(patient)
    failing = Failing(own._composer, own._sender, own._links)
    object.__setattr__(patient.app, "post", post_with(patient, composer=failing))
    (mail,) = to_lead(patient.deliver())
    assert "Kiosk 7 is unhappy" in mail.text and "Kiosk 8 is unhappy" in mail.text
    assert mail.text.count("/a/") == 4 and "its template failed" in mail.text


def test_a_digest_reads_as_mail_and_hangs_from_no_single_case(patient: World) -> None:
    complain(patient, "KIOSK-7", "KIOSK-8")
    sent: list[Mail] = []
    server_of(patient, sent, [])
    patient.deliver()
    mail = next(mail for mail in sent if "lead.central" in mail.recipient)
    raw = message_from_bytes(to_bytes(mail), policy=policy.default)
    assert raw["In-Reply-To"] is None and raw["Reply-To"] == "lead.central@example.com"
    assert raw["Message-ID"] == f"<{mail.message_id[1:-1]}>" and raw.is_multipart()


def test_whoever_reads_everything_at_once_is_not_kept_waiting(patient: World) -> None:
    with_digest(patient.app, lead_central=None)
    complain(patient, "KIOSK-7")
    assert len(to_lead(patient.deliver())) == 1
    complain(patient, "KIOSK-8")
    assert len(to_lead(patient.deliver())) == 1


def test_a_digest_that_would_fall_into_the_quiet_hours_holds_nothing_past_its_promise(
    patient: World,
) -> None:
    with patient.app.ctx.db.write() as tx:
        people = staff_facts.staff_at(tx, tx.now()).parties
        asleep = {
            "lead_central": people["lead_central"].model_copy(
                update={"quiet_hours": "10:00-06:00", "digest": "2h"}
            )
        }
        staff_facts.import_people(tx, {**people, **asleep}, tx.now())
    complain(patient, "KIOSK-7")
    assert (
        len(to_lead(patient.deliver())) == 1
    )  # at 09:30 in Berlin; a digest at 11:30 would be read at 06:00
    patient.pass_time(minutes=10)
    late = (patient.now() - timedelta(days=2, hours=1)).isoformat()
    patient.take(
        patient.survey("KIOSK-8", score=3, time=late)
    )  # to be called within 23 hours, 20 of which would be gone
    assert [mail.subject[:13] for mail in to_lead(patient.deliver())] == ["Call Kiosk 8 "]


def test_a_customer_who_complains_twice_stands_once_in_the_digest_with_both_complaints(
    patient: World,
) -> None:
    patient.take(patient.survey("KIOSK-7", score=3, comment="First words."))
    patient.take(
        patient.survey("KIOSK-7", score=3, comment="Second words."),
        patient.survey("KIOSK-8", score=3),
    )
    (mail,) = to_lead(patient.deliver())
    assert mail.subject == "2 to call: Kiosk 7, Kiosk 8"
    assert mail.text.count("First words.") == mail.text.count("Second words.") == 1


def test_a_mail_that_cannot_be_prepared_does_not_keep_the_rest_of_the_digest(
    patient: World,
) -> None:
    complain(patient, *SMALL)
    with patient.app.ctx.db.write() as tx:
        broken = tx.execute(select(notification.c.id).order_by(notification.c.id)).scalars().first()
        tx.execute(
            notification.update()
            .where(notification.c.id == broken)
            .values(template="reminder", data={})
        )
    mails = to_lead(patient.deliver())
    assert [mail.subject for mail in mails] == ["2 to call: Kiosk 8, Kiosk 9"]


def server_of(world: World, sent: list[Mail], answers: list[Outcome]) -> None:
    """A mail server that gives these answers to what lead_central gets, and then takes
    everything.
    """

    class Server:
        def send(self, mail: Mail) -> Outcome:
            sent.append(mail)
            return (
                answers.pop(0)
                if answers and "lead.central" in mail.recipient
                else Outcome(kind="sent", detail="250")
            )

    send_by(world, Server())
