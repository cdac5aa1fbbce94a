"""Delivery: leases, refusals, templates that fail, sends that are held; by a real SMTP server and a
real mailbox.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from alerting.adapters.mail.email.smtp import SmtpMailer, SmtpServer
from alerting.database import instance
from alerting.database.audit import audit_entries
from alerting.database.people import staff_facts
from alerting.database.tables import audit_entry, delivery, notification
from alerting.domain.mail.message import Mail, Outcome
from alerting.services.cases import acts
from alerting.services.mail.deliver import deliver_due, hold_sends
from alerting.services.rulebook.activation import activate_rulebook
from tests.database.cases.test_case_work import RESOLUTIONS, do, with_file
from tests.support.world import World, recipients


@pytest.fixture
def unhappy(world: World) -> World:
    """The key account's complaint is in, its three mails wait."""
    world.known_customers()
    world.take(world.survey(score=2))
    return world


def _over_smtp(world: World, smtp: Any) -> None:
    server = SmtpServer(
        host=smtp.host,
        port=smtp.port,
        security="starttls",
        user="alerting",
        password="secret",
        ca_file=str(smtp.certificate.ca_file),
    )
    object.__setattr__(world.app, "post", replace(world.app.post, mailer=SmtpMailer(server, 5.0)))


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


def _actions(world: World) -> list[str]:
    return [
        row.action for row in world.rows(select(audit_entry.c.action).order_by(audit_entry.c.id))
    ]


def test_each_mail_is_sent_once_over_starttls_with_login(unhappy: World, smtp: Any) -> None:
    _over_smtp(unhappy, smtp)
    unhappy.deliver()
    unhappy.deliver()
    assert sorted(m.rcpt_tos[0] for m in smtp.messages) == [
        "office.berlin@example.com",
        "owner.north@example.com",
        "vp.sales@example.com",
    ]
    assert set(_statuses(unhappy).values()) == {"sent"}
    assert _actions(unhappy).count("notification.sent") == 3


def test_all_mails_of_a_case_hang_from_one_thread_and_none_asks_for_an_answer(
    unhappy: World, smtp: Any
) -> None:
    _over_smtp(unhappy, smtp)
    unhappy.deliver()
    found = [m.email for m in smtp.messages]
    assert len({m["References"] for m in found}) == 1
    assert len({m["Message-ID"] for m in found}) == 3
    assert {m["Auto-Submitted"] for m in found} == {"auto-generated"}
    assert {m["Reply-To"] for m in found} == {"owner.north@example.com"}


def test_a_server_that_is_down_delays_and_nothing_is_lost_or_doubled(
    unhappy: World, smtp: Any
) -> None:
    _over_smtp(unhappy, smtp)
    smtp.stop()
    unhappy.deliver()
    assert {outcome for _, outcome in _outcomes(unhappy)} == {"deferred"}
    unhappy.pass_time(minutes=10)
    smtp.start()
    unhappy.deliver()
    assert len(smtp.messages) == 3
    assert set(_statuses(unhappy).values()) == {"sent"}


def test_a_server_that_asks_to_wait_is_asked_again_later(unhappy: World, smtp: Any) -> None:
    _over_smtp(unhappy, smtp)
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
    _over_smtp(unhappy, smtp)
    smtp.refuse["vp.sales@example.com"] = "550 no such user"
    unhappy.deliver()
    heir = next(m.email for m in smtp.messages if m.rcpt_tos[0] == "head.of.service@example.com")
    assert "Vera Sample could not be reached" in heir["Subject"]
    assert _statuses(unhappy)["vp_sales"] == "failed"
    assert "notification.refused" in _actions(unhappy)


def test_a_wrong_address_brings_no_small_complaint_before_a_vice_president(
    small_world: World, smtp: Any
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey("KIOSK-7", score=2))
    _over_smtp(small_world, smtp)
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
    _over_smtp(unhappy, smtp)
    unhappy.pass_time(days=2, hours=1)
    unhappy.tick()
    smtp.refuse["ada@acme.example"] = "550 no such user"
    unhappy.deliver()
    unhappy.deliver()
    assert [to for m in smtp.messages for to in m.rcpt_tos if to.endswith("@acme.example")] == [
        "bob@acme.example"
    ]


def test_when_everybody_refuses_it_ends_and_nothing_loops(unhappy: World, smtp: Any) -> None:
    _over_smtp(unhappy, smtp)
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
    _over_smtp(unhappy, smtp)
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
    _over_smtp(unhappy, start_smtp(security="starttls", login=("alerting", "another password")))
    unhappy.deliver()
    assert {outcome for _, outcome in _outcomes(unhappy)} == {"deferred"}
    assert set(_statuses(unhappy)) == {"vp_sales", "office_berlin", "owner_north"}


