"""Countries, languages and time zones: what is none is refused, with what was probably meant."""

from collections.abc import Callable

import pytest

from alerting.domain.people.places import country_code, language_tag, zone_name


@pytest.mark.parametrize(
    ("read", "text", "found"),
    [
        (country_code, "DE", "DE"),
        (country_code, "de", "DE"),
        (country_code, "XK", "XK"),
        (language_tag, "de", "de"),
        (language_tag, "en-GB", "en-GB"),
        (language_tag, "zh_Hant_TW", "zh-Hant-TW"),
        (zone_name, "Europe/Berlin", "Europe/Berlin"),
        (zone_name, "America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        (zone_name, "UTC", "UTC"),
    ],
)
def test_what_exists_is_taken_in_one_form(
    read: Callable[[str], str], text: str, found: str
) -> None:
    assert read(text) == found


@pytest.mark.parametrize(
    ("read", "text", "said"),
    [
        (country_code, "Germany", "'Germany' is no ISO 3166 alpha-2 code; did you mean 'DE'?"),
        (country_code, "Germnay", "did you mean 'DE'?"),
        (country_code, "Deutschland", "did you mean 'DE'?"),
        (country_code, "UK", "did you mean 'GB'?"),
        (country_code, "USA", "did you mean 'US'?"),
        (country_code, "ZZ", "write one such as DE"),
        (country_code, "", "write one such as DE"),
        (language_tag, "German", "write one such as de or en-GB"),
        (language_tag, "d", "write one such as de or en-GB"),
        (zone_name, "Mars", "'Mars' is no time zone; write one such as Europe/Berlin"),
        (zone_name, "Europe", "write one such as Europe/Berlin"),
        (zone_name, "europe/berlin", "did you mean 'Europe/Berlin'?"),
        (zone_name, "Berlin", "did you mean 'Europe/Berlin'?"),
        (zone_name, "America/New York", "did you mean 'America/New_York'?"),
        (zone_name, "x" * 500, "is no time zone"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_was_meant(
    read: Callable[[str], str], text: str, said: str
) -> None:
    with pytest.raises(ValueError, match="is no") as refused:
        read(text)
    assert said in str(refused.value)
    assert len(str(refused.value)) < 120
