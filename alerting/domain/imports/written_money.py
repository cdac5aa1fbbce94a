"""Units of money as people write them beside a number or into a heading: `1.234,50 EUR`, `T€ 250`,
`Umsatz (TEUR)`.
"""

import re
from dataclasses import dataclass

_CURRENCIES = {
    "€": "EUR", "eur": "EUR", "euro": "EUR", "euros": "EUR", "$": "USD", "us$": "USD",
    "usd": "USD", "£": "GBP", "gbp": "GBP", "chf": "CHF", "sfr": "CHF", "fr": "CHF", "sek": "SEK",
    "nok": "NOK", "dkk": "DKK", "pln": "PLN", "zł": "PLN", "czk": "CZK", "huf": "HUF", "¥": "JPY",
    "jpy": "JPY", "cny": "CNY", "cad": "CAD", "aud": "AUD", "inr": "INR", "₹": "INR",
}  # fmt: skip
_THOUSAND, _MILLION = 1_000, 1_000_000
_SCALES = {
    "tsd": _THOUSAND, "tausend": _THOUSAND, "thousand": _THOUSAND, "thousands": _THOUSAND,
    "k": _THOUSAND, "mio": _MILLION, "mill": _MILLION, "million": _MILLION, "millions": _MILLION,
    "millionen": _MILLION, "mn": _MILLION,
}  # fmt: skip
_PREFIXES = {"t": _THOUSAND, "k": _THOUSAND, "m": _MILLION}
_AMOUNT = re.compile(
    r"(?P<before>[^\d+-]*)(?P<number>[+-]?\d(?:[\d.,'’\s]*\d)?)(?P<behind>.*)", re.DOTALL
)
_ACCOUNTING = re.compile(r"[.,][-–—]+")
"""`1.250,-`"""
_WORDS = re.compile(r"[^\s()\[\]{}/|:;,]+")


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What one counted is worth: `currency` None where none is said."""

    factor: int = 1
    currency: str | None = None

    def __mul__(self, other: "Unit") -> "Unit":
        return Unit(factor=self.factor * other.factor, currency=self.currency or other.currency)


ONE = Unit()


def unit_named(word: str) -> Unit | None:
    """`EUR`, `T€`, `Mio.`, `kUSD`; None for a word that names no unit."""
    text = word.casefold().rstrip(".")
    if text in _SCALES:
        return Unit(factor=_SCALES[text])
    if text in _CURRENCIES:
        return Unit(currency=_CURRENCIES[text])
    scale, rest = _PREFIXES.get(text[:1]), text[1:]
    return Unit(factor=scale, currency=_CURRENCIES[rest]) if scale and rest in _CURRENCIES else None


def split_amount(text: str) -> tuple[str, Unit]:
    """A cell's number as it is written, and its unit: `1.234,50 EUR` is `1.234,50` in EUR, `1,2
    Mio. €` a million of it.

    `1.250,-` is 1250. A text with words that are no unit stays whole, and is no number.
    """
    if text.isdigit() or not (match := _AMOUNT.fullmatch(text)):
        return text, ONE
    number, behind = match["number"], match["behind"]
    if dash := _ACCOUNTING.match(
        behind
    ):  # the mark before the dash is that of decimals: the other one groups
        number = number.replace("." if dash[0][0] == "," else ",", "")
        behind = behind[dash.end() :]
    words = [*match["before"].split(), *behind.split()]
    unit = ONE
    for word in words:
        found = unit_named(word)
        if found is None:
            return text, ONE
        unit *= found
    return number, unit


def heading_units(heading: str) -> tuple[str, Unit]:
    """A heading without its units, and what they come to: `Umsatz in T€` is `Umsatz`, thousands of
    EUR.
    """
    kept, unit = [], ONE
    for word in _WORDS.findall(heading):
        found = unit_named(word)
        if found is None:
            kept.append(word)
        else:
            unit *= found
            if kept and kept[-1].casefold() == "in":
                kept.pop()
    return " ".join(kept), unit
