"""Action links: signed, bound to case, person, assignment, cycle and purpose. Nobody needs an
account to act on a mail.
"""

from collections.abc import Sequence

from itsdangerous import BadData, URLSafeSerializer
from itsdangerous.signer import Signer

from alerting.domain.errors import ActionRefused
from alerting.services.cases.respond import Purpose, Ticket

_PURPOSES: dict[str, Purpose] = {
    "a": "acknowledge",
    "c": "contact",
    "h": "hand_over",
    "f": "fixed",
    "g": "assign",
    "w": "wait",
    "t": "correct",
    "n": "note",
    "r": "review",
    "d": "decide",
}


class Links:
    """Makes and reads links below `base_url`. The newest key signs, every key of the list is
    accepted.
    """

    def __init__(self, base_url: str, keys: Sequence[str]) -> None:
        self.base_url = base_url.rstrip("/")
        self._actions = _serializer(keys, "action link")
        self._invitations = _serializer(keys, "survey invitation")
        self._approvals = _serializer(keys, "approval")

    def action(self, ticket: Ticket) -> str:
        """The address of an action link. Raises ValueError for a purpose that has none."""
        short = next(
            (letter for letter, purpose in _PURPOSES.items() if purpose == ticket.purpose), None
        )
        if short is None:
            raise ValueError(
                f"there is no link {ticket.purpose!r}; known are {', '.join(_PURPOSES.values())}"
            )
        token = self._actions.dumps(
            [ticket.case_id, ticket.person, ticket.assignment, ticket.cycle, short]
        )
        return f"{self.base_url}/a/{_text(token)}"

    def read_action(self, token: str) -> Ticket:
        """Raises ActionRefused for a token we did not sign."""
        try:
            case_id, person, assignment, cycle, short = self._actions.loads(token)
            return Ticket(
                case_id=case_id,
                person=person,
                assignment=assignment,
                cycle=cycle,
                purpose=_PURPOSES[short],
            )
        except (BadData, ValueError, KeyError, TypeError) as error:
            raise ActionRefused(
                "This link is incomplete or was changed. Open it from the mail once more."
            ) from error

    def invitation(self, survey: str, customer_id: str, contact: str | None = None) -> str:
        """A link to a hosted survey that knows who is asked."""
        token = self._invitations.dumps([survey, customer_id, contact])
        return f"{self.base_url}/f/{survey}?i={_text(token)}"

    def read_invitation(self, token: str, survey: str) -> tuple[str, str | None]:
        """(customer id, contact name). Raises ActionRefused for a token we did not sign for this
        survey.
        """
        try:
            named, customer_id, contact = self._invitations.loads(token)
        except (BadData, ValueError, TypeError) as error:
            raise ActionRefused(
                "This invitation is incomplete or was changed. Open it from the mail once more."
            ) from error
        if named != survey:
            raise ActionRefused("This invitation belongs to another survey.")
        return customer_id, contact

    def approval(self, proposal: int, person: str) -> str:
        """A link with which one person decides about one proposal."""
        return f"{self.base_url}/p/{_text(self._approvals.dumps([proposal, person]))}"

    def read_approval(self, token: str) -> tuple[int, str]:
        """(proposal, person). Raises ActionRefused for a token we did not sign."""
        try:
            proposal, person = self._approvals.loads(token)
        except (BadData, ValueError, TypeError) as error:
            raise ActionRefused(
                "This link is incomplete or was changed. Open it from the mail once more."
            ) from error
        return int(proposal), str(person)

    def case_page(self, case_id: int) -> str:
        """The address of a case's page, which needs the admin token."""
        return f"{self.base_url}/cases/{case_id}"


def _serializer(keys: Sequence[str], salt: str) -> URLSafeSerializer:
    """SHA-256, where itsdangerous would take SHA-1. The last key of its list signs, so ours goes in
    reversed.
    """
    import hashlib

    return URLSafeSerializer(
        list(reversed(keys)),
        salt=salt,
        signer=Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def _text(token: str | bytes) -> str:
    return token.decode() if isinstance(token, bytes) else token
