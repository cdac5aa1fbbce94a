"""Mails about no case: plain text, without templates, beside the letters that templates make."""

from alerting.adapters.links import Links
from alerting.adapters.templates import Composer, one_line
from alerting.domain.notifications import Mail
from alerting.services.letters import DigestLetter, Letter, Notice, RenderError


class AnyComposer:
    """Letters go to the templates, notices are written as they are."""

    def __init__(self, composer: Composer, sender: str, links: Links) -> None:
        self._composer = composer
        self._sender = sender
        self._links = links

    def compose(self, letter: Letter | DigestLetter | Notice) -> Mail:
        """Raises RenderError for a letter whose template fails."""
        return self._notice(letter) if isinstance(letter, Notice) else self._composer.compose(letter)

    def compose_plain(self, letter: Letter | DigestLetter | Notice, error: RenderError) -> Mail:
        return self._notice(letter) if isinstance(letter, Notice) else self._composer.compose_plain(letter, error)

    def _notice(self, notice: Notice) -> Mail:
        lines = [one_line(line, 400) for line in notice.lines]
        if notice.proposal is not None:
            lines += ["", self._links.approval(notice.proposal, notice.recipient.id)]
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