def test_a_certificate_nobody_vouches_for_is_not_trusted(unhappy: World, smtp: Any) -> None:
    server = SmtpServer(
        host=smtp.host, port=smtp.port, security="starttls", user="alerting", password="secret"
    )
    object.__setattr__(
        unhappy.app, "post", replace(unhappy.app.post, mailer=SmtpMailer(server, 5.0))
    )
    unhappy.deliver()
    assert not smtp.messages
    assert {outcome for _, outcome in _outcomes(unhappy)} == {"deferred"}


def _break_template(world: World, name: str, text: str) -> None:
    with world.app.ctx.db.read() as tx:
        files = dict(world.app.ctx.shelf.active(tx).files)
    files[f"templates/mail/en/{name}"] = text
    activate_rulebook(world.app.ctx, files, {}, author="test", reason="a template that fails")


def test_a_template_that_fails_still_reaches_its_reader_plainly_and_the_audit_says_so(
    unhappy: World,
) -> None:
    _break_template(unhappy, "call.html", "{{ v.customer.state.no_such_thing.at_all }}")
    mails = unhappy.deliver()
    plain = next(mail for mail in mails if "vp.sales" in mail.to)
    assert "Acme Aerospace" in plain.subject
    assert "/a/" in plain.text
    assert "template failed" in plain.text
    assert recipients(mails) == ["office.berlin", "owner.north", "vp.sales"]
    assert "template.failed" in _actions(unhappy)


def test_held_sends_wait_and_go_out_when_released(unhappy: World) -> None:
    hold_sends(unhappy.app.ctx, "moving house", "tester")
    assert unhappy.deliver() == []
    with unhappy.app.ctx.db.read() as tx:
        assert instance.hold_reason(tx) == "moving house"
    hold_sends(unhappy.app.ctx, None, "tester")
    assert len(unhappy.deliver()) == 3
    assert [a for a in _actions(unhappy) if a.startswith("sending.")] == [
        "sending.held",
        "sending.released",
    ]


def test_a_mail_whose_reason_has_gone_is_not_sent_and_the_reason_is_kept(unhappy: World) -> None:
    unhappy.reached("ACME-AERO", by="vp_sales")
    mails = unhappy.deliver()
    assert "vp.sales" not in recipients(mails)
    (row,) = unhappy.rows(
        select(notification).where(
            notification.c.recipient == "vp_sales", notification.c.template == "call"
        )
    )
    assert (row.status, row.reason) == ("skipped", "the customer has been reached")
    assert "no_notification_sent" in _actions(unhappy)


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
        deliver_due(unhappy.app.ctx, replace(unhappy.app.post, mailer=killed), limit=1)
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


def test_a_notification_that_cannot_be_prepared_does_not_keep_the_others_waiting(
    unhappy: World,
) -> None:
    with unhappy.app.ctx.db.write() as tx:
        tx.execute(
            update(notification)
            .where(notification.c.recipient == "vp_sales")
            .values(template="reminder", data={})
        )
    assert recipients(unhappy.deliver()) == ["office.berlin", "owner.north"]
    (row,) = unhappy.rows(select(notification).where(notification.c.recipient == "vp_sales"))
    assert row.status == "pending"
    assert "KeyError" in row.reason


def test_personal_words_stand_beside_the_audit_and_the_entry_holds_a_keyed_commitment(
    unhappy: World,
) -> None:
    (raised,) = unhappy.rows(select(audit_entry).where(audit_entry.c.action == "alert.raised"))
    assert b"leaks" not in bytes(raised.body)
    with unhappy.app.ctx.db.read() as tx:
        (entry,) = audit_entries.entries_of(tx, "alert", raised.subject_id)
        key = tx.execute(select(audit_entries.personal_key.c.key)).scalar_one()
    assert entry.personal_values == {"comment": "It still leaks."}
    assert entry.commitments == {
        "comment": audit_entries.commitment(bytes(key), "comment", "It still leaks.")
    }


def test_the_mailbox_folder_keeps_one_file_a_mail_however_often_it_is_sent(
    small_world: World, tmp_path: Path
) -> None:
    small_world.known_customers()
    small_world.take(small_world.survey(score=2))
    small_world.deliver()
    with small_world.app.ctx.db.write() as tx:
        tx.execute(
            update(notification).values(
                status="pending", not_before=tx.now() - timedelta(seconds=1)
            )
        )
    small_world.deliver()
    assert len(small_world.mails()) == 3
