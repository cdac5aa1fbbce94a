"""Rules for the comparison: the starter rules, and one for each thing a condition can say."""

import shutil
from pathlib import Path

LISTS = """
lists:
  churn: [cancel, "switch to", kündigen]
  vip: [NORDWIND, "O'Neill", 🚲]
"""

ATTRIBUTES = """
attributes:
  fleet: whole number
  discount: number
  premium: true/false
  signed: date
  seen: time
  labels: list of texts
  tier: text
"""

SEGMENTS = """
segments:
  - {id: key, rank: 4, members: key_accounts.csv}
  - {id: unverified, when: "revenue_with_us IS NULL"}
  - {id: strategic, rank: 3, when: "revenue_with_us / employees > 5000 OR fleet >= 100"}
  - {id: loud, rank: 0, when: "calls_in_vain >= 2 AND revenue_with_us < 100000"}
  - {id: high_potential, rank: 2, when: "revenue_with_us >= 250000"}
  - {id: low_potential, rank: 1, otherwise: true}
tags:
  at_risk: "last_sentiment = 'negative' AND days_to_renewal BETWEEN 0 AND 90"
  busy: "calls >= 2"
  declining: "score_change < 0"
  golden: "'gold' = ANY(labels)"
  talkative: "talked / 60 >= 5 OR average_talk > 100"
"""

SIGNALS = """
  calls: {count: interaction.recorded, within: 3d}
  talked: {sum: interaction.recorded, of: duration_seconds, within: 14d, reset_when: "outcome = 'resolved'"}
  talked_week: {sum: interaction.recorded, of: duration_seconds, within: 7d, where: "direction = 'inbound'"}
  average_talk: {avg: interaction.recorded, of: duration_seconds, within: 14d}
  average_score: {avg: survey.answered, of: score, within: 20d, where: "metric = 'nps'", reset_when: "score >= 9"}
  last_topic: {last: interaction.recorded, of: topic, within: 5d, reset_when: "outcome = 'resolved'"}
  last_length: {last: interaction.recorded, of: duration_seconds, within: 10d}
  last_wish: {last: survey.answered, of: contact_me, within: 20d, where: "comment IS NOT NULL"}
  worst: {min: survey.answered, of: score, within: 10d}
  longest: {max: interaction.recorded, of: duration_seconds, within: 7d, reset_when: "channel = 'chat'"}
  agents: {distinct: interaction.recorded, of: agent, within: 14d}
  quiet_days: {days_since: interaction.recorded, within: 30d, where: "direction = 'inbound'"}
  answers_since: {count: survey.answered, within: 12h, reset_when: "survey_id = 'install' AND score / 2 = 3"}
"""  # noqa: E501

ANSWERED = {
    "whole-division": ["score / 2 = 3"],
    "fraction-division": ["score / 2 = 3.5", "metric <> 'rating'"],
    "division-by-zero": ["100 / score > 20 OR score = 0"],
    "zero-is-unknown": ["NOT (100 / score > 20)"],
    "remainder": ["score % 3 = 1", "-score % 3 = -1"],
    "remainder-of-zero": ["score % (score - 7) = 0 OR comment IS NULL"],
    "missing-counts-whole": ["COALESCE(score, 7) / 2 = 3"],
    "one-branch-is-a-fraction": [
        "CASE WHEN contact_me THEN score ELSE customer.discount END / 4 > 1.7"
    ],
    "rounded": ["ROUND(score / 4.0) = 2 OR ROUND(score, -1) = 10"],
    "least": ["LEAST(score, scale, 4) < 3 AND GREATEST(score, 2) = 2"],
    "like": ["comment LIKE '%ANCEL%' OR comment LIKE '50\\%%' OR comment LIKE 'a\\_b'"],
    "ilike": ["comment ILIKE 'ä%'"],
    "not-like": ["comment NOT LIKE '%cancel%'", "comment NOT ILIKE '50%'"],
    "in": ["survey_id IN ('install', 'other')", "score NOT IN (1, 2, 3)"],
    "in-with-null": ["score IN (1, NULL, 7) OR language = 'DE'"],
    "not-in-with-null": ["score NOT IN (1, NULL) OR contact_me"],
    "between": ["score BETWEEN 3 AND last_score"],
    "not-between": ["score NOT BETWEEN 2 AND customer.discount"],
    "case-of": ["CASE metric WHEN 'nps' THEN score * 10 WHEN 'csat' THEN score * 20 END <= 60"],
    "case-order": [
        "CASE WHEN score = 0 THEN TRUE WHEN 10 / score >= 5 THEN FALSE ELSE contact_me END"
    ],
    "is-not-true": ["contact_me IS NOT TRUE", "(score > 5) IS NOT FALSE"],
    "unknown": ["(score > last_score) IS NULL"],
    "text-functions": [
        "LOWER(comment) = 'cancel!' OR UPPER(comment) = 'ÄRGER' OR LENGTH(comment) = 3"
    ],
    "text-order": ["comment < 'a'", "comment >= 'A'"],
    "churn": ["contains_any(comment, lists.churn)"],
    "no-churn": ["NOT contains_any(comment, lists.churn)"],
    "answer-number": ["answers.price > 2"],
    "answer-divided": ["answers.price / 2 = 3"],
    "answer-text": ["answers.reason <> 'gold'"],
    "answer-truth": ["answers.promised"],
    "respondent": ["respondent.name = 'Ada' OR respondent.email LIKE '%@b.example'"],
    "renewal-near": ["customer.renewal_date - now::date <= 30", "days_to_renewal >= 0"],
    "renewal-shifted": [
        "customer.renewal_date + INTERVAL '1 month' > now AND customer.renewal_date - 30 < "
        "now::date"
    ],
    "signed": ["customer.signed + INTERVAL '1 month' <= DATE '2026-02-28'"],
    "seen": [
        "now - customer.seen > INTERVAL '14 days'",
        "customer.seen = TIMESTAMPTZ '2026-02-01 08:30:00Z'",
    ],
    "time": [
        "time > '2026-02-10' AND time <= now - INTERVAL '0 days'",
        "now < TIMESTAMPTZ '2026-03-01 12:00:00Z'",
    ],
    "vip": ["customer.id = ANY(lists.vip)"],
    "no-vip": ["customer.id <> ALL(lists.vip)", "customer.country = 'DE'"],
    "at-risk": ["'at_risk' = ANY(customer.tags)"],
    "not-busy": ["'busy' <> ALL(customer.tags)", "'golden' = ANY(customer.tags)"],
    "labels": ["'silver' <> ALL(customer.labels)"],
    "tier": ["customer.tier > 'A' OR customer.premium"],
    "score-fell": ["score < last_score AND score_change IS NOT NULL"],
    "history": ["last_sentiment = 'negative' AND days_since_contact >= 2"],
    "change-divided": ["score_change / 2 = 1 OR score_change / 2 = -1"],
    "segment": ["customer.segment NOT IN ('key', 'unverified')", "sentiment <> 'positive'"],
    "strategic": [
        "customer.segment = 'strategic'",
        "customer.revenue_with_us / customer.employees > 100",
    ],
    "loud": ["customer.segment = 'loud'"],
    "average": ["average_score < 6.5"],
    "worst": ["worst <= 1 AND answers_since > 1"],
    "wish": ["last_wish"],
}

