"""History: what was known of a customer just before an event, from points that every rulebook shares.

The event being judged is left out: `score - last_score` compares it with the answer before.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from alerting.domain import arithmetic
from alerting.domain.events import Event
from alerting.domain.payloads import InteractionRecorded, SurveyAnswered, sentiment_of
from alerting.domain.signals import Order, Point, point_of

ANSWER, CONTACT = "@answer", "@contact"
"""Definitions of the points: an answer with a score, and a contact in which somebody was reached."""

DEPTH = 2
"""As many points of each definition before a window can matter: the last answer and the one before it."""

_NOBODY_REACHED = {"voicemail", "abandoned"}


def history_points(event: Event) -> list[Point]:
    """What an event adds to its customer's history."""
    payload = event.payload
    if isinstance(payload, SurveyAnswered) and payload.score is not None:
        score = event.fields()["score"]
        sentiment = sentiment_of(payload.metric, payload.score, payload.scale)
        return [point_of(ANSWER, event, value=[payload.metric, score, sentiment])]
    if isinstance(payload, InteractionRecorded) and payload.outcome not in _NOBODY_REACHED:
        return [point_of(CONTACT, event)]
    return []


def history_at(moment: Order, points: Iterable[Point], renewal: date | None) -> dict[str, Any]:
    """The history fields of one customer at one moment; what is not known is None.

    `last_score` and `last_sentiment` are of the newest answer before; `score_change` is how far its score lay above the
    one before it in the same metric. `days_since_contact` are whole days; `days_to_renewal` counts dates in UTC.
    """
    before = sorted((p for p in points if p.order < moment), key=lambda p: p.order)
    answers = [p.value for p in before if p.definition == ANSWER]
    contacts = [p.order[0] for p in before if p.definition == CONTACT]
    found: dict[str, Any] = dict.fromkeys(("last_score", "last_sentiment", "score_change"))
    if answers:
        metric, found["last_score"], found["last_sentiment"] = answers[-1]
        if len(answers) > 1 and answers[-2][0] == metric:
            scores = (found["last_score"], answers[-2][1])
            whole = all(isinstance(score, int) for score in scores)
            subtract = arithmetic.SUBTRACT.bigint if whole else arithmetic.SUBTRACT.numeric
            found["score_change"] = subtract(*scores)
    found["days_since_contact"] = (moment[0] - contacts[-1]) // timedelta(days=1) if contacts else None
    found["days_to_renewal"] = None if renewal is None else (renewal - moment[0].date()).days
    return found
