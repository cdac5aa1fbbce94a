"""A case in words: entries of before steps were kept, and facts nobody gave."""

from alerting.domain.cases.case_words import held_as
from alerting.domain.fields import Fields


def test_an_entry_from_before_steps_were_kept_still_says_why() -> None:
    said = ["account owner: nobody", "territory_lead (territory DE): Lena Sample"]
    filled = Fields({"role": "sales_contact", "party": "lead_central", "why": said})
    assert held_as(filled) == (
        "the role sales contact (account owner: nobody; territory_lead (territory DE): Lena Sample)"
    )


def test_an_entry_that_says_nothing_of_why_names_the_role() -> None:
    assert held_as(Fields({"role": "vp_sales", "why": []})) == "the role VP sales"
    assert held_as(Fields({"role": "vp_sales"})) == "the role VP sales"
