"""Files that do not fit their form say where, and what would."""

import pytest

from tests.support.builders import changed, rulebook, starter_files
from tests.support.rulebook.files import SETTINGS, SLA, SURVEYS, found, the_problem, with_file

GO_LIVE = 'go_live: "2026-01-01T00:00:00Z"\n'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", ":1:1: the file is empty (begin with `go_live:`)"),
        ("# nothing\n", ":1:1: the file is empty (begin with `go_live:`)"),
        ("- go_live\n", ":1:1: the file holds no keys with values (begin with `go_live:`)"),
        ("go_live\n", ":1:1: the file holds no keys with values (begin with `go_live:`)"),
        (
            GO_LIVE + "\tcurrency: EUR\n",
            ":2:1: not YAML: found character '\\t' that cannot start any token",
        ),
        (
            GO_LIVE + "currency: EUR\ncurrency: USD\n",
            ":3:1: this key stands here twice (keep one of them)",
        ),
        ('go_live: "2026', ":1:15: not YAML: found unexpected end of stream"),
        (GO_LIVE + "---\n" + GO_LIVE, ":2:1: not YAML: but found another document"),
        ("go_live: *there\n", ":1:10: not YAML: found undefined alias 'there'"),
        (
            GO_LIVE + "currency: \x07\n",
            ":2: not YAML: a character that no text has: '\\x07' (remove it)",
        ),
        (GO_LIVE + "curencyy: EUR\n", ":2:1: unknown key 'curencyy' (did you mean 'currency'?)"),
        (GO_LIVE + "5: EUR\n", ":2:1: Keys should be strings"),
        ("currency: EUR\n", ":1:1: 'go_live' is missing (add `go_live:`)"),
        ("go_live: 2026\n", ":1:1: write a time with its zone"),
        ("go_live: 2026-01-01\n", ":1:1: write a time with its zone"),
        ("go_live: 2026-01-01T00:00:00\n", ":1:1: must have timezone info"),
        (
            GO_LIVE + "notify_max_age: 9:00\n",
            ":2:1: '9:00' is not a duration; write 30m, 24h or 7d",
        ),
        (GO_LIVE + "notify_max_age: 7\n", ":2:1: '7' is not a duration; write 30m, 24h or 7d"),
        (
            GO_LIVE + "notify_max_age: 5 working days\n",
            ":2:1: '5 working days': only targets are counted in working days",
        ),
        (
            GO_LIVE + "currency: euro\n",
            ":2:1: 'euro' does not fit here (three capital letters, such as EUR)",
        ),
    ],
)
def test_a_file_that_does_not_fit_says_where_and_what_would(text: str, problem: str) -> None:
    assert the_problem(with_file(SETTINGS, text)).startswith(SETTINGS + problem)


def test_two_empty_files_are_two_problems() -> None:
    files = with_file(SETTINGS, "") | {SURVEYS: "# later\n"}
    assert found(files) == [
        f"{SETTINGS}:1:1: the file is empty (begin with `go_live:`)",
        f"{SURVEYS}:1:1: the file is empty (begin with `surveys:`)",
    ]


def test_on_no_and_times_of_day_are_words() -> None:
    routing = changed(
        routing=("{country: DE, office: office_berlin", "{country: NO, office: office_berlin")
    )
    assert rulebook(routing).routing.territories[0].country == "NO"
    surveys = changed(surveys=("low_label: not at all likely", "low_label: 9:00"))
    assert rulebook(surveys).surveys["relationship"].low_label == "9:00"
    assert all(rule.on in {"survey.answered", "interaction.recorded"} for rule in rulebook().rules)


def test_merged_keys_are_checked_like_others() -> None:
    text = starter_files()[SLA].replace(
        "      by: caller\n      within: 3d\n", "      <<: {by: callr, within: 3d}\n"
    )
    assert "must be 'caller' or 'fixer' (did you mean 'caller'?)" in the_problem(
        with_file(SLA, text)
    )


def test_a_key_that_stands_twice_hides_nothing_else_in_its_file() -> None:
    twice = (
        GO_LIVE
        + "currency: EUR\ncurrency: USD\nlateness: soon\nlateness: 7d\nnotify_max_agee: 7d\n"
    )
    problems = found(with_file("rules/settings.yaml", twice))
    assert [line.split(": ", 1)[0] for line in problems] == [
        f"rules/settings.yaml:{n}:1" for n in (3, 4, 5, 6)
    ]
    assert "did you mean 'notify_max_age'" in problems[-1]
