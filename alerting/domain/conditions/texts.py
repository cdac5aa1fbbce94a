"""Text as PostgreSQL treats it under the collation C.UTF-8."""

import re
from collections.abc import Callable, Sequence

from alerting.domain.errors import ConditionRefused


def lower(text: str) -> str:
    """One character for one, as PostgreSQL does: no final sigma, and no dot left over from the
    Turkish capital I.
    """
    return text.replace("Σ", "σ").replace("İ", "i").lower()


def upper(text: str) -> str:
    """One character for one, as PostgreSQL does: ß stays ß, and ᾳ becomes ᾼ."""
    return text.upper() if text.isascii() else "".join(_upper(character) for character in text)


def _upper(character: str) -> str:
    forms = (character.upper(), character.title(), character)
    return next(form for form in forms if len(form) == 1)


def words_to_regex(words: Sequence[str]) -> Callable[[str], re.Match[str] | None]:
    """Finds one of the words or phrases, whole and in any case; blanks in a phrase stand for any
    white space.
    """
    forms = [
        r"\s+".join(re.escape(part) for part in word.split()) for word in words if word.strip()
    ]
    if not forms:
        return re.compile(r"(?!)").search
    return re.compile(rf"(?<!\w)(?:{'|'.join(forms)})(?!\w)", re.IGNORECASE).search


def like_to_regex(pattern: str) -> str:
    """`%` is any text, `_` any character, a backslash takes the next one literally.

    What follows a `%` is looked for where it first occurs and nowhere else (an atomic group). That
    loses no match, and a customer's long comment cannot make the search go back and forth for
    hours.
    """
    pieces, characters = [""], iter(pattern)
    for character in characters:
        if character == "%":
            pieces.append("")
            continue
        if character == "\\":
            character = next(characters, "")
            if not character:
                raise ConditionRefused("a LIKE pattern must not end with a backslash")
            pieces[-1] += re.escape(character)
        else:
            pieces[-1] += "." if character == "_" else re.escape(character)
    if len(pieces) == 1:
        return pieces[0]
    return (
        pieces[0]
        + "".join(f"(?>.*?{piece})" for piece in pieces[1:-1] if piece)
        + f".*{pieces[-1]}"
    )
