"""Mails about no case: notices in plain text, and the weekly list of open promises."""

from alerting.adapters.mail.email.filters import day_time, one_line
from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.templates import Composer
from alerting.adapters.mail.links import Links
from alerting.services.mail.letters import AnyMail, Notice, RenderError, WeeklyLetter


class AnyComposer:
    """Letters go to the templates, notices are written as they are."""

    def __init__(self, composer: Composer, sender: str, links: Links) -> None:
        self._composer = composer
        self._sender = sender
        self._links = links

    def compose(self, letter: AnyMail) -> Mail:
        """Raises RenderError for a letter whose template fails."""
        if isinstance(letter, WeeklyLetter):
            return self._weekly(
                letter, *self._composer.rendered(letter, "weekly", lambda: self._facts(letter))
            )
        return (
            self._notice(letter) if isinstance(letter, Notice) else self._composer.compose(letter)
        )

    def compose_plain(self, letter: AnyMail, error: RenderError) -> Mail:
        if isinstance(letter, WeeklyLetter):
            lines = [
                f"C-{one.case_id} {one_line(one.customer, 60)}: {one.kind} by "
                f"{day_time(one.due_at, letter.recipient.zone)}"
                for one in (*letter.mine, *letter.theirs)
            ]
            return self._weekly(letter, "Open promises", "\n".join(lines) + "\n", None)
        return (
            self._notice(letter)
            if isinstance(letter, Notice)
            else self._composer.compose_plain(letter, error)
        )

    def _facts(self, letter: WeeklyLetter) -> dict[str, object]:
        me = letter.recipient
        return {
            "mine": letter.mine,
            "theirs": letter.theirs,
            "me": me,
            "zone": me.zone,
            "now": letter.now,
            "page": self._links.case_page,
        }

    def _weekly(self, letter: WeeklyLetter, subject: str, text: str, html: str | None) -> Mail:
        return Mail(
            message_id=letter.message_id,
            sender=self._sender,
            recipient=letter.recipient.email,
            recipient_name=one_line(letter.recipient.name),
            subject=subject,
            text=text,
            html=html,
            reply_to=None,
            in_reply_to=None,
            sent_at=letter.now,
        )

    def _notice(self, notice: Notice) -> Mail:
        lines = [one_line(line, 400) for line in notice.lines]
        if notice.proposal is not None:
            lines += ["", self._links.approval(notice.proposal, notice.recipient.id)]
        if notice.survey is not None:
            lines += ["", self._links.invitation(*notice.survey)]
        return Mail(
            message_id=notice.message_id,
            sender=self._sender,
            recipient=notice.recipient.email,
            recipient_name=one_line(notice.recipient.name),
            subject=one_line(notice.subject),
            text="\n".join(lines) + "\n",
            html=None,
            reply_to=None,
            in_reply_to=None,
            sent_at=notice.sent_at,
        )
