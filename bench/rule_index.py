"""What an event costs in `judge` with 10, 100 and 1,000 rules: 1,000 at most 3 times what 10 cost.

The rules differ by segment, region or survey: by one of them, or each by its own combination of the
three. Run by `make bench`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from alerting.adapters.rulebook.people_file import read_people
from alerting.adapters.rulebook.rule_files import read_files
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.alerts.judge import judge
from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.customers.customers import Customer
from alerting.domain.customers.standing import Subject
from alerting.domain.intake.events import Event, parse_event
from alerting.domain.rulebook.rulebook import NamedCondition, Rulebook
from bench.measuring import ROOT, ROUNDS, take_turns, verdict, where_and_what

TARGET = 3
SIZES = (10, 100, 1_000)
EVENTS = 300
SEGMENTS = ("key", "high_potential", "low_potential", "unverified")
STARTER = build_rulebook(
    read_files(ROOT / "rules", ROOT / "templates"), read_people(ROOT / "rules" / "people.yaml")
)


def by_one_each(number: int) -> Sequence[str]:
    """A third of the rules each: their own segment, region or survey."""
    own = ("customer.segment", "customer.region", "survey_id")[number % 3]
    return ("sentiment = 'negative'", f"{own} = '{number}'", "score <= 4")


def by_combination(number: int) -> Sequence[str]:
    """4 segments x 25 regions x 10 surveys."""
    segment, region, survey = SEGMENTS[number % 4], number // 4 % 25, number // 100
    where = (
        f"customer.segment = '{segment}' AND customer.region = '{region}' AND survey_id = "
        f"'{survey}'"
    )
    return ("sentiment = 'negative'", where)


def rulebook(size: int, conditions: Callable[[int], Sequence[str]]) -> Rulebook:
    scope = STARTER.vocabulary.for_rules("survey.answered")
    first = next(rule for rule in STARTER.rules if rule.on == "survey.answered")
    rules = []
    for number in range(size):
        when = [
            NamedCondition(name=sql, condition=compile_condition(sql, scope))
            for sql in conditions(number)
        ]
        rules.append(replace(first, id=f"rule-{number}", when=tuple(when)))
    return replace(STARTER, rules=tuple(rules))


def event_and_customer(number: int) -> tuple[Event, Customer]:
    """An unhappy customer somewhere, in a segment by its revenue."""
    said = {
        "customer_id": f"C{number}",
        "survey_id": str(number % 10),
        "metric": "nps",
        "score": number % 7,
    }
    envelope = {
        "specversion": "1.0",
        "id": str(number),
        "source": "/bench",
        "type": "survey.answered",
        "data": said,
    }
    state = {
        "revenue_with_us": number * 1_500,
        "region": str(number % 25),
        "employees": 40,
        "industry": "energy",
    }
    event = parse_event(json.dumps(envelope).encode(), {}, datetime(2026, 3, 6, 8, 30, tzinfo=UTC))
    return event, Customer(key=f"C{number}", known=True, state=state)


def main() -> None:
    given = [event_and_customer(number) for number in range(EVENTS)]

    def judging(book: Rulebook) -> Callable[[], None]:
        def run() -> None:
            for event, customer in given:
                judge(event, Subject(customer=customer), book)

        return run

    print(f"Rules that cannot match: an event in judge; median of {ROUNDS} rounds")
    print(f"  {where_and_what()}")
    for words, conditions in (("one of the three", by_one_each), ("a combination", by_combination)):
        times = take_turns({str(size): judging(rulebook(size, conditions)) for size in SIZES})
        for size in map(str, SIZES):
            micro = times.median(size) / EVENTS * 1e6
            print(
                f"  differing by {words:16} {size:>5} rules {micro:7.1f} us "
                f"{times.ratio(size, '10'):6.2f} x 10 rules"
            )
        grown = times.ratio("1000", "10")
        print(
            f"  1,000 cost at most {TARGET} times what 10 cost: {grown:.2f}, "
            f"{verdict(grown <= TARGET)}"
        )


if __name__ == "__main__":
    main()
