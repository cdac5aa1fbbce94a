"""Who an event is about: a customer, or somebody known by an address alone."""

import pytest

from tests.support.builders import event


def key_of(**respondent: str) -> str:
    return event(customer_id=..., respondent=respondent).customer_key


def test_somebody_known_only_by_address_has_a_key_that_does_not_name_them() -> None:
    key = key_of(email="Ada@Example.com")
    assert key.startswith("respondent:")
    assert "ada" not in key.lower().removeprefix("respondent:")


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@EXAMPLE.COM", "  Ada@example.com "])
def test_an_address_is_the_same_in_any_case(email: str) -> None:
    assert key_of(email=email) == key_of(email="ada@example.com")


def test_different_addresses_are_different_people() -> None:
    keys = {
        key_of(email="ada@example.com"),
        key_of(email="ida@example.com"),
        key_of(phone="+49 30 5550199"),
        key_of(phone="+49 30 5550198"),
    }
    assert len(keys) == 4
    assert key_of(phone="+49 (30) 555-0199") == key_of(phone="+49305550199")


def test_the_senders_customer_id_counts_before_an_address() -> None:
    assert event(respondent={"email": "ada@example.com"}).customer_key == "ACME"
