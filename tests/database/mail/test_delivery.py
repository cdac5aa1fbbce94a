"""Delivery: leases and refusals, by a real SMTP server."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.smtp import SmtpMailer, SmtpServer
from alerting.database.people import staff_facts
from alerting.database.tables import delivery, notification
from alerting.domain.mail.message import Outcome
from alerting.services.cases import acts
from alerting.services.mail.deliver import deliver_due
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.cases.work import RESOLUTIONS, do, with_file
from tests.support.mail.channels import post_with, send_by
from tests.support.mail.smtp_post import actions, over_smtp
from tests.support.world import World


def _statuses(world: World) -> dict[str, str]:
    return {row.recipient: row.status for row in world.rows(select(notification))}


def _outcomes(world: World) -> list[tuple[str, str | None]]:
    joined = delivery.join(notification, notification.c.id == delivery.c.notification_id)
    statement = (
        select(notification.c.recipient, delivery.c.outcome)
        .select_from(joined)
        .order_by(delivery.c.id)
    )
    return [(row.recipient, row.outcome) for row in world.rows(statement)]


def test_each_mail_is_sent_once_over_starttls_with_login(unhappy: World, smtp: Any) -> None:
    over_smtp(unhappy, smtp)
    unhappy.deliver()
    unhappy.deliver()
    assert sorted(m.rcpt_tos[0] for m in smtp.messages) == [
        "office.berlin@example.com",
        "owner.north@example.com",
        "vp.sales@example.com",
    ]
    assert set(_statuses(unhappy).values()) == {"sent"}
    assert actions(unhappy).count("notification.sent") == 3


def test_all_mails_of_a_case_hang_from_one_thread_and_none_asks_for_an_answer(
    unhappy: World, smtp: Any
) -> None:
    over_smtp(unhappy, smtp)
    unhappy.deliver()
    found = [m.email for m in smtp.messages]
    assert len({m["References"] for m in found}) == 1
    assert len({m["Message-ID"] for m in found}) == 3
    assert {m["Auto-Submitted"] for m in found} == {"auto-generated"}
    assert {m["Reply-To"] for m in found} == {"owner.north@example.com"}


def test_a_server_that_is_down_delays_and_nothing_is_lost_or_doubled(
    unhappy: World, smtp: Any
) -> None:
    over_smtp(unhappy, smtp)
    smtp.stop()
    unhappy.deliver()
    assert {outcome for _, outcome in _outcomes(unhappy)} == {"deferred"}
    unhappy.pass_time(minutes=10)
    smtp.start()
    unhappy.deliver()
    assert len(smtp.messages) == 3
    assert set(_statuses(unhappy).values()) == {"sent"}


def test_a_server_that_asks_to_wait_is_asked_again_later(unhappy: World, smtp: Any) -> None:
    over_smtp(unhappy, smtp)
    smtp.defer = True
    unhappy.deliver()
    assert deliver_due(unhappy.app.ctx, unhappy.app.post) == 0  # not at once
    smtp.defer = False
    unhappy.pass_time(minutes=10)
    unhappy.deliver()
    assert len(smtp.messages) == 3


def test_a_refused_address_passes_the_duty_to_the_next_responsible_and_the_audit_says_so(
    unhappy: World, smtp: Any
) -> None:
    over_smtp(unhappy, smtp)
    smtp.refuse["vp.sales@example.com"] = "550 no such user"
    unhappy.deliver()
    heir = next(m.email for m in smtp.messages if m.rcpt_tos[0] == "head.of.service@example.com")
    assert "Vera Sample could not be reached" in heir["Subject"]
    assert _statuses(unhappy)["vp_sales"] == "failed"
    assert "notification.refused" in actions(unhappy)


def test_a_wrong_address_brings_no_small_complaint_before_a_vice_president(
    small_world: World, smtp: Any
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey("KIOSK-7", score=2))
    over_smtp(small_world, smtp)
    for party in ("lead.central", "head.of.service"):
        smtp.refuse[f"{party}@example.com"] = "550 no such user"
    for _ in range(5):
        small_world.deliver()
    assert {m.rcpt_tos[0] for m in smtp.messages} == {"service.desk@example.com"}


def test_mail_to_somebody_who_has_left_goes_to_default_and_says_so(unhappy: World) -> None:
    with unhappy.app.ctx.db.write() as tx:
        staff = staff_facts.staff_at(tx, tx.now()).parties
        gone = staff_facts.import_people(
            tx, {name: p for name, p in staff.items() if name != "vp_sales"}, tx.now()
        )
    assert gone == ["vp_sales"]
    mails = {mail.to.split("<")[-1].rstrip(">"): mail for mail in unhappy.deliver()}
    assert "vp.sales@example.com" not in mails
    assert "vp_sales has left" in mails["service.desk@example.com"].text


def test_a_check_survey_whose_address_is_refused_goes_to_the_customers_next_contact(
    unhappy: World, smtp: Any
) -> None:
    activate_rulebook(
        unhappy.app.ctx, with_file("resolutions", RESOLUTIONS), {}, author="test", reason="a test"
    )
    contacts = [{"name": name, "email": f"{name}@acme.example"} for name in ("ada", "bob")]
    unhappy.take(unhappy.customer("ACME-AERO", contacts=contacts, time=unhappy.now().isoformat()))
    unhappy.reached("ACME-AERO", "vp_sales")
    do(unhappy, acts.Resolve(root_cause="seal", action="replaced"), by="office_berlin")
    unhappy.deliver()
    over_smtp(unhappy, smtp)
    unhappy.pass_time(days=2, hours=1)
    unhappy.tick()
    smtp.refuse["ada@acme.example"] = "550 no such user"
    unhappy.deliver()
    unhappy.deliver()
    readers = [to for message in smtp.messages for to in message.rcpt_tos]
    assert [to for to in readers if to.endswith("@acme.example")] == ["bob@acme.example"]


def test_when_everybody_refuses_it_ends_and_nothing_loops(unhappy: World, smtp: Any) -> None:
    over_smtp(unhappy, smtp)
    for party in (
        "vp.sales",
        "head.of.service",
        "ceo",
        "service.desk",
        "owner.north",
        "lead.central",
        "office.berlin",
    ):
        smtp.refuse[f"{party}@example.com"] = "550 no such user"
    for _ in range(10):
        unhappy.deliver()
    assert not smtp.messages
    assert set(_statuses(unhappy).values()) == {"failed"}
    assert len(_outcomes(unhappy)) < 20


def test_a_connection_lost_after_the_final_dot_is_not_sent_and_comes_again_under_the_same_id(
    unhappy: World, smtp: Any
) -> None:
    over_smtp(unhappy, smtp)
    smtp.drop_after_data = True
    deliver_due(unhappy.app.ctx, unhappy.app.post, limit=1)
    smtp.drop_after_data = False
    unhappy.pass_time(minutes=10)
    unhappy.deliver()
    ids = [m.email["Message-ID"] for m in smtp.messages]
    assert len(ids) == 4
    assert len(set(ids)) == 3


def test_wrong_credentials_delay_and_do_not_pass_the_duty_on(
    unhappy: World, start_smtp: Callable[..., Any]
) -> None:
    over_smtp(unhappy, start_smtp(security="starttls", login=("alerting", "another password")))
    unhappy.deliver()
    assert {outcome for _, outcome in _outcomes(unhappy)} == {"deferred"}
    assert set(_statuses(unhappy)) == {"vp_sales", "office_berlin", "owner_north"}


def test_a_certificate_nobody_vouches_for_is_not_trusted(unhappy: World, smtp: Any) -> None:
    server = SmtpServer(
        host=smtp.host, port=smtp.port, security="starttls", user="alerting", password="secret"
    )
    send_by(unhappy, SmtpMailer(server, 5.0))
    unhappy.deliver()
    assert not smtp.messages
    assert {outcome for _, outcome in _outcomes(unhappy)} == {"deferred"}


class _Recorder:
    """A mailer that stands for a process killed while it sends: what it was given, and then nothing
    is recorded.
    """

    def __init__(self) -> None:
        self.given: list[Mail] = []

    def send(self, mail: Mail) -> Outcome:
        self.given.append(mail)
        raise KeyboardInterrupt  # passes through everything, as kill -9 would


def test_an_expired_lease_is_taken_over_and_the_old_attempt_is_unknown(unhappy: World) -> None:
    killed = _Recorder()
    with pytest.raises(KeyboardInterrupt):
        deliver_due(unhappy.app.ctx, post_with(unhappy, mailer=killed), limit=1)
    while deliver_due(unhappy.app.ctx, unhappy.app.post):
        pass
    assert len(unhappy.mails()) == 2  # the lease still holds the third
    unhappy.pass_time(minutes=5)
    unhappy.deliver()
    assert len(unhappy.mails()) == 3
    first = killed.given[0]
    outcomes = [outcome for recipient, outcome in _outcomes(unhappy)]
    assert sorted(str(o) for o in outcomes) == ["sent", "sent", "sent", "unknown"]
    assert first.message_id.strip("<>") in {mail.name for mail in unhappy.mails()}


def test_a_notification_for_a_channel_nobody_has_keeps_no_other_from_going(unhappy: World) -> None:
    with unhappy.app.ctx.db.write() as tx:
        tx.execute(
            notification.update()
            .where(notification.c.recipient == "vp_sales")
            .values(channel="pigeon")
        )
    unhappy.deliver()
    statuses = _statuses(unhappy)
    assert statuses.pop("vp_sales") in {"pending", "failed"}
    assert set(statuses.values()) == {"sent"}
    with pytest.raises(LookupError, match=r"no channel 'pigeon'; known are email"):
        unhappy.app.post.channel("pigeon")
