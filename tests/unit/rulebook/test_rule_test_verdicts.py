"""How a rule's own test is judged: expectations and happenings, one to one."""

from datetime import timedelta
from typing import get_args

import pytest

from alerting.adapters.rulebook.forms.rule_test_forms import Outcome
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.cases.cases import OUTCOMES
from alerting.domain.errors import RulebookInvalid
from alerting.domain.rulebook.rule_tests import (
    BEGIN,
    Expected,
    Happening,
    Kind,
    Place,
    Played,
    RuleTest,
    format_offset,
    judge_test,
    parse_offset,
)
from tests.support.builders import starter_files, starter_people
from tests.support.rulebook.rule_tests import OWN


def test_every_outcome_of_a_contact_can_be_written() -> None:
    assert get_args(Outcome) == tuple(OUTCOMES)


def test_the_tests_of_a_stored_rulebook_do_not_keep_it_from_working() -> None:
    files = {**starter_files(), OWN: "tests: 5\n"}
    assert build_rulebook(files).rules  # as it is loaded from the database
    with pytest.raises(RulebookInvalid, match=f"{OWN}:1:1"):
        build_rulebook(files, starter_people())  # as it is checked before activation


def expected(
    kind: Kind = "mail", what: str | None = None, *, never: bool = False, **filters: object
) -> Expected:
    whole = {"to": None, "customer": None, "at": None, **filters}
    return Expected(kind=kind, what=what, never=never, place=Place(file=OWN, line=1), **whole)  # type: ignore[arg-type]


def mail(what: str = "call", to: str = "ann", seconds: float = 0) -> Happening:
    at = timedelta(seconds=seconds)
    return Happening(
        at=at, kind="mail", what=what, customer="ACME", to=to, names=frozenset({to, "boss"})
    )


def judged(
    expect: list[Expected], happened: list[Happening], *, only: bool = False
) -> tuple[int, int, int]:
    test = RuleTest(
        name="",
        place=Place(file=OWN, line=1),
        begin=BEGIN,
        customers=[],
        timeline=[],
        until=timedelta(0),
        expect=expect,
        only=only,
    )
    verdict = judge_test(test, Played(happened=happened))
    counts = (len(verdict.missing), len(verdict.forbidden), len(verdict.surplus))
    assert verdict.passed is (counts == (0, 0, 0))
    return counts


@pytest.mark.parametrize(
    ("sentence", "expect", "happened", "only", "counts"),
    [
        (
            "each expectation needs a mail of its own",
            [expected(), expected()],
            [mail()],
            False,
            (1, 0, 0),
        ),
        ("two of the same", [expected(), expected()], [mail(), mail()], True, (0, 0, 0)),
        (
            "a wide one gives way",
            [expected(), expected(to="ann")],
            [mail(to="ann"), mail(to="ben")],
            True,
            (0, 0, 0),
        ),
        (
            "a chain of them",
            [expected(), expected(to="boss"), expected(to="ben")],
            [mail(to="ben"), mail(), mail("fix")],
            True,
            (0, 0, 0),
        ),
        ("by role", [expected(to="boss")], [mail()], True, (0, 0, 0)),
        ("to another", [expected(to="ben")], [mail()], False, (1, 0, 0)),
        ("another template", [expected(what="fix")], [mail()], True, (1, 0, 1)),
        ("another customer", [expected(customer="B")], [mail()], False, (1, 0, 0)),
        ("another kind", [expected("alert")], [mail()], False, (1, 0, 0)),
        (
            "the same minute",
            [expected(at=timedelta(minutes=1))],
            [mail(seconds=119.9)],
            True,
            (0, 0, 0),
        ),
        (
            "the next minute",
            [expected(at=timedelta(minutes=1))],
            [mail(seconds=120)],
            False,
            (1, 0, 0),
        ),
        ("none but one came", [expected(never=True)], [mail()], False, (0, 1, 0)),
        (
            "what is forbidden is told once",
            [expected(never=True)],
            [mail(), mail()],
            True,
            (0, 2, 0),
        ),
        ("forbidden to others", [expected(never=True, to="ben")], [mail()], True, (0, 0, 1)),
        ("more than expected", [expected(to="ann")], [mail(), mail()], True, (0, 0, 1)),
        ("more, where that is no matter", [expected(to="ann")], [mail(), mail()], False, (0, 0, 0)),
    ],
)
def test_expectations_and_happenings_are_matched_one_to_one(
    sentence: str,
    expect: list[Expected],
    happened: list[Happening],
    only: bool,
    counts: tuple[int, int, int],
) -> None:
    assert judged(expect, happened, only=only) == counts, sentence


@pytest.mark.parametrize(
    ("minutes", "text"),
    [(0, "0m"), (59, "59m"), (60, "1h"), (1440, "1d"), (8064, "5d 14h 24m"), (1441, "1d 1m")],
)
def test_an_offset_is_shown_as_it_is_written(minutes: int, text: str) -> None:
    assert format_offset(timedelta(minutes=minutes)) == text
    assert parse_offset(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "2", "2x", "1h2m", "1h, 2m", "-1h", "h"])
def test_what_is_no_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_offset(text)
