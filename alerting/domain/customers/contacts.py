"""Contacts of a customer, and who answered."""

from collections.abc import Mapping

from alerting.domain.intake.payloads import Contact


def same_contact(contact: Mapping[str, object] | None, respondent: Mapping[str, object]) -> bool:
    """Whether a contact of the customer is who answered: the same name or the same address."""
    shared = [name for name in ("name", "email") if respondent.get(name)]
    said = [
        str((contact or {}).get(name) or "").casefold() == str(respondent[name]).casefold()
        for name in shared
    ]
    return any(said) or not shared


def contact_of_answer(respondent: Mapping[str, object]) -> Mapping[str, object] | None:
    """Somebody we know only from the answer itself."""
    name = respondent.get("name") or respondent.get("email") or respondent.get("phone")
    return {**respondent, "name": name} if name else None


def every_field(contact: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """All of a contact's fields, unknown ones None: templates need not ask whether a field
    exists.
    """
    return None if contact is None else {**dict.fromkeys(Contact.model_fields), **contact}
