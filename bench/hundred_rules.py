"""The same hundred rules in three languages, and events to judge by them.

Ten kinds of rules of ten each, as a business writes them. A fact that may be missing is guarded in
the two languages in which comparing nothing with a number is an error; in SQL it is unknown, which
does not fire.
"""

import random
from dataclasses import dataclass
from typing import Any

from alerting.domain.conditions import Type
from alerting.domain.customers.vocabulary import Vocabulary

VOCABULARY = Vocabulary(signals={"calls_in_vain": Type.BIGINT})
SEGMENTS = ("key", "high_potential", "low_potential", "unverified", "trial")
REGIONS = (
    "north",
    "north west",
    "west",
    "south west",
    "south",
    "south east",
    "east",
    "north east",
    "centre",
    "abroad",
)
WORDS = (
    "late",
    "rude",
    "cancel",
    "broken",
    "invoice",
    "waiting",
    "never",
    "lawyer",
    "competitor",
    "refund",
)


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One rule as each of the three would have it."""

    sql: str
    cel: str
    rule_engine: str


_KINDS = (
    Wording(
        sql="sentiment = 'negative' AND customer.segment = '{segment}' AND customer.region = "
        "'{region}'",
        cel="sentiment == 'negative' && customer_segment == '{segment}' && customer_region == "
        "'{region}'",
        rule_engine="sentiment == 'negative' and customer_segment == '{segment}' and "
        "customer_region == '{region}'",
    ),
    Wording(
        sql="score <= {n} AND survey_id IN ('survey-{n}', 'survey-1{n}', 'survey-2{n}')",
        cel="score <= {n} && survey_id in ['survey-{n}', 'survey-1{n}', 'survey-2{n}']",
        rule_engine="score <= {n} and survey_id in ['survey-{n}', 'survey-1{n}', 'survey-2{n}']",
    ),
    Wording(
        sql="customer.segment = '{segment}' AND customer.revenue_with_us >= {n}0000 AND score < 7",
        cel="customer_segment == '{segment}' && customer_revenue_with_us != null"
        " && customer_revenue_with_us >= {n}0000 && score < 7",
        rule_engine="customer_segment == '{segment}' and customer_revenue_with_us != null"
        " and customer_revenue_with_us >= {n}0000 and score < 7",
    ),
    Wording(
        sql="sentiment <> 'positive' AND comment LIKE '%{word}%'",
        cel="sentiment != 'positive' && comment != null && comment.contains('{word}')",
        rule_engine="sentiment != 'positive' and comment != null and '{word}' in comment",
    ),
    Wording(
        sql="customer.region IN ('{region}', '{other}') AND score BETWEEN {n} AND {n} + 2",
        cel="customer_region in ['{region}', '{other}'] && score >= {n} && score <= {n} + 2",
        rule_engine="customer_region in ['{region}', '{other}'] and score >= {n} and score <= {n} "
        "+ 2",
    ),
    Wording(
        sql="customer.last_score - score >= {n} AND metric = 'nps'",
        cel="customer_last_score != null && customer_last_score - score >= {n} && metric == 'nps'",
        rule_engine="customer_last_score != null and customer_last_score - score >= {n} and metric "
        "== 'nps'",
    ),
    Wording(
        sql="calls_in_vain >= {n} AND (customer.segment = '{segment}' OR contact_me)",
        cel="signal_calls_in_vain >= {n} && (customer_segment == '{segment}' || contact_me)",
        rule_engine="signal_calls_in_vain >= {n} and (customer_segment == '{segment}' or "
        "contact_me)",
    ),
    Wording(
        sql="survey_id LIKE 'survey-{n}%' AND (score = {n} OR comment IS NULL)",
        cel="survey_id.startsWith('survey-{n}') && (score == {n} || comment == null)",
        rule_engine="survey_id.starts_with('survey-{n}') and (score == {n} or comment == null)",
    ),
    Wording(
        sql="customer.region = '{region}' AND customer.employees * {n} > 500 AND NOT contact_me",
        cel="customer_region == '{region}' && customer_employees * {n} > 500 && !contact_me",
        rule_engine="customer_region == '{region}' and customer_employees * {n} > 500 and not "
        "contact_me",
    ),
    Wording(
        sql="contact_me AND score * 2 + {n} < 15 AND customer.lifecycle <> 'stage-{n}'",
        cel="contact_me && score * 2 + {n} < 15 && customer_lifecycle != 'stage-{n}'",
        rule_engine="contact_me and score * 2 + {n} < 15 and customer_lifecycle != 'stage-{n}'",
    ),
)


def hundred_rules() -> list[Wording]:
    """Ten of each kind; no two are the same."""
    found = []
    for n in range(1, 11):
        names: dict[str, Any] = {"n": n, "segment": SEGMENTS[n % 5], "region": REGIONS[n % 10]}
        names |= {"other": REGIONS[(n + 3) % 10], "word": WORDS[n % 10]}
        found += [
            Wording(
                sql=kind.sql.format(**names),
                cel=kind.cel.format(**names),
                rule_engine=kind.rule_engine.format(**names),
            )
            for kind in _KINDS
        ]
    return found


def events(how_many: int) -> list[dict[str, Any]]:
    """Facts as `judge` hands them to conditions. Half of the customers are content, two in five
    write something, some facts are missing, no two comments are the same.
    """
    chance = random.Random(7)
    return [_event(chance, number) for number in range(how_many)]


def _event(chance: random.Random, number: int) -> dict[str, Any]:
    score = chance.choices(range(11), weights=(3, 1, 2, 3, 3, 6, 7, 12, 15, 24, 24))[0]
    known = chance.random() < 0.9
    said = (
        f"Visit {number}: it was {chance.choice(WORDS)}. "
        + "Somebody promised to call me back and then did not. " * 3
    )
    return {
        "event.type": "survey.answered",
        "event.survey_id": f"survey-{chance.randrange(30)}",
        "event.metric": "nps" if chance.random() < 0.7 else "csat",
        "event.score": score,
        "event.sentiment": _sentiment(score),
        "event.comment": said if chance.random() < 0.4 else None,
        "event.contact_me": chance.random() < 0.2,
        "customer.segment": chance.choice(SEGMENTS),
        "customer.region": chance.choice(REGIONS),
        "customer.revenue_with_us": int(chance.lognormvariate(11, 1)) if known else None,
        "customer.employees": int(chance.lognormvariate(4, 1)),
        "customer.lifecycle": f"stage-{chance.randrange(4)}",
        "customer.last_score": chance.choice(range(11)) if known else None,
        "signal.calls_in_vain": chance.choices(range(4), weights=(80, 14, 4, 2))[0],
    }


def _sentiment(score: int) -> str:
    if score <= 6:
        return "negative"
    return "neutral" if score <= 8 else "positive"


def for_peers(facts: dict[str, Any]) -> dict[str, Any]:
    """The same values by names without a dot: as quick for CEL as can be, and rule-engine need not
    look into maps.
    """
    return {key.removeprefix("event.").replace(".", "_"): value for key, value in facts.items()}
