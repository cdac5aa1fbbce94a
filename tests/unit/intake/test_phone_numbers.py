"""A phone number is the same however it is written."""

from hypothesis import given
from hypothesis import strategies as st

from alerting.domain.intake.payloads import phone_of


@given(
    st.lists(st.sampled_from([" ", "-", "/", "(0)", "."]), max_size=6), st.integers(10**6, 10**10)
)
def test_a_number_is_the_same_however_it_is_written(noise: list[str], number: int) -> None:
    digits = str(number)
    written = "".join(d + (noise[i] if i < len(noise) else "") for i, d in enumerate(digits))
    assert phone_of("+49" + written) == phone_of("0049 " + digits) == f"phone:+49{digits}"
