"""`alerting sla due --cases`: one answer for each line, so that a program can check many."""

from collections.abc import Mapping
from difflib import get_close_matches

from alerting.cli.cases.instants import ordered, read_instant, seconds, written
from alerting.domain.errors import Invalid
from alerting.domain.rulebook.evaluation import FactsInvalid, read_json
from alerting.domain.times.calendars import Calendar
from alerting.domain.times.working_time import Amount, Pause, due_instant, read_amount, working_time

_KEYS = ("calendar", "target", "start", "pauses", "end")


def answer_line(line: bytes, calendars: Mapping[str, Calendar]) -> dict[str, object]:
    """`due`, `working_seconds` and `felt_seconds` of a case in JSON, or its `error` in words."""
    try:
        case = read_json(line.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").decode("utf-8"))
        return _answer(case, calendars)
    except (FactsInvalid, Invalid, ValueError) as error:
        return {"error": " ".join(str(error).split())}


def _answer(case: object, calendars: Mapping[str, Calendar]) -> dict[str, object]:
    if not isinstance(case, dict):
        raise Invalid('a case is {"calendar": "berlin", "target": "8h", "start": "...Z"}')
    for key in case.keys() - set(_KEYS):
        near = get_close_matches(key, _KEYS, n=1, cutoff=0.7)
        if near:
            raise Invalid(f"unknown key {key!r}; did you mean {near[0]!r}?")
    calendar = calendar_named(calendars, case.get("calendar", "always"))
    amount = _amount(case.get("target"), calendar)
    start = read_instant(case.get("start"), "start")
    pauses = _pauses(case.get("pauses"))
    found = due_instant(calendar, start, amount, pauses)
    end = found if case.get("end") is None else read_instant(case["end"], "end")
    if end is not None and end < start:
        raise Invalid("end lies before start")
    if end is None:
        return {"due": None, "working_seconds": None, "felt_seconds": None}
    return {
        "due": None if found is None else written(found),
        "working_seconds": seconds(working_time(calendar, start, end, pauses)),
        "felt_seconds": seconds(end - start),
    }


def calendar_named(calendars: Mapping[str, Calendar], name: object) -> Calendar:
    """Raises Invalid that says what was probably meant."""
    if not isinstance(name, str) or name not in calendars:
        near = get_close_matches(str(name), calendars, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(calendars))}"
        raise Invalid(f"no calendar is called {name!r}; {hint}")
    return calendars[name]


def _amount(text: object, calendar: Calendar) -> Amount:
    if not isinstance(text, str):
        raise Invalid(
            "target: is missing" if text is None else f"target: {text!r} is not a target; write 8h"
        )
    return read_amount(text, calendar)


def _pauses(given: object) -> list[Pause]:
    if given is None:
        return []
    if not isinstance(given, list) or any(
        not isinstance(pair, list) or len(pair) != 2 for pair in given
    ):
        raise Invalid(
            'pauses: must be a list of pairs such as ["2026-03-06T10:00Z", "2026-03-06T12:00Z"]'
        )
    return [
        ordered(read_instant(begin, "pauses"), None if end is None else read_instant(end, "pauses"))
        for begin, end in given
    ]
