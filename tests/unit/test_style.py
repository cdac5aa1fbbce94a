"""The rules of form that no linter knows. What breaks one today stands in its list by name; the
test fails when something is added, and when something listed is mended and still stands there.
"""

from collections.abc import Callable

import pytest

from tests.support import style

NOUNS = frozenset({"mapping", "routing", "standing"})
"""Words in -ing that name a thing."""

NESTED = frozenset(
    {
        "alerting/adapters/files/yaml_files.py::YamlFile.items",
        "alerting/adapters/rulebook/rule_test_forms.py::ExpectForm.kind",
        "alerting/cli/alerts/backtest.py::_counts",
        "alerting/cli/alerts/explain.py::_shown",
        "alerting/cli/alerts/explain.py::_tell_dead_letter",
        "alerting/cli/imports/import_file.py::import_",
        "alerting/cli/reports/report.py::_words",
        "alerting/domain/cases/corrections.py::decide",
        "alerting/domain/cases/waits.py::begin_wait",
        "alerting/domain/conditions/facts.py::_any",
        "alerting/domain/conditions/logic.py::Logic._member.run",
        "alerting/domain/conditions/shapes.py::_among_changing.run",
        "alerting/domain/conditions/shapes.py::all_of",
        "alerting/domain/conditions/shapes.py::among.run",
        "alerting/domain/conditions/shapes.py::any_of",
        "alerting/domain/customers/customer_diff.py::CustomerDiff.kind",
        "alerting/domain/customers/value.py::group_of",
        "alerting/domain/intake/payloads.py::sentiment_of",
        "alerting/domain/reports/breaches.py::_tried",
        "alerting/domain/rulebook/routing_lint.py::_ids_of",
        "alerting/services/alerts/explain_event.py::_timer",
        "alerting/services/imports/person_rows.py::column_named",
        "alerting/services/imports/read_cell.py::ColumnReader.__init__",
        "alerting/services/imports/read_cell.py::ColumnReader._chosen",
        "alerting/services/imports/read_row.py::RowReader.key_of",
        "alerting/services/intake/put_customer.py::_field",
        "bench/hundred_rules.py::_event",
    }
)
CLAUSES = frozenset(
    {
        "alerting/adapters/rulebook/people_file.py::_standing_in",
        "alerting/cli/alerts/backtest.py::backtest_",
        "alerting/database/audit/erasure.py::message_ids",
        "alerting/domain/customers/standing.py::_calendar",
        "alerting/domain/intake/payloads.py::contact_keys",
        "alerting/domain/rulebook/routing_lint.py::_segments",
        "alerting/domain/rulebook/rule_tests.py::judge_test",
        "alerting/domain/rulebook/rulebook.py::Rulebook.standing_reads",
        "alerting/services/alerts/backtest.py::backtest",
        "alerting/services/alerts/rejudge_events.py::_signal_points",
        "alerting/services/mail/weekly.py::weekly_letter",
        "alerting/services/reports/report.py::unknown_names",
        "alerting/services/rulebook/list_changes.py::_members",
        "alerting/services/rulebook/play_rule_test.py::_Account._names_of",
    }
)
FUNCTIONS = frozenset(
    {
        "alerting/adapters/rulebook/rulebook_builder.py::_Builder._rule",
        "alerting/adapters/rulebook/rulebook_builder.py::_Builder.build",
        "alerting/cli/demo_story.py::_customers",
        "alerting/database/cases/cases.py::save_clock",
        "alerting/domain/cases/corrections.py::decide",
        "alerting/domain/cases/waits.py::begin_wait",
        "alerting/domain/mail/notifications.py::reason_gone",
        "alerting/entrypoints/web/cases/action_links.py::_shown",
        "alerting/entrypoints/web/cases/case_pages.py::api_routes",
        "alerting/entrypoints/web/customers/customer_api.py::routes",
        "alerting/entrypoints/web/customers/segment_lists.py::inside_routes",
        "alerting/services/cases/case_view.py::case_as_json",
        "alerting/services/cases/timeline.py::_in_words",
        "scripts/screenshots::_made_up",
    }
)
FILES = frozenset(
    {
        "alerting/adapters/files/yaml_files.py",
        "alerting/adapters/intake/kafka.py",
        "alerting/adapters/mail/email/templates.py",
        "alerting/adapters/rulebook/rule_forms.py",
        "alerting/adapters/rulebook/rulebook_builder.py",
        "alerting/bootstrap.py",
        "alerting/cli/cases/case.py",
        "alerting/cli/cases/sla.py",
        "alerting/cli/demo_story.py",
        "alerting/database/cases/cases.py",
        "alerting/database/intake/events.py",
        "alerting/database/reports/report_promises.py",
        "alerting/domain/cases/case_alerts.py",
        "alerting/domain/cases/case_responses.py",
        "alerting/domain/cases/corrections.py",
        "alerting/domain/conditions/analysis.py",
        "alerting/domain/intake/payloads.py",
        "alerting/domain/routing/routing.py",
        "alerting/domain/times/calendars.py",
        "alerting/services/alerts/explain_event.py",
        "alerting/services/alerts/raise_alert.py",
        "alerting/services/cases/case_view.py",
        "alerting/services/imports/read_cell.py",
        "alerting/services/intake/take_records.py",
        "alerting/services/mail/claim.py",
        "alerting/services/rulebook/list_changes.py",
        "alerting/services/rulebook/play_rule_test.py",
        "scripts/production-story",
        "scripts/screenshots",
    }
)
CROWDED: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("find", "listed"),
    [
        (style.nested_conditionals, NESTED),
        (style.long_comprehensions, CLAUSES),
        (style.long_functions, FUNCTIONS),
        (style.long_files, FILES),
        (style.full_folders, CROWDED),
    ],
    ids=["nested conditional", "three clauses", "51 lines", "301 lines", "16 files"],
)
def test_nothing_breaks_a_rule_of_form_but_what_is_listed(
    find: Callable[[], set[str]], listed: frozenset[str]
) -> None:
    found = find()
    assert sorted(found - listed) == [], "mend these"
    assert sorted(listed - found) == [], "these are mended: take them from the list"


def test_no_module_is_named_by_a_bare_gerund() -> None:
    assert style.gerunds(NOUNS) == set()
    assert style.gerunds(frozenset()) != set()
