"""Of several reasons to keep quiet, the one that says most about the event is told."""

from collections.abc import Sequence
from datetime import timedelta

from alerting.domain.alerts.suppression import REASONS, STAGES, Alarm, Mute
from alerting.domain.mail.stages import first_reason
from tests.support.builders import rulebook
from tests.support.world import BEGIN


def test_the_reason_that_says_most_about_the_event_comes_first() -> None:
    (rule,) = [rule for rule in rulebook().rules if rule.id == "unhappy-customer"]
    mute = Mute(scope="customer", name="C", until=BEGIN + timedelta(hours=1))

    def why(
        *,
        excluded: str | None = None,
        answered: bool = False,
        mutes: Sequence[Mute] = (),
        cooling: bool = False,
        outranked: bool = False,
    ) -> str | None:
        alarm = Alarm(
            rule=rule,
            customer="C",
            segment="key",
            now=BEGIN,
            excluded=excluded,
            is_answered=lambda: answered,
            mutes=mutes,
            is_cooling=lambda: cooling,
            outranked=outranked,
        )
        found = first_reason(STAGES, alarm)
        return None if found is None else found.reason

    assert why() is None
    assert why(outranked=True) == "outranked"
    assert why(outranked=True, cooling=True) == "cooldown"
    assert why(outranked=True, cooling=True, mutes=[mute]) == "silenced"
    assert why(answered=True, cooling=True, mutes=[mute]) == "answered"
    assert why(excluded="too_old", answered=True, cooling=True, mutes=[mute]) == "too_old"
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