CALLED = {
    "called-often": ["calls >= 3"],
    "calls-each": ["calls % 2 = 0", "calls_in_vain / calls = 1"],
    "talked-long": ["talked > 600", "talked / 60 > 10"],
    "talked-week": ["talked_week > talked OR talked IS NULL"],
    "average-talk": ["duration_seconds > average_talk * 2"],
    "per-second": ["60 / duration_seconds >= 1"],
    "last-topic": ["last_topic ILIKE 'BILL%'", "last_topic <> topic OR topic IS NULL"],
    "last-length": ["last_length / 7 = 8"],
    "longest": ["longest = duration_seconds", "longest > 50"],
    "agents": ["agents >= 3"],
    "quiet": ["quiet_days BETWEEN 1 AND 4"],
    "contact": ["days_since_contact = 0", "office = 'office_berlin'"],
    "busy": ["'busy' = ANY(customer.tags)", "NOT 'talkative' = ANY(customer.tags)"],
    "talkative": ["'talkative' = ANY(customer.tags)", "'declining' = ANY(customer.tags)"],
    "fleet": ["customer.fleet / 2 = 3 OR customer.fleet % 2 = 1"],
    "discount": ["customer.discount / 2 = 3.5 OR customer.discount / 2 = 3"],
    "name": ["customer.name < 'b' AND customer.region IS NOT NULL"],
    "changed-mood": ["last_sentiment IN ('negative', 'neutral') AND text ILIKE '%SEAL%'"],
}

RULE = """  - id: {id}
    title: {id}
    on: {on}
    when:
{when}    severity: normal
    caller: account_owner
    policy: call_in_3d
"""


def write_rules(starter: Path, folder: Path) -> Path:
    """The folder with the starter rules and these."""
    shutil.copytree(starter, folder)
    (folder / "lists.yaml").write_text(LISTS, encoding="utf-8")
    (folder / "attributes.yaml").write_text(ATTRIBUTES, encoding="utf-8")
    (folder / "segments.yaml").write_text(SEGMENTS, encoding="utf-8")
    with (folder / "signals.yaml").open("a", encoding="utf-8") as signals:
        signals.write(SIGNALS)
    rules = [*_rules("survey.answered", ANSWERED), *_rules("interaction.recorded", CALLED)]
    (folder / "escalations" / "extra.yaml").write_text(
        "rules:\n" + "".join(rules), encoding="utf-8"
    )
    return folder


def _rules(on: str, conditions: dict[str, list[str]]) -> list[str]:
    return [RULE.format(id=id_, on=on, when=_when(found)) for id_, found in conditions.items()]


def _when(conditions: list[str]) -> str:
    quoted = (sql.replace("'", "''") for sql in conditions)
    return "".join(f"      part {number}: '{sql}'\n" for number, sql in enumerate(quoted, 1))
