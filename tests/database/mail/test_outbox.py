"""What waits to be sent: held, gone, prepared in vain, kept beside the audit."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from alerting.database import instance
from alerting.database.audit import audit_entries
from alerting.database.tables import audit_entry, notification
from alerting.services.mail.deliver import hold_sends
from alerting.services.rulebook.activation import activate_rulebook
from tests.support.mail.smtp_post import actions
from tests.support.world import World, recipients


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
    assert "template.failed" in actions(unhappy)


def test_held_sends_wait_and_go_out_when_released(unhappy: World) -> None:
    hold_sends(unhappy.app.ctx, "moving house", "tester")
    assert unhappy.deliver() == []
    with unhappy.app.ctx.db.read() as tx:
        assert instance.hold_reason(tx) == "moving house"
    hold_sends(unhappy.app.ctx, None, "tester")
    assert len(unhappy.deliver()) == 3
    assert [a for a in actions(unhappy) if a.startswith("sending.")] == [
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
    assert "no_notification_sent" in actions(unhappy)


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
