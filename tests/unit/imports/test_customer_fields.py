"""Headings, days and amounts as English and German sheets write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.imports.customer_fields import match_heading, nearest_field
from alerting.domain.imports.written_dates import DayOrder, day_order, read_day
from alerting.domain.imports.written_money import ONE, Unit, heading_units, split_amount
from alerting.domain.people.places import country_named, language_named


@pytest.mark.parametrize(
    ("headings", "field"),
    [
        (
            "customer_id, Customer ID, Kd.-Nr., Kunden-Nr, KUNDENNUMMER, Account No., Debitor",
            "customer_id",
        ),
        ("Account, Account Name, AccountName, Kunde, Firma, Company, name", "name"),
        (
            "Revenue, ARR, Umsatz, Umsatz 2025 (T€), Revenue [kUSD], Annual Revenue, Sales in EUR",
            "revenue_with_us",
        ),
        ("Owner, Account Owner, KAM, Betreuer, Betreuer (KAM), Key-Account-Manager", "owner"),
        ("Land, Country, Billing Country, BillingCountry, Länderkürzel", "country"),
        ("Renewal, Vertragsende, Contract End Date, Laufzeit bis", "renewal_date"),
        ("Mitarbeiter, Anzahl Mitarbeiter, Headcount", "employees"),
        ("Contact, Ansprechpartner, Contact 1: Name, contact_1_name, Kontakt", "contact_name"),
        ("E-Mail, Mail, contact email, Ansprechpartner E-Mail, E-Mail-Adresse", "contact_email"),
        ("Telefon, Phone, Tel., Contact Phone, Telefon Ansprechpartner", "contact_phone"),
        (
            "Telefon 2, Contact 2 Phone, contact_2_phone, Ansprechpartner 2 Telefon",
            "contact_2_phone",
        ),
        ("attributes.tier, attribute.tier", "attributes.tier"),
    ],
)
def test_a_heading_stands_for_its_field(headings: str, field: str) -> None:
    for heading in headings.split(", "):
        match = match_heading(heading)
        assert match is not None and match.field == field, heading


@pytest.mark.parametrize(
    "heading",
    [
        "",
        "Segment",
        "Bemerkung",
        "Next step",
        "Priority",
        "PLZ",
        "x",
        "2025",
        "attributes.",
        "(T€)",
    ],
)
def test_a_heading_nobody_knows_stands_for_nothing(heading: str) -> None:
    assert match_heading(heading) is None


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Nmae", "name"),
        ("Time Zoone", "time_zone"),
        ("attribute_x", "attributes.<name>"),
        ("wer", None),
        ("zzzz", None),
    ],
)
def test_the_nearest_field_is_named_where_one_is_near(heading: str, field: str | None) -> None:
    assert nearest_field(heading) == field


# Days


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-31",
        "31.05.2026",
        "31.5.2026",
        "31. 5. 2026",
        "31. Mai 2026",
        "31 May 2026",
        "May 31, 2026",
        "31-May-2026",
        "2026/05/31",
        "31/05/2026",
        "05/31/2026",
        "2026-05-31 00:00:00",
        "2026-05-31T12:00:00Z",
    ],
)
def test_a_day_with_one_reading_is_taken(text: str) -> None:
    assert read_day(text) == date(2026, 5, 31)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("04/05/2026", "can mean 2026-04-05 or 2026-05-04; write 2026-04-05 or 2026-05-04"),
        ("31.05.26", "write the year with four digits"),
        ("31.02.2026", "is no day of the calendar"),
        ("soon", "write one such as 2026-05-31"),
        ("٣١.05.2026", "is no day of the calendar"),
        ("x" * 90, r"x\.\.\.' is no day"),
    ],
)
def test_a_day_with_two_readings_or_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_day(text)


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["04/05/2026", "13/05/2026"], "day first"),
        (["04/05/2026", "05/13/2026"], "month first"),
        (["13/05/2026", "05/13/2026"], None),
        (["31.05.2026"], "day first"),
        (["04/05/2026", "2026-05-31", "x"], None),
    ],
)
def test_a_column_tells_which_comes_first(texts: list[str], order: DayOrder | None) -> None:
    assert day_order(texts) == order


@given(st.dates(date(1000, 1, 1)))
def test_every_day_is_read_back_in_whatever_form(day: date) -> None:
    assert read_day(f"{day.day}.{day.month}.{day.year}") == day
    assert read_day(f"{day.month}/{day.day}/{day.year}", "month first") == day
    assert read_day(f"{day.day:02}/{day.month:02}/{day.year}", "day first") == day
    assert read_day(day.isoformat()) == day


# Amounts


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("1.234,50 EUR", "1.234,50", Unit(currency="EUR")),
        ("€ 1,234.50", "1,234.50", Unit(currency="EUR")),
        ("-5 $", "-5", Unit(currency="USD")),
        ("250 T€", "250", Unit(factor=1_000, currency="EUR")),
        ("1,2 Mio. €", "1,2", Unit(factor=1_000_000, currency="EUR")),
        ("12k", "12", Unit(factor=1_000)),
        ("1.250,- €", "1250", Unit(currency="EUR")),
        ("CHF 1'200.–", "1'200", Unit(currency="CHF")),
        ("1 240 000", "1 240 000", ONE),
        ("5 %", "5 %", ONE),
        ("1e5", "1e5", ONE),
        ("EUR", "EUR", ONE),
        ("12 boxes", "12 boxes", ONE),
    ],
)
def test_an_amount_is_split_from_its_unit(text: str, number: str, unit: Unit) -> None:
    assert split_amount(text) == (number, unit)


@given(st.text(max_size=30))
def test_what_has_no_digits_is_no_amount_and_what_is_no_amount_stays_whole(text: str) -> None:
    number, unit = split_amount(text)
    assert (unit == ONE and number == text) or any(ch.isdigit() for ch in number)


@pytest.mark.parametrize(
    ("heading", "rest", "unit"),
    [
        ("Umsatz in T€", "Umsatz", Unit(factor=1_000, currency="EUR")),
        ("Revenue [kUSD]", "Revenue", Unit(factor=1_000, currency="USD")),
        ("Umsatz 2025 (Mio. €)", "Umsatz 2025", Unit(factor=1_000_000, currency="EUR")),
        ("Revenue", "Revenue", ONE),
    ],
)
def test_a_heading_is_split_from_its_unit(heading: str, rest: str, unit: Unit) -> None:
    assert heading_units(heading) == (rest, unit)


def test_countries_and_languages_go_by_their_names() -> None:
    assert [
        country_named(text) for text in ("Germany", "ÖSTERREICH", "d", "us", "Cote d Ivoire")
    ] == ["DE", "AT", "DE", "US", "CI"]
    assert [language_named(text) for text in ("German", "englisch", "de-AT")] == [
        "de",
        "en",
        "de-AT",
    ]
