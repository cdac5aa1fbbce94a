"""A Mail as RFC 5322 bytes, read back and checked before it leaves."""

from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import format_datetime

from alerting.adapters.mail.email.mail import Mail

_POLICY = policy.SMTP.clone(max_line_length=998)
"""Long References would be encoded and threads break; 998 is the longest line RFC 5322 allows."""


def to_bytes(mail: Mail) -> bytes:
    """Plain text and HTML alternatives, threaded by case, marked as automatic so that no responder
    answers.

    Raises ValueError for whatever cannot be written: the library's own errors are of many kinds.
    """
    try:
        return _composed(mail)
    except (MessageError, AttributeError, IndexError, LookupError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _composed(mail: Mail) -> bytes:
    message = EmailMessage(policy=_POLICY)
    message["From"] = mail.sender
    message["To"] = Address(display_name=mail.recipient_name, addr_spec=mail.recipient)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.sent_at)
    message["Message-ID"] = mail.message_id
    if mail.in_reply_to:
        message["In-Reply-To"] = mail.in_reply_to
        message["References"] = mail.in_reply_to
    if mail.reply_to:
        message["Reply-To"] = mail.reply_to
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(mail.text)
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html")
    raw = message.as_bytes()
    _check(raw, message)
    return raw


def _check(raw: bytes, message: EmailMessage) -> None:
    """What a reader will parse has exactly the headers we set: nothing a customer wrote became
    one.
    """
    parsed = BytesHeaderParser(policy=policy.compat32).parsebytes(raw)
    if [name.lower() for name in parsed.keys()] != [name.lower() for name in message.keys()]:  # noqa: SIM118
        raise ValueError("a header of this mail would be read as something else")
