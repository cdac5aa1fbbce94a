"""What a table of customers may say: its fields, and the headings under which English and German
sheets have them.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from alerting.domain.imports.written_money import ONE, Unit, heading_units

PLAIN = (
    "name", "parent", "revenue_with_us", "industry", "country", "region", "city", "employees",
    "lifecycle", "renewal_date", "owner", "language", "time_zone",
)  # fmt: skip
FREE = "attributes."
CONTACT = {
    "contact_name": "name",
    "contact_first_name": "first_name",
    "contact_last_name": "last_name",
    "contact_role": "role",
    "contact_email": "email",
    "contact_phone": "phone",
    "call_from": "call_from",
    "call_to": "call_to",
}
FIELDS = ("customer_id", *PLAIN, *CONTACT)
"""Beside them `attributes.<name>`, and `contact_2_name` and so on for further contacts of a row."""

_NUMBERED = re.compile(
    r"contact_([1-9][0-9]?)_(name|first_name|last_name|role|email|phone|call_from|call_to)"
)

SYNONYMS: Mapping[str, str] = {
    "customer_id": "customer id, customer no, customer number, customer nr, customer code, "
    "customer key, account id, account no, "
    "account number, account nr, account code, client id, client no, client number, crm id, debtor "
    "no, id, kundennummer, "
    "kunden nr, kunden no, kunden id, kd nr, kdnr, kundennr, kundenid, debitor, debitorennummer, "
    "debitoren nr, debitor nr, "
    "account key, mandantennummer, nummer, number, nr, no",
    "name": "name, customer name, account name, company, company name, client name, organisation, "
    "organization, business name, "
    "firma, firmenname, kundenname, name des kunden, name der firma, unternehmen, firmierung, "
    "account, customer, client, kunde, "
    "customers, accounts, kunden, named account",
    "parent": "parent, parent account, parent company, parent id, parent account id, parent "
    "customer, holding, group, konzern, "
    "konzernmutter, muttergesellschaft, mutter, uebergeordneter kunde, gehoert zu, gruppe",
    "revenue_with_us": "revenue with us, revenue, sales with us, sales, turnover, arr, umsatz mit "
    "uns, umsatz, "
    "umsatz bei uns, revenue ltm, revenue last 12 months, revenue 12 months, umsatz 12 monate, "
    "umsatz letzte 12 monate, "
    "annual revenue, yearly revenue, annual sales, jahresumsatz, umsatz pro jahr, erloes, umsaetze",
    "industry": "industry, sector, vertical, branche, industrie, wirtschaftszweig",
    "country": "country, country code, billing country, land, laendercode, laenderkennzeichen, "
    "laenderkuerzel, staat",
    "region": "region, state, province, county, state province, bundesland, kanton, billing state",
    "city": "city, town, billing city, ort, stadt, sitz, wohnort, standort",
    "employees": "employees, number of employees, no of employees, headcount, staff, company size, "
    "mitarbeiter, "
    "mitarbeiterzahl, anzahl mitarbeiter, mitarbeiteranzahl, beschaeftigte, anzahl beschaeftigte",
    "lifecycle": "lifecycle, lifecycle stage, life cycle, lebenszyklus, kundenstatus, customer "
    "status, account status, "
    "stage, phase, status",
    "renewal_date": "renewal date, renewal, renewal on, next renewal, contract end, contract end "
    "date, contract ends, "
    "contract until, end of contract, expiry, expiry date, expires, expiration date, vertragsende, "
    "vertrag bis, "
    "verlaengerung, verlaengerungsdatum, vertragsverlaengerung, laufzeit bis, vertragslaufzeit "
    "bis, vertrag endet am, ablaufdatum",
    "owner": "owner, account owner, account manager, key account manager, kam, customer owner, "
    "sales rep, "
    "sales representative, sales person, salesperson, rep, am, responsible, relationship manager, "
    "betreuer, "
    "kundenbetreuer, kundenverantwortlicher, verantwortlich, verantwortlicher, verantwortliche, "
    "vertriebsmitarbeiter, "
    "vertriebler, zustaendig, betreut von, inhaber",
    "language": "language, locale, sprache, korrespondenzsprache",
    "time_zone": "time zone, timezone, tz, zeitzone",
    "contact_name": "contact, contact name, contact person, main contact, primary contact, key "
    "contact, "
    "ansprechpartner, ansprechpartnerin, ansprechpartner in, ansprechperson, kontakt, "
    "kontaktperson, hauptansprechpartner",
    "contact_first_name": "first name, given name, vorname",
    "contact_last_name": "last name, surname, family name, nachname, familienname",
    "contact_role": "role, job title, title, position, function, job, rolle, funktion, stellung",
    "contact_email": "email, e mail, mail, email address, e mail address, mail address, e mail "
    "adresse, mailadresse, "
    "emailadresse",
    "contact_phone": "phone, phone number, telephone, telephone number, tel, tel nr, telefon, "
    "telefonnummer, rufnummer, "
    "direct line, durchwahl, mobile, mobile phone, mobil, handy, cell, mobilnummer, business phone",
    "call_from": "call from, reachable from, erreichbar ab, erreichbar von, anrufen ab",
    "call_to": "call to, call until, reachable until, erreichbar bis, anrufen bis",
}
"""The surest first; which of two headings gives a field is decided by that."""

_RANKED = {
    words: (field, rank)
    for field, text in SYNONYMS.items()
    for rank, words in enumerate(re.split(r",\s*", text), 1)
}
_CONTACT_WORDS = re.compile(
    r"\b(?:(?:main|primary|key|haupt) ?)?(?:contacts?|ansprechpartner(?:in)?|kontakt(?:person)?)\b"
)
_PART_FIELDS = {
    "contact_name",
    *(field for field in CONTACT if field not in {"call_from", "call_to"}),
}
_YEAR = re.compile(r"\b(?:fy ?|gj ?)?((?:19|20)\d\d)\b")
_ASIDE = re.compile(r"[(\[].*?[)\]]")
_WEAK = 100
_EITHER = {"account", "customer", "client", "kunde"}
"""Headings of names, and of ids where another column has the names."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """What a heading stands for; a smaller `rank` is surer, 0 the field's own name. `unit`: of its
    numbers.
    """

    field: str
    rank: int
    unit: Unit = ONE


def plain(heading: str) -> str:
    """A heading without what differs between sheets: `Kunden-Nr.`, `KundenNr` and `kunden_nr` are
    one.
    """
    text = re.sub(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])", " ", heading).casefold()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        text = text.replace(umlaut, letters)
    return " ".join(re.sub(r"[^\w]|_", " ", text).split())


def field_named(text: str) -> str | None:
    """A field by its own name, as mapping files and our own headings write it. `attribute.tier` is
    `attributes.tier`.
    """
    text = text.strip()
    if text.startswith("attribute."):
        text = text.replace("attribute.", FREE, 1)
    if text.startswith(FREE):
        return text if text != FREE else None
    if match := _NUMBERED.fullmatch(text):
        return _numbered(
            f"{'' if match[2].startswith('call') else 'contact_'}{match[2]}", int(match[1])
        )
    return text if text in FIELDS else None


def contact_of(field: str) -> tuple[int, str] | None:
    """The number of the contact a field speaks of, and which part of it; None for a field of the
    customer.
    """
    if field in CONTACT:
        return 1, CONTACT[field]
    match = _NUMBERED.fullmatch(field)
    return (int(match[1]), match[2]) if match else None


def match_heading(heading: str) -> Match | None:
    """The field a heading stands for, None where nobody knows."""
    if field := field_named(heading):
        return Match(field=field, rank=0)
    text = plain(heading)
    if not text:
        return None
    shorter = plain(_ASIDE.sub(" ", heading))
    return _exact(text) or _with_unit(heading) or _numbered_contact(text) or _exact(shorter)


def may_be_id(heading: str) -> bool:
    """Whether a heading that names customers may as well stand for their ids."""
    return plain(heading) in _EITHER


def _exact(text: str) -> Match | None:
    for words, surer in ((text, 0), (text.replace(" ", ""), 1)):
        if found := _RANKED.get(words):
            return Match(field=found[0], rank=found[1] + surer)
    field = _contact_part(text)
    return Match(field=field, rank=1) if field else None


def _contact_part(text: str) -> str | None:
    """`contact e mail`, `telefon ansprechpartner`: a word for the contact, and one for the part."""
    rest = " ".join(_CONTACT_WORDS.sub(" ", text).split())
    if rest == text:
        return None
    found = _RANKED.get(rest, ("contact_name", 0))[0] if rest else "contact_name"
    if rest == "name":
        return "contact_name"
    return found if found in _PART_FIELDS and (not rest or rest in _RANKED) else None


def _with_unit(heading: str) -> Match | None:
    """`Umsatz 2025 (T€)`: of several years the latest is the surest."""
    rest, unit = heading_units(heading)
    text = plain(rest)
    year = _YEAR.search(text)
    found = _exact(" ".join(_YEAR.sub(" ", text).split()))
    if found is None or found.field != "revenue_with_us":
        return None
    return Match(
        field=found.field, rank=found.rank + (_WEAK + 2100 - int(year[1]) if year else 0), unit=unit
    )


def _numbered_contact(text: str) -> Match | None:
    """`Ansprechpartner 2`, `telefon2`, `contact 1 email`."""
    number = re.search(r"(?<!\d)([1-9])(?!\d)", text)
    if number is None:
        return None
    found = _exact(" ".join((text[: number.start()] + " " + text[number.end() :]).split()))
    if found is None or contact_of(found.field) is None:
        return None
    return Match(field=_numbered(found.field, int(number[1])), rank=found.rank)


def _numbered(field: str, number: int) -> str:
    """The first contact has the plain names."""
    return field if number == 1 else f"contact_{number}_{CONTACT[field]}"


def nearest_field(heading: str) -> str | None:
    """What an unknown heading probably means."""
    text = plain(heading)
    if text.startswith("attribute"):
        return "attributes.<name>"
    if len(text) < 4:
        return None
    for words, field in _names():
        if text in words.split() or text in field:  # `phone` is nearer to `owner`
            return field
    near = get_close_matches(text, [words for words, _ in _names()], n=1, cutoff=0.72)
    return dict(_names())[near[0]] if near else None


def _names() -> Iterator[tuple[str, str]]:
    yield from ((field.replace("_", " "), field) for field in FIELDS)
    yield from ((words, field) for words, (field, _) in _RANKED.items())
