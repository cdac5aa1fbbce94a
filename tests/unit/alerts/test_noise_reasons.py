"""Of several reasons to keep quiet, the one that says most about the event is told."""

from datetime import timedelta
from typing import Any

from alerting.domain.alerts.suppression import REASONS, Silence, suppression
from tests.support.builders import rulebook
from tests.support.world import BEGIN


def test_the_reason_that_says_most_about_the_event_comes_first() -> None:
    (rule,) = [rule for rule in rulebook().rules if rule.id == "unhappy-customer"]
    silence = Silence(scope="customer", name="C", until=BEGIN + timedelta(hours=1))

    def why(**changes: Any) -> str | None:
        given = {
            "excluded": None,
            "answered": False,
            "silences": [],
            "cooling": False,
            "outranked": False,
            **changes,
        }
        return suppression(rule, "C", "key", BEGIN, **given)

    assert why() is None
    assert why(outranked=True) == "outranked"
    assert why(outranked=True, cooling=True) == "cooldown"
    assert why(outranked=True, cooling=True, silences=[silence]) == "silenced"
    assert why(answered=True, cooling=True, silences=[silence]) == "answered"
    assert why(excluded="too_old", answered=True, cooling=True, silences=[silence]) == "too_old"
    assert {
        "forgotten",
        "answered",
        "outranked",
        "cooldown",
        "silenced",
        "too_old",
        "before_go_live",
        "shadow",
    } == set(REASONS)
