"""A file that is no table of customers is refused whole, with the remedy."""

from pathlib import Path

import pytest

from alerting.adapters.imports.customer_tables import read_table
from alerting.domain.errors import ActionRefused


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "x.csv is empty; its first line names the columns: known are customer_id"),
        (b"\xef\xbb\xbf\r\n \n", "x.csv is empty"),
        (
            "customer_id,name\nA,Zürich\n".encode("cp1252"),
            "x.csv:2: is not UTF-8 (byte 0xfc); save the file as CSV UTF-8",
        ),
        ("customer_id\nA\n".encode("utf-16"), "x.csv is UTF-16; save it as CSV UTF-8"),
        (
            b"PK\x03\x04...",
            "x.csv is a broken Excel file (File is not a zip file); open it and save it again",
        ),
        (
            b"\xd0\xcf\x11\xe0...",
            "x.csv is an old Excel file (.xls); open it and save it as Excel workbook (.xlsx)",
        ),
        (b"PAR1...", "x.csv cannot be read as Parquet"),
        (b"customer_id,name,name\nA,x,y\n", "x.csv:1: two columns name; leave one of them out"),
        (b"customer_id,attribute.a,attributes.a\nA,x,y\n", "two columns attributes.a"),
        (b"customer_id,nmae\nA,x\n", "unknown columns nmae (did you mean name?)"),
        (
            b"customer_id,Time Zoone,phoone,zzz\n",
            "Time Zoone (did you mean time_zone?), phoone (did you mean contact_phone?), zzz;",
        ),
        (b"customer_id,attributes.\nA,x\n", "attributes. (did you mean attributes.<name>?)"),
        (b"customer_id\nA\n", "there are only ids, and nothing to say of them"),
        (b"name\nx\n", "there is no column customer_id; known are customer_id, name"),
        (
            b'"customer_id,name\nA,x\n',
            "x.csv:1: the heading cannot be read: a quote that opens in this line is not closed",
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused_whole_with_the_remedy(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(ActionRefused) as refused:
        read_table(str(tmp_path / "x.csv"))
    assert said in str(refused.value)
