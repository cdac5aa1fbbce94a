"""What a policy file may ask of calendars and acknowledgements."""

from tests.support.builders import changed, problems_of
from tests.support.cases.work import BERLIN, OF_FIXER, with_file


def test_not_everybody_has_a_calendar() -> None:
    (problem,) = problems_of(with_file("calendars", BERLIN, sla=OF_FIXER["sla"]))
    assert (problem.file, problem.message) == ("rules/sla.yaml", "not everybody has a calendar")
    assert problem.suggestion == "add `calendar:` to rules/settings.yaml, for whoever has none"
    (problem,) = problems_of(
        with_file("calendars", BERLIN, settings=("currency: EUR", "currency: EUR\ncalendar: berln"))
    )
    assert (problem.file, problem.suggestion) == ("rules/settings.yaml", "did you mean 'berlin'?")


def test_only_an_acknowledgement_goes_stale() -> None:
    (problem,) = problems_of(changed(sla=("within: 24h", "within: 24h\n      stale_after: 6h")))
    assert "only `acknowledge` has `stale_after`" in problem.message
