"""What holds after a fault, read from the database and the mail server."""

from tests.support.system.installation import Installation
from tests.support.system.mails import message_ids, sent_twice


def assert_nothing_lost_or_sent_twice(place: Installation, events: list[str]) -> None:
    """Every event is stored, every customer has one unresolved case, every notification's mail was
    accepted.

    And none twice, but for those with an attempt on record as `unknown`: the documented doubt.
    """
    stored = {row["id"] for row in place.sql("SELECT id FROM event")}
    assert [i for i in events if i not in stored] == [], "events are lost"
    cases = place.sql("SELECT customer_key FROM case_file WHERE status <> 'resolved'")
    assert len({row["customer_key"] for row in cases}) == len(cases)
    notes = place.sql("SELECT message_id, status, reason FROM notification")
    assert [row for row in notes if row["status"] != "sent"] == []
    assert set(message_ids(place.smtp.messages)) == {row["message_id"] for row in notes}
    doubtful = {row["message_id"] for row in place.sql(DOUBTFUL)}
    assert set(sent_twice(place.smtp.messages)) <= doubtful
    assert place.count("position_gap") == 0


DOUBTFUL = """
    SELECT message_id FROM notification JOIN delivery ON delivery.notification_id = notification.id
    WHERE delivery.outcome = 'unknown'
"""


def attempts_about(place: Installation, customer: str) -> list[tuple[str, int | None]]:
    """(outcome, code) of every attempt to send a mail about a customer."""
    attempts = place.sql(
        "SELECT outcome, code FROM delivery JOIN notification ON notification.id = notification_id"
        " WHERE customer_key = %s ORDER BY n",
        customer,
    )
    return [(row["outcome"], row["code"]) for row in attempts] or [("none yet", None)]
