"""What a source says it sent, by day or by id."""

from datetime import date
from pathlib import Path

import pytest

from alerting.adapters.intake.source_counts import read_sent
from alerting.domain.errors import ActionRefused
from alerting.services.intake.reconciliation import Sent


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        (
            "day,count\n2026-03-05,2\n2026-03-06,0\n",
            Sent(days={date(2026, 3, 5): 2, date(2026, 3, 6): 0}),
        ),
        ("2026-03-05;2\n", Sent(days={date(2026, 3, 5): 2})),
        ("id\na\n\nb\na\n", Sent(ids=["a", "b"])),
        ("\ufeffa\nb\n", Sent(ids=["a", "b"])),
        ("response_id,at\na,2026\n", Sent(ids=["a"])),
        ("Response ID\nr1\n", Sent(ids=["r1"])),
        ("Token\nabc\n", Sent(ids=["abc"])),
        ("event-id\nx\ny9\n", Sent(ids=["x", "y9"])),
        ("Date;Count\n2026-03-05;2\n", Sent(days={date(2026, 3, 5): 2})),
    ],
)
def test_a_source_counts_by_day_or_by_id(tmp_path: Path, text: str, sent: Sent) -> None:
    file = tmp_path / "sent.csv"
    file.write_text(text)
    assert read_sent(file) == sent


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "sent.csv is empty; write day,count or one id a line"),
        (
            "day,count\n2026-03-05,two\n",
            "sent.csv:2: '2026-03-05, two' is no day with its count; write 2026-03-06,12",
        ),
        ("day,count\n5.3.2026,2\n", "sent.csv:2: '5.3.2026, 2' is no day"),
        ("day,count\n2026-03-05\n", "sent.csv:2: '2026-03-05' is no day"),
        ("2026-03-05,-1\n", "is no day with its count"),
        (
            "2026-03-05,1\n2026-03-05,2\n",
            "sent.csv:2: 2026-03-05 stands here twice; add the counts up",
        ),
        ('"2026-03-05,1\n', "sent.csv:1: "),
        ("id\n", "sent.csv has a heading and nothing below it; write day,count or one id a line"),
        ("day,count\n", "sent.csv has a heading and nothing below it"),
        (
            "Antwortnummer\nr1\nr2\n",
            "sent.csv:1: 'Antwortnummer' is nothing like what stands below it; write id or",
        ),
        ("id\na\x00\n", "sent.csv:2: no id holds a NUL"),
        (
            "2026-03-05,1_0\n",
            "sent.csv:1: '2026-03-05, 1_0' is no day with its count; write 2026-03-06,12",
        ),
        ("2026-03-05,1e30\n", "is no day with its count"),
        (f"2026-03-05,1{'0' * 30}\n", "is no day with its count"),
        (
            "9999-12-31,1\n",
            "sent.csv:1: 9999-12-31 is no day on which anything was sent; write one of 1900 to "
            "8999",
        ),
        ("0001-01-01,1\n", "sent.csv:1: 0001-01-01 is no day on which anything was sent"),
    ],
)
def test_what_is_no_such_file_is_refused_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "sent.csv"
    file.write_text(text)
    with pytest.raises(ActionRefused, match=said.replace("(", r"\(")):
        read_sent(file)
