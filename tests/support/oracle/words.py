"""The words of conditions as docs/reference/conditions.md has them, and what they are in DuckDB."""

from tests.support.oracle.conditions import NUMBER

EVENT = {
    "survey.answered": "survey_id metric scale score sentiment comment language contact_me"
    " respondent.name respondent.email respondent.phone",
    "interaction.recorded": "channel direction outcome office agent contact topic duration_seconds "
    "text",
}
EVERY_EVENT = "type source id time"
CUSTOMER = {
    **dict.fromkeys(("name", "parent", "industry", "country", "region", "city"), "text"),
    **dict.fromkeys(("lifecycle", "owner", "language", "time_zone"), "text"),
    "revenue_with_us": "number",
    "employees": "whole number",
    "renewal_date": "date",
}
HISTORY = "last_score last_sentiment score_change days_since_contact days_to_renewal"
SENTIMENT = """CASE
  WHEN "event.score" IS NULL THEN NULL
  WHEN "event.metric" = 'nps'
    THEN CASE WHEN "event.score" <= 6 THEN 'negative' WHEN "event.score" <= 8 THEN 'neutral' ELSE 'positive' END
  WHEN "event.metric" = 'csat'
    THEN CASE WHEN "event.score" <= 2 THEN 'negative' WHEN "event.score" <= 3 THEN 'neutral' ELSE 'positive' END
  WHEN "event.metric" = 'ces'
    THEN CASE WHEN "event.score" <= 3 THEN 'negative' WHEN "event.score" <= 4 THEN 'neutral' ELSE 'positive' END
  WHEN 10 * ("event.score" - 1) < 4 * ("event.scale" - 1) THEN 'negative'
  WHEN 100 * ("event.score" - 1) >= 75 * ("event.scale" - 1) THEN 'positive'
  ELSE 'neutral' END"""  # noqa: E501

JSON = {
    "text": ("'VARCHAR'", "VARCHAR"),
    "number": ("'BIGINT', 'UBIGINT', 'DOUBLE'", NUMBER),
    "whole number": ("'BIGINT', 'UBIGINT'", "BIGINT"),
    "true/false": ("'BOOLEAN'", "BOOLEAN"),
    "date": ("'VARCHAR'", "DATE"),
    "time": ("'VARCHAR'", "TIMESTAMPTZ"),
    "list of texts": ("'ARRAY'", "VARCHAR[]"),
}
DAY = 86_400_000_000
NUMBERS = ("score", "duration_seconds")
AGGREGATES = {
    "count": "count({value})",
    "sum": "sum({value})",
    "avg": "CAST(sum({value}) AS DOUBLE) / nullif(count({value}), 0)",
    "min": "min({value})",
    "max": "max({value})",
    "distinct": "count(DISTINCT {value})",
    "last": "arg_max({value}, m.n)",
    "days_since": f'(epoch_us(e."event.time") - epoch_us(max(m."event.time"))) // {DAY}',
}
WHOLE = {
    "sum": "bool_and({whole})",
    "min": "arg_min({whole}, {value})",
    "max": "arg_max({whole}, {value})",
    "last": "arg_max({whole}, m.n)",
}
UNITS = {"d": "days", "h": "hours", "m": "minutes"}
