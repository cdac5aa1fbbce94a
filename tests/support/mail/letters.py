"""Letters of real cases, composed and read back."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser

from hypothesis import strategies as st
from sqlalchemy import select

from alerting.adapters.mail.email.mail import Mail
from alerting.adapters.mail.email.mime import to_bytes
from alerting.database.people import staff_facts
from alerting.database.tables import notification
from alerting.services.cases.case_view import case_view
from alerting.services.mail.letters import Letter
from tests.support.mail.channels import composer_of
from tests.support.world import World

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Reply-To",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]


ADA = {
    "name": "Ada Example",
    "role": "Head of Purchasing",
    "email": "ada@acme.example",
    "phone": "+49 30 5550199",
    "call_from": "09:00",
    "call_to": "11:30",
}


def letters(world: World, key: str) -> dict[str, Letter]:
    """The newest mail of each kind that waits for this customer's case, as delivery would hand it
    to the composer.
    """
    ctx = world.app.ctx
    with ctx.db.read() as tx:
        book, staff = ctx.shelf.active(tx), staff_facts.staff_at(tx, tx.now())
        query = (
            select(notification)
            .where(notification.c.customer_key == key)
            .order_by(notification.c.id)
        )
        return {
            row.template: Letter(
                template=row.template,
                recipient=staff.parties[row.recipient],
                message_id=row.message_id,
                view=case_view(tx, book, row.case_id),
                data=row.data,
                rulebook=book,
            )
            for row in tx.execute(query).all()
        }


def composed(world: World, letter: Letter) -> Mail:
    return composer_of(world).compose(letter)


def parsed(mail: Mail) -> EmailMessage:
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(to_bytes(mail))
    assert isinstance(message, EmailMessage)
    return message


NASTY = st.one_of(
    st.text(min_size=1, max_size=60),
    st.lists(
        st.sampled_from(
            [
                "\r\n",
                "\n",
                "\r",
                "\0",
                "Bcc: eve@evil.example",
                "=?utf-8?q?",
                "=0D=0ABcc:_eve@evil.example",
                "?=",
                "=?",
                "?",
                "=",
                "\u202e",
                "\u2028",
                "\x85",
                "\x0b",
                "ä",
                "😀",
                ":",
                ",",
                "<",
                ">",
                '"',
                " ",
                "x" * 70,
            ]
        ),
        min_size=1,
        max_size=6,
    ).map("".join),
)


BCC = "Bcc: eve@evil.example"


class Tags(HTMLParser):
    """Everything a browser would take for an element, and the text around it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read_html(html: str) -> Tags:
    parser = Tags()
    parser.feed(html)
    return parser
