"""What is wrong with a mapping of columns is said with its line and column."""

from pathlib import Path

import pytest

from alerting.adapters.imports.customer_tables import read_table
from alerting.adapters.imports.mapping_files import read_mapping
from alerting.domain.errors import ActionRefused
from tests.support.imports.mappings import TABLE


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (
            "columns:\n  Konto: custmer_id\n",
            "mapping.yaml:2:3: no field is called 'custmer_id' (did you mean 'customer_id'?)",
        ),
        (
            "columns:\n  Konto: customer_id\n  Wer: customer_id\n",
            "mapping.yaml:3:3: customer_id is read from 'Konto' already",
        ),
        (
            "colums:\n  Konto: customer_id\n",
            "mapping.yaml:1:1: unknown key 'colums' (did you mean 'columns'?)",
        ),
        (
            "columns:\n  Konto: {field: name, dates: day first}\n",
            "mapping.yaml:2:24: name has no `dates` (it is for renewal_date)",
        ),
        (
            "columns:\n  Geld: {field: revenue_with_us, currency: USD}\n",
            "mapping.yaml:2:34: says no rate (add `factor:`",
        ),
        (
            "columns:\n  Geld: {field: revenue_with_us, decimal: ';'}\n",
            "mapping.yaml:2:34: must be '.' or ','",
        ),
        (
            "columns:\n  Geld: {field: revenue_with_us, factor: 0}\n",
            "mapping.yaml:2:34: must be greater than 0",
        ),
        (
            "fixed:\n  country: Germany\n",
            "mapping.yaml:2:3: country: 'Germany' is no ISO 3166 alpha-2 code; did you mean 'DE'?",
        ),
        (
            "fixed:\n  customer_id: A\n",
            "mapping.yaml:2:3: customer_id cannot be the same for every customer",
        ),
        (
            "columns:\n  Land: country\nfixed:\n  country: DE\n",
            "mapping.yaml:4:3: country is read from the column 'Land'",
        ),
        ("others: nothing\n", "mapping.yaml:1:1: must be 'match', 'ignore' or 'attributes'"),
        ("columns:\n\t- x\n", "mapping.yaml:2:1: not YAML"),
        ("", "mapping.yaml:1:1: the file is empty (begin with `columns:`)"),
        (
            "columns:\n  Kontoo: customer_id\n",
            "mapping.yaml:2:3: the table has no column 'Kontoo' (did you mean 'Konto'?)",
        ),
        (
            "columns:\n  zzz: customer_id\n",
            "mapping.yaml:2:3: the table has no column 'zzz' (there are Konto, Wer, Geld,",
        ),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said_with_line_and_column(
    tmp_path: Path, mapping: str, said: str
) -> None:
    (tmp_path / "x.csv").write_text(TABLE)
    (tmp_path / "mapping.yaml").write_text(mapping)
    with pytest.raises(ActionRefused) as refused:
        read_table(str(tmp_path / "x.csv"), read_mapping(str(tmp_path / "mapping.yaml")))
    assert said in str(refused.value)


def test_all_that_is_wrong_with_a_mapping_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("columns:\n  A: nmae\n  B: zzz\nfixed:\n  owner: 5\n")
    with pytest.raises(ActionRefused) as refused:
        read_mapping(str(tmp_path / "m.yaml"))
    assert [line.split(": ")[0] for line in str(refused.value).splitlines()] == [
        "m.yaml:2:3",
        "m.yaml:3:3",
        "m.yaml:5:3",
    ]
