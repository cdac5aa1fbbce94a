"""Countries, languages and time zones as customers' data names them: what is none is refused, with what was meant."""

import re
import unicodedata
import zoneinfo
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from importlib import resources

EXAMPLE_ZONE = "Europe/Berlin"

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
"""The shape of a BCP 47 tag that begins with an ISO 639 code; whether the language exists is not asked."""

_KOSOVO = "XK"
"""Not in ISO 3166-1, which leaves it to users; the EU, SWIFT and every CRM write it, and its customers are real."""

_ALSO_CALLED = {
    "deutschland": "DE",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "kosovo": _KOSOVO,
    "schweiz": "CH",
    "uk": "GB",
    "united kingdom": "GB",
    "united states of america": "US",
    "usa": "US",
    "österreich": "AT",
}


def country_code(text: str) -> str:
    """An ISO 3166-1 alpha-2 code, in capitals: `de` is DE. Raises ValueError that names the code of a country's name."""
    code = text.strip().upper()
    if code in _names_by_code() or code == _KOSOVO:
        return code
    raise ValueError(f"{_shown(text)} is no ISO 3166 alpha-2 code; {_country_hint(text)}")


def country_named(text: str) -> str:
    """The same, and the name of a country is its code: `Germany` is DE. For what people write by hand."""
    wanted = folded(text)
    for code, name in _names_by_code().items():
        if wanted == folded(name):
            return code
    return {folded(name): code for name, code in _ALSO_CALLED.items()}.get(wanted) or country_code(text)


@lru_cache(maxsize=10_000)
def folded(name: str) -> str:
    """A place's name as two people would both write it: without accents, capitals, and signs between words."""
    plain = "".join(ch for ch in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(ch))
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
    named = {**{name.casefold(): code for code, name in _names_by_code().items()}, **_ALSO_CALLED}
    code = _nearest(text.strip(), named) if len(text.strip()) > 2 else _ALSO_CALLED.get(text.strip().casefold())
    return f"did you mean {code!r}?" if code else "write one such as DE"


def _nearest(text: str, known: Mapping[str, str]) -> str | None:
    """What stands in `known` under the key nearest to the text. Long texts are no misspelling, and slow to compare."""
    near = get_close_matches(text.casefold()[:100], known, n=1, cutoff=0.75)
    return known[near[0]] if near else None


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 40 else repr(text[:40]) + "..."


@cache
def _names_by_code() -> Mapping[str, str]:
    """Of the table that comes with the time zones, so no list of ours can grow old. `DE` -> `Germany`."""
    text = (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    rows = [line.partition("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return {code: name for code, _, name in rows}


@cache
def _zones() -> Mapping[str, str]:
    """By casefolded name. `Factory` and `localtime` say where a machine stands, not a customer."""
    return {name.casefold(): name for name in zoneinfo.available_timezones() - {"Factory", "localtime"}}


@cache
def _cities() -> Mapping[str, str]:
    """Zones by what stands behind the continent: somebody who writes Berlin means Europe/Berlin."""
    return {name.rsplit("/", 1)[-1].casefold(): name for name in sorted(_zones().values()) if "/" in name}
