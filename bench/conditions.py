"""Conditions a second, one event x 100 rules, against rule-engine and CEL: at least 5 times the
faster of the two.

Run by `make bench`. Ends with 1 where the three do not give the same answers, else with 0.
"""

import sys
from collections.abc import Callable
from typing import Any

from alerting.domain.conditions.compiler import compile_condition
from alerting.domain.rulebook.rule_index import RuleIndex
from bench.hundred_rules import VOCABULARY, events, for_peers, hundred_rules
from bench.measuring import ROOT, ROUNDS, take_turns, verdict, where_and_what

sys.path.append(
    str(ROOT / ".venv-bench")
)  # behind the product's own packages, which are not to change

import cel
import rule_engine

Facts = dict[str, Any]
TARGET = 5
EVENTS, TIMES, EVENTS_OF_THE_SLOW = 500, 4, 20
OURS, ALONE, CEL, RULE_ENGINE = "alerting", "alerting, each condition alone", "CEL", "rule-engine"

RULES = hundred_rules()
CONDITIONS = [
    compile_condition(rule.sql, VOCABULARY.for_rules("survey.answered")) for rule in RULES
]
DECIDING = [condition.decide for condition in CONDITIONS]
INDEX = RuleIndex([(number, [condition]) for number, condition in enumerate(CONDITIONS)])
PROGRAMS = [cel.compile(rule.cel) for rule in RULES]
ENGINE_RULES = [rule_engine.Rule(rule.rule_engine) for rule in RULES]


def by_index(facts: Facts) -> list[int]:
    """As `judge` does: the rules none of whose conditions is false."""
    return INDEX.possible(facts)


def alone(facts: Facts) -> list[bool | None]:
    return [decide(facts) for decide in DECIDING]


def by_cel(facts: Facts) -> list[bool]:
    """One context, shared by all rules."""
    context = cel.Context(facts)
    return [program.execute(context) for program in PROGRAMS]


def by_rule_engine(facts: Facts) -> list[bool]:
    return [rule.matches(facts) for rule in ENGINE_RULES]


def differences(facts: Facts) -> list[str]:
    """Rules on which not all agree. SQL's unknown does not fire, as the other two's false."""
    ours, cel_says, engine_says = (
        alone(facts),
        by_cel(for_peers(facts)),
        by_rule_engine(for_peers(facts)),
    )
    possible = [number for number, truth in enumerate(ours) if truth is not False]
    wrong = [] if by_index(facts) == possible else [f"the index: {by_index(facts)}, not {possible}"]
    for rule, *answers in zip(RULES, ours, cel_says, engine_says, strict=True):
        if len({answer is True for answer in answers}) > 1:
            wrong.append(f"{rule.sql}: {answers}")
    return wrong


def on_all(run: Callable[[Facts], object], given: list[Facts]) -> Callable[[], None]:
    def run_all() -> None:
        for facts in given:
            run(facts)

    return run_all


def main() -> int:
    ours = events(EVENTS)
    wrong = [difference for facts in ours[:100] for difference in differences(facts)]
    if wrong:
        print("The answers differ:", *wrong[:10], sep="\n  ")
        return 1
    peers = [for_peers(facts) for facts in ours]
    few, ours, peers = peers[:EVENTS_OF_THE_SLOW], ours * TIMES, peers * TIMES
    times = take_turns(
        {
            OURS: on_all(by_index, ours),
            CEL: on_all(by_cel, peers),
            ALONE: on_all(alone, ours),
            RULE_ENGINE: on_all(by_rule_engine, few),
        }
    )
    fired = sum(truth is True for facts in ours for truth in alone(facts)) / len(ours)
    print(
        f"Conditions: one event x 100 rules, of which {fired:.1f} fire; median of {ROUNDS} rounds"
    )
    print(f"  {where_and_what()}")
    for name in (OURS, ALONE, CEL, RULE_ENGINE):
        how_many = 100 * (len(few) if name == RULE_ENGINE else len(ours))
        ratio = f"{times.ratio(CEL, name):6.2f} x CEL" if name != RULE_ENGINE else ""
        print(f"  {name:32} {how_many / times.median(name):12,.0f} conditions/s {ratio}")
    won = times.ratio(CEL, OURS)
    print(f"  at least {TARGET} times the faster of the two: {won:.1f}, {verdict(won >= TARGET)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
