"""History: what was known of a customer just before an event, from points that every rulebook
shares.

The event being judged is left out: `score - last_score` compares it with the answer before.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from alerting.domain.conditions import arithmetic
from alerting.domain.customers.signals import Order, Point, point_of
from alerting.domain.intake.events import Event
from alerting.domain.intake.payloads import InteractionRecorded, SurveyAnswered

ANSWER, CONTACT = "@answer", "@contact"
"""Definitions of the points: an answer with a score, and a contact in which somebody was
reached.
"""

DEPTH = 2
"""As many points of each definition before a window can matter: the last answer and the one before
it.
"""

_DEFINITIONS = {ANSWER, CONTACT}
_DAY = timedelta(days=1)
_ORDER = attrgetter("order")
_NOBODY_REACHED = {"voicemail", "abandoned"}


def history_points(event: Event) -> list[Point]:
    """What an event adds to its customer's history."""
    payload = event.payload
    if isinstance(payload, SurveyAnswered) and payload.score is not None:
        said = [payload.metric, event.facts["event.score"], event.facts["event.sentiment"]]
        return [point_of(ANSWER, event, value=said)]
    if isinstance(payload, InteractionRecorded) and payload.outcome not in _NOBODY_REACHED:
        return [point_of(CONTACT, event)]
    return []


def history_at(moment: Order, points: Iterable[Point], renewal: date | None) -> dict[str, object]:
    """The history fields of one customer at one moment, by the keys conditions use; what is not
    known is None.

    `last_score` and `last_sentiment` are of the newest answer before; `score_change` is how far its
    score lay above the one before it in the same metric. `days_since_contact` are whole days;
    `days_to_renewal` counts dates in UTC.
    """
    before = [p for p in points if p.definition in _DEFINITIONS and p.order < moment]
    answers = [
        p.value for p in sorted((p for p in before if p.definition == ANSWER), key=_ORDER)[-2:]
    ]
    contact = max((p.order[0] for p in before if p.definition == CONTACT), default=None)
    metric, score, sentiment = answers[-1] if answers else (None, None, None)
    return {
        "customer.last_score": score,
        "customer.last_sentiment": sentiment,
        "customer.score_change": _change(answers[0][1], score)
        if [a[0] for a in answers] == [metric] * 2
        else None,
        "customer.days_since_contact": None if contact is None else (moment[0] - contact) // _DAY,
        "customer.days_to_renewal": None if renewal is None else (renewal - moment[0].date()).days,
    }


def _change(before: Any, after: Any) -> Any:
    whole = isinstance(before, int) and isinstance(after, int)
    return (arithmetic.SUBTRACT.bigint if whole else arithmetic.SUBTRACT.numeric)(after, before)
