"""An exported audit as a file: every change of it is found without the database."""

import json
import random

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from alerting.cli import main
from alerting.domain.audit.audit_file import check_file, lines_of
from alerting.domain.audit.seals import GENESIS, Head, Seal, canonical, read_head, seal_after
from tests.support.builders import unhurried


def chain(bodies: list[bytes]) -> list[tuple[Seal, bytes]]:
    found, head = [], Head()
    for number, body in enumerate(bodies, 1):
        seal = seal_after(head, number, body)
        found.append((seal, body))
        head = Head(seq=seal.seq, hash=seal.hash)
    return found


BODIES = [
    canonical({"version": 1, "action": f"case.{n}", "facts": {"words": "Grüße 🚲\n", "n": n}})
    for n in range(12)
]


WHOLE = list(lines_of(chain(BODIES), {"exported_at": "2026-03-06T08:30:00+00:00", "entries": 12}))


def test_a_thousand_mutations_of_an_export_are_all_found() -> None:
    assert check_file(WHOLE)[1] == []
    rnd, raw = random.Random(1), b"".join(WHOLE)
    missed = 0
    for n in range(1_000):
        data = bytearray(raw)
        at = rnd.randrange(len(data))
        match n % 5:
            case 0:
                data[at] ^= 1 << rnd.randrange(8)
            case 1:
                del data[at : at + rnd.randrange(1, 400)]
            case 2:
                data[at:at] = rnd.choice(
                    [b" ", b"\n", b"0", b"{}", b"\x00", WHOLE[rnd.randrange(len(WHOLE))]]
                )
            case 3:
                lines = list(WHOLE)
                a, b = rnd.sample(range(len(lines)), 2)
                lines[a], lines[b] = lines[b], lines[a]
                data = bytearray(b"".join(lines))
            case 4:
                lines = list(WHOLE)
                lines.insert(rnd.randrange(len(lines) + 1), rnd.choice(WHOLE))
                data = bytearray(b"".join(lines))
        missed += check_file(bytes(data).splitlines(keepends=True))[1] == [] or bytes(data) == raw
    print(f"1,000 mutations of an exported audit: {1_000 - missed} found")
    assert missed == 0


def test_a_file_written_anew_is_found_by_a_checkpoint_alone() -> None:
    head = check_file(WHOLE)[0]
    forged = list(lines_of(chain(BODIES[:5] + BODIES[6:]), {"entries": 11}))
    assert check_file(forged)[1] == []
    assert check_file(forged, [head])[1] == [
        "the chain ends at seal 11, the checkpoint knows seal 12"
    ]
    altered = list(lines_of(chain([b"{}", *BODIES[1:]]), {"entries": 12}))
    assert check_file(altered, [head])[1] == ["seal 12 is not the one the checkpoint knows"]


@unhurried
@given(st.lists(st.binary(max_size=20) | st.sampled_from(WHOLE), max_size=6))
def test_no_file_makes_the_check_break(lines: list[bytes]) -> None:
    assert check_file(lines)[1] != [] or lines == WHOLE


def test_a_file_holds_as_many_entries_as_it_says() -> None:
    cut = list(
        lines_of(chain(BODIES[:5]), {"exported_at": "2026-03-06T08:30:00+00:00", "entries": 12})
    )
    assert check_file(cut)[1] == ["line 1: says that 12 entries follow, and 5 do"]


def test_half_of_a_surrogate_pair_is_no_text_of_an_entry() -> None:
    line = json.dumps({**json.loads(WHOLE[3]), "body": "\ud800"}).encode() + b"\n"
    assert "line 4: is not as it was written" in check_file([*WHOLE[:3], line, *WHOLE[4:]])[1]


def test_checkpoints_are_written_and_read_again() -> None:
    head = check_file(WHOLE)[0]
    assert read_head(str(head)) == head
    for wrong in ("12", "x:" + GENESIS, f"12:{GENESIS[:-1]}", f"12:{GENESIS.upper()}"):
        with pytest.raises(ValueError, match="is no checkpoint"):
            read_head(wrong)


@pytest.mark.parametrize("period", ["2026-13", "march", "2026-3", "0000"])
def test_a_period_is_a_month_or_a_year(period: str) -> None:
    result = CliRunner().invoke(main, ["audit", "sample", "--period", period])
    assert result.exit_code == 2
    assert "write 2026-10 or 2026" in result.output
