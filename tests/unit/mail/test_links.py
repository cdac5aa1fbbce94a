"""Links: what they are bound to, and which keys open them."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from itsdangerous import URLSafeSerializer

from alerting.adapters.mail.links import Links
from alerting.domain.errors import ActionRefused
from alerting.services.cases.respond import Ticket

NEW, OLD = "new-key-0123456789", "old-key-0123456789"


TICKET = Ticket(case_id=7, person="vp_sales", assignment=2, cycle=1, purpose="contact")


def token_of(links: Links, ticket: Ticket = TICKET) -> str:
    return links.action(ticket).rsplit("/", 1)[-1]


@pytest.mark.parametrize("purpose", ["acknowledge", "contact", "hand_over", "fixed"])
def test_a_link_is_bound_to_case_person_assignment_cycle_and_purpose(purpose: Any) -> None:
    links = Links("https://alerts.example.com/", [NEW])
    ticket = replace(TICKET, purpose=purpose)
    assert links.action(ticket).startswith("https://alerts.example.com/a/")
    assert links.read_action(token_of(links, ticket)) == ticket
    others = [
        replace(ticket, case_id=8),
        replace(ticket, person="ceo"),
        replace(ticket, assignment=3),
        replace(ticket, cycle=2),
    ]
    assert len({token_of(links, other) for other in [ticket, *others]}) == 5


def test_a_token_changed_by_any_one_character_opens_nothing() -> None:
    links = Links("https://x", [NEW])
    token = token_of(links)
    for place in range(len(token) - 1):  # the last letter of base64 holds two bits nobody reads
        for letter in "Aa0_-.":
            if letter != token[place]:
                with pytest.raises(ActionRefused, match="incomplete or was changed"):
                    links.read_action(token[:place] + letter + token[place + 1 :])


@pytest.mark.parametrize("token", ["", ".", "x", "W10", "a.b.c", "ä", "\0", "x" * 10_000, "eyJ.x"])
def test_what_was_never_a_token_opens_nothing(token: str) -> None:
    with pytest.raises(ActionRefused):
        Links("https://x", [NEW]).read_action(token)


def test_after_a_rotation_the_new_key_signs_and_the_old_one_still_opens() -> None:
    before, during, after = (
        Links("https://x", [OLD]),
        Links("https://x", [NEW, OLD]),
        Links("https://x", [NEW]),
    )
    assert during.read_action(token_of(before)) == TICKET
    assert after.read_action(token_of(during)) == TICKET
    for reader, token in ((after, token_of(before)), (before, token_of(during))):
        with pytest.raises(ActionRefused):
            reader.read_action(token)


def test_an_invitation_is_no_action_link_and_belongs_to_its_survey() -> None:
    links = Links("https://x", [NEW])
    link = links.invitation("relationship", "ACME", "Ada Example")
    token = link.split("?i=")[1]
    assert link.startswith("https://x/f/relationship?i=")
    assert links.read_invitation(token, "relationship") == ("ACME", "Ada Example")
    with pytest.raises(ActionRefused, match="belongs to another survey"):
        links.read_invitation(token, "other")
    with pytest.raises(ActionRefused):
        links.read_action(token)
    with pytest.raises(ActionRefused):
        links.read_invitation(token_of(links), "relationship")


@pytest.mark.parametrize(
    ("salt", "digest", "accepted"),
    [
        ("action link", hashlib.sha256, True),
        ("survey invitation", hashlib.sha256, False),
        ("action link", hashlib.sha1, False),
    ],
)
def test_a_signature_for_another_purpose_or_by_a_weak_hash_opens_nothing(
    salt: str, digest: Any, accepted: bool
) -> None:
    """The right key and the right content are not enough."""
    options = {"digest_method": digest, "key_derivation": "hmac"}
    token = URLSafeSerializer(NEW, salt=salt, signer_kwargs=options).dumps(
        [7, "vp_sales", 2, 1, "c"]
    )
    links = Links("https://x", [NEW])
    if accepted:
        assert links.read_action(str(token)) == TICKET
        return
    with pytest.raises(ActionRefused):
        links.read_action(str(token))
