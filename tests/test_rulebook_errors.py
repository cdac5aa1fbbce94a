"""A rulebook with errors is refused whole: all of them at once, each with file, line and what was probably meant."""

import pytest

from tests.builders import changed, problems_of, rulebook, starter_files

TEN = {
    "an unknown field": ("key_accounts", "sentiment =", "sentimnt =", "did you mean 'sentiment'?"),
    "an unknown policy": ("calls_in_vain", "policy: call_in_24h", "policy: call_in_24", "did you mean 'call_in_24h'?"),
    "an unknown role": (
        "unhappy_customers",
        "caller: account_owner",
        "caller: acount_owner",
        "did you mean 'account_owner'?",
    ),
    "an unknown key": ("surveys", "question:", "qestion:", "did you mean 'question'?"),
    "no duration": ("sla", "within: 4h", "within: 4 hours", None),
    "an unknown person": ("routing", "person: vp_sales", "person: vp_sale", "did you mean 'vp_sales'?"),
    "an unknown event type": (
        "signals",
        "count: interaction.recorded",
        "count: interaction.recorde",
        "interaction.recorded",
    ),
    "a list that is not there": (
        "segments",
        "members: key_accounts.csv",
        "members: key_acounts.csv",
        "key_accounts.csv",
    ),
    "a time without zone": ("settings", '"2026-01-01T00:00:00Z"', '"2026-01-01 00:00"', None),
}


@pytest.mark.parametrize("name", TEN)
def test_each_error_is_found_where_it_stands_with_a_suggestion(name: str) -> None:
    file, old, new, suggestion = TEN[name]
    files = changed(**{file: (old, new)})
    path = next(p for p in files if p.endswith(f"/{file}.yaml"))
    line = files[path][: files[path].index(new)].count("\n") + 1
    found = [problem for problem in problems_of(files) if problem.file == path]
    assert line in {problem.line for problem in found}, found
    if suggestion is not None:
        assert any(suggestion in (problem.suggestion or "") for problem in found), found


def test_all_of_them_are_found_at_once() -> None:
    files = dict(starter_files())
    for file, old, new, _ in TEN.values():
        path = next(p for p in files if p.endswith(f"/{file}.yaml"))
        files[path] = files[path].replace(old, new, 1)
    files["templates/mail/en/call.txt"] += "{% if %}"
    found = problems_of(files)
    named = {problem.file for problem in found}
    assert {p for p in files if any(p.endswith(f"/{file}.yaml") for file, *_ in TEN.values())} <= named
    assert "templates/mail/en/call.txt" in named
    assert len(found) >= 10
    assert all(str(problem).startswith(problem.file) for problem in found)


def test_a_key_that_stands_twice_is_refused_and_yaml_is_1_2() -> None:
    (problem,) = problems_of(changed(sla=("policies:\n", "policies:\n  call_in_3d: {}\n")))[:1]
    assert "twice" in problem.message
    norway = changed(routing=("{country: DE, office: office_berlin", "{country: NO, office: office_berlin"))
    assert rulebook(norway).routing.territories[0].country == "NO"


def test_any_byte_of_a_file_changes_the_hash() -> None:
    assert rulebook(changed(settings=("EUR", "USD"))).hash != rulebook().hash
    assert rulebook(changed(settings=("# What", "#  What"))).hash != rulebook().hash
