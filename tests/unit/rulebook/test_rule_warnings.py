"""What is warned of: who is never asked, mails nobody sends."""

import pytest

from alerting.adapters.files.findings import Findings
from alerting.adapters.rulebook.rulebook_builder import build_rulebook
from alerting.domain.errors import RulebookInvalid
from tests.support.builders import changed, starter_files
from tests.support.rulebook.files import found, the_problem, with_file


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            "industry_lead, segment_lead, default]",
            "default, segment_lead]",
            "is never reached: segment_lead",
        ),
        (
            "  - {country: US, office",
            "  - {country: germany, lead: lead_america}\n  - {country: US, office",
            ":13:24: never reached: DE has its lead above",
        ),
    ],
)
def test_who_is_never_asked_is_found(before: str, after: str, said: str) -> None:
    assert said in the_problem(changed(routing=(before, after)))


def test_of_two_entries_for_one_place_each_may_say_what_the_other_does_not() -> None:
    whole = "  - {country: US, office: office_chicago, lead: lead_america}"
    parts = "  - {country: US, office: office_chicago}\n  - {country: US, lead: lead_america}"
    assert found(changed(routing=(whole, parts))) == []


def test_mails_nobody_sends_and_locales_nobody_has_are_warned_of() -> None:
    files = {
        **starter_files(),
        "templates/mail/en/cal.txt": "x",
        "templates/mail/en/call.htm": "x",
        "templates/mail/german/call.txt": "x",
        "templates/mail/de/_words.txt": "x",
    }
    findings = Findings()
    build_rulebook(files, None, findings)
    assert [str(warning) for warning in findings.warnings] == [
        "templates/mail/en/cal.txt: no rule sends the mail 'cal' (did you mean 'call'?)",
        "templates/mail/en/call.htm: no mail has a file of this name (name it "
        "call.subject.txt/.txt/.html)",
        "templates/mail/german/call.txt: 'german' is no locale (name the folder de, or pt-BR)",
    ]


@pytest.mark.parametrize(
    "fine",
    [
        "{% for a in v.alerts %}{{ a.title }}{{ loop.index }}{% endfor %}",
        "{% for a in v.alerts %}{{ a.title }}{% endfor %}{% for a in v.informed %}{{ a.email }}{% "
        "endfor %}",
        "{% macro m(a) %}{{ a.anything }}{% endmacro %}{% for a in v.alerts %}{{ m(a) }}{% endfor "
        "%}",
        "{% set c = v.customer %}{{ c.state.renewal_date }}{{ c['name'] }}",
        "{% for k, x in v.clocks.items() %}{{ x.due_at }}{% endfor %}",
    ],
)
def test_names_of_a_templates_own_are_not_misunderstood(fine: str) -> None:
    name = "templates/mail/en/fix.txt"
    assert found(with_file(name, starter_files()[name] + fine)) == []


def test_a_file_of_words_that_is_no_yaml_hides_nothing_of_the_others() -> None:
    files = {
        **starter_files(),
        "rules/words/de.yaml": "conditions: {no such condition: so nicht}\n",
        "rules/words/fr.yaml": "conditions: {",
    }
    findings = Findings()
    with pytest.raises(RulebookInvalid):
        build_rulebook(files, None, findings)
    named = [(problem.file, problem.line) for problem in findings.problems]
    assert named[0] == ("rules/words/de.yaml", 1)
    assert {file for file, _ in named[1:]} == {"rules/words/fr.yaml"}


def test_problems_stand_in_the_order_of_the_files() -> None:
    files = {
        **starter_files(),
        "rules/escalations/aa.yaml": "rules: [{id: aa}]\n",
        "rules/escalations/zz.yaml": "rules: [",
    }
    findings = Findings()
    with pytest.raises(RulebookInvalid):
        build_rulebook(files, None, findings)
    of_rules = [p.file for p in findings.problems if p.file.startswith("rules/escalations/")]
    assert of_rules == sorted(of_rules)
    assert len(set(of_rules)) == 2
