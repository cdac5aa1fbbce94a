"""Mail as a channel: letters become mails by templates, and go by SMTP or into a folder."""

from dataclasses import dataclass
from typing import Protocol

from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.notices import AnyComposer
from alerting.domain.mail.message import Outcome
from alerting.domain.people.people import Party
from alerting.services.mail.channel import Composed
from alerting.services.mail.letters import AnyMail, RenderError


class Mailer(Protocol):
    """SMTP, or the mailbox folder of the embedded default."""

    def send(self, mail: Mail) -> Outcome:
        """Bring one mail to one address. Never raises for what a mail server may answer."""
        ...


@dataclass(frozen=True, kw_only=True)
class EmailChannel:
    """The first channel, `email`."""

    composer: AnyComposer
    mailer: Mailer

    def address_of(self, reader: Party) -> str:
        return reader.email

    def compose(self, letter: AnyMail) -> Composed:
        try:
            return Composed(content=self.composer.compose(letter))
        except RenderError as error:
            plain = self.composer.compose_plain(letter, error)
            return Composed(content=plain, render_error=str(error))

    def send(self, message: Composed) -> Outcome:
        assert isinstance(message.content, Mail), "what this channel has composed"
        return self.mailer.send(message.content)
