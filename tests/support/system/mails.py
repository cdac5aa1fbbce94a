"""Accepted mails, told and counted."""

from collections import Counter
from collections.abc import Sequence

from tests.support.services.smtp import Accepted


def message_ids(mails: Sequence[Accepted]) -> Counter[str]:
    """How often each Message-ID was accepted."""
    return Counter(str(mail.email["Message-ID"]) for mail in mails)


def sent_twice(mails: Sequence[Accepted]) -> dict[str, int]:
    return {message_id: times for message_id, times in message_ids(mails).items() if times > 1}


def told(mails: Sequence[Accepted]) -> list[tuple[str, str]]:
    """Who was told what, sorted: (`service.desk`, first words of the subject)."""
    return sorted((mail.rcpt_tos[0].split("@")[0], str(mail.email["Subject"])) for mail in mails)
