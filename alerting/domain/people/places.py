"""Countries, languages and time zones as customers' data names them: what is none is refused, with
what was meant.
"""

import re
import unicodedata
import zoneinfo
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources

EXAMPLE_ZONE = "Europe/Berlin"

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""The shape of a BCP 47 tag that begins with an ISO 639 code; whether the language exists is not
asked.
"""

_KOSOVO = "XK"
"""Not in ISO 3166-1, which leaves it to users; the EU, SWIFT and every CRM write it, and its
customers are real.
"""

_ALSO_CALLED = {
    "a": "AT", "ägypten": "EG", "argentinien": "AR", "australien": "AU", "aut": "AT",
    "belgien": "BE", "bolivien": "BO", "brasilien": "BR", "bulgarien": "BG", "china": "CN",
    "che": "CH", "d": "DE", "dänemark": "DK", "deu": "DE", "deutschland": "DE", "england": "GB",
    "estland": "EE", "finnland": "FI", "frankreich": "FR", "ger": "DE", "great britain": "GB",
    "griechenland": "GR", "großbritannien": "GB", "holland": "NL", "hongkong": "HK",
    "indien": "IN", "indonesien": "ID", "irland": "IE", "island": "IS", "italien": "IT",
    "kanada": "CA", "kasachstan": "KZ", "katar": "QA", "kenia": "KE", "kolumbien": "CO",
    "kosovo": _KOSOVO, "kroatien": "HR", "lettland": "LV", "litauen": "LT", "luxemburg": "LU",
    "malta": "MT", "marokko": "MA", "mexiko": "MX", "moldau": "MD", "neuseeland": "NZ",
    "niederlande": "NL", "die niederlande": "NL", "nordmazedonien": "MK", "norwegen": "NO",
    "österreich": "AT", "oesterreich": "AT", "philippinen": "PH", "polen": "PL",
    "republic of korea": "KR", "rumänien": "RO", "russland": "RU", "saudi-arabien": "SA",
    "saudiarabien": "SA", "schweden": "SE", "schweiz": "CH", "scotland": "GB", "serbien": "RS",
    "singapur": "SG", "slowakei": "SK", "slowenien": "SI", "spanien": "ES", "südafrika": "ZA",
    "südkorea": "KR", "south korea": "KR", "taiwan": "TW", "the netherlands": "NL",
    "tschechien": "CZ", "tschechische republik": "CZ", "czechia": "CZ", "tunesien": "TN",
    "türkei": "TR", "turkey": "TR", "türkiye": "TR", "uae": "AE", "uk": "GB", "ukraine": "UA",
    "ungarn": "HU", "united kingdom": "GB", "united states of america": "US", "usa": "US",
    "u.s.a.": "US", "u.s.": "US", "v.a.e.": "AE", "vereinigte arabische emirate": "AE",
    "united arab emirates": "AE", "vereinigtes königreich": "GB", "vereinigte staaten": "US",
    "wales": "GB", "zypern": "CY",
}  # fmt: skip
"""Beside the English names that come with the time zones: German ones, and what sheets write."""

_LANGUAGES = {
    "german": "de", "deutsch": "de", "english": "en", "englisch": "en", "french": "fr",
    "französisch": "fr", "français": "fr", "italian": "it", "italienisch": "it", "italiano": "it",
    "spanish": "es", "spanisch": "es", "español": "es", "dutch": "nl", "niederländisch": "nl",
    "polish": "pl", "polnisch": "pl", "czech": "cs", "tschechisch": "cs", "danish": "da",
    "dänisch": "da", "swedish": "sv", "schwedisch": "sv", "norwegian": "no", "norwegisch": "no",
    "finnish": "fi", "finnisch": "fi", "hungarian": "hu", "ungarisch": "hu", "portuguese": "pt",
    "portugiesisch": "pt", "romanian": "ro", "rumänisch": "ro", "russian": "ru", "russisch": "ru",
    "turkish": "tr", "türkisch": "tr", "chinese": "zh", "chinesisch": "zh", "japanese": "ja",
    "japanisch": "ja",
}  # fmt: skip


def country_codes() -> frozenset[str]:
    """All there are, in capitals."""
    return frozenset(_names_by_code())


def country_code(text: str) -> str:
    """An ISO 3166-1 alpha-2 code, in capitals: `de` is DE. Raises ValueError that names the code of
    a country's name.
    """
    code = text.strip().upper()
    if code in _names_by_code() or code == _KOSOVO:
        return code
    raise ValueError(f"{_shown(text)} is no ISO 3166 alpha-2 code; {_country_hint(text)}")


def country_named(text: str) -> str:
    """The same, and the name of a country is its code: `Germany` or `Deutschland` is DE. For what
    people write by hand.
    """
    return _codes_by_folded_name().get(folded(text)) or country_code(text)


def language_named(text: str) -> str:
    """The tag of a language given by its English or German name; what is none stays as it is."""
    return _LANGUAGES.get(text.casefold(), text)


@lru_cache(maxsize=10_000)
def folded(name: str) -> str:
    """A place's name as two people would both write it: without accents, capitals, and signs
    between words.
    """
    plain = "".join(
        ch for ch in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(ch)
    )
    return " ".join(re.findall(r"\w+", plain))


def language_tag(text: str) -> str:
    """A language tag such as `de` or `en-GB`; `de_DE` is read as `de-DE`. Raises ValueError."""
    tag = text.strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        raise ValueError(f"{_shown(text)} is no language tag; write one such as de or en-GB")
    return tag


def zone_name(text: str) -> str:
    """The name of an IANA time zone, as written there. Raises ValueError that names the nearest."""
    if _zones().get(text.casefold()) == text:
        return text
    near = _nearest(text.strip().replace(" ", "_"), {**_cities(), **_zones()})
    hint = f"did you mean {near!r}?" if near else f"write one such as {EXAMPLE_ZONE}"
    raise ValueError(f"{_shown(text)} is no time zone; {hint}")


def _country_hint(text: str) -> str:
    code = (
        _nearest(text.strip(), _codes_by_name())
        if len(text.strip()) > 2
        else _ALSO_CALLED.get(text.strip().casefold())
    )
    return f"did you mean {code!r}?" if code else "write one such as DE"


def _nearest(text: str, known: Mapping[str, str]) -> str | None:
    """What stands in `known` under the key nearest to the text. Long texts are no misspelling, and
    slow to compare.
    """
    near = get_close_matches(text.casefold()[:100], known, n=1, cutoff=0.75)
    return known[near[0]] if near else None


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else repr(text[:40]) + "..."


@cache
def _names_by_code() -> Mapping[str, str]:
    """Of the table that comes with the time zones, so no list of ours can grow old. `DE` ->
    `Germany`.
    """
    text = (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    rows = [line.partition("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {code: name for code, _, name in rows}


@cache
def _codes_by_name() -> Mapping[str, str]:
    return {**{name.casefold(): code for code, name in _names_by_code().items()}, **_ALSO_CALLED}


@cache
def _codes_by_folded_name() -> Mapping[str, str]:
    return {folded(name): code for name, code in _codes_by_name().items()}


@cache
def _zones() -> Mapping[str, str]:
    """By casefolded name. `Factory` and `localtime` say where a machine stands, not a customer."""
    return {
        name.casefold(): name for name in zoneinfo.available_timezones() - {"Factory", "localtime"}
    }


@cache
def _cities() -> Mapping[str, str]:
    """Zones by what stands behind the continent: somebody who writes Berlin means Europe/Berlin."""
    return {
        name.rsplit("/", 1)[-1].casefold(): name
        for name in sorted(_zones().values())
        if "/" in name
    }
