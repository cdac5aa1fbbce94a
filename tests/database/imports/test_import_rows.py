"""Rows of a table of customers: a bad one costs itself and no other."""

import pytest

from tests.support.imports.tables import importing, known, state
from tests.support.world import World

# Numbers


def test_a_number_that_can_mean_two_is_a_bad_row_and_the_others_are_taken(world: World) -> None:
    text = (
        'customer_id,name,revenue_with_us\nA,Ay,250.000\nB,Be,"250,000"\nC,Ce,"1,5"\nD,De,250000\n'
        "E,Ee,1e400\nF,Ef,nan\nG,Ge,inf\nH,Ha,-5\n"
    )
    result = importing(world, text)
    assert result.bad == [
        (2, "revenue_with_us: '250.000' can mean 250 or 250000; write 250 or 250000"),
        (3, "revenue_with_us: '250,000' can mean 250 or 250000; write 250 or 250000"),
        (
            4,
            "revenue_with_us: '1,5' can have a decimal comma or lack a digit; write 1.5 if that is "
            "meant",
        ),
        (6, "revenue_with_us: '1e400' is not a number; write one such as 250000 or 250000.50"),
        (7, "revenue_with_us: 'nan' is not a number; write one such as 250000 or 250000.50"),
        (8, "revenue_with_us: 'inf' is not a number; write one such as 250000 or 250000.50"),
        (9, "revenue_with_us: Input should be greater than or equal to 0"),
    ]
    assert known(world, *"ABCDEFGH") == ["D"]
    assert state(world, "D")["revenue_with_us"] == 250_000


@pytest.mark.parametrize(
    ("separator", "numbers", "taken"),
    [
        (",", ["250.000", "1.240.000"], [250_000, 1_240_000]),
        (",", ['"250,000"', '"1,240,000"'], [250_000, 1_240_000]),
        (",", ['"1,5"', '"1.240.000,50"'], [1.5, 1_240_000.5]),
        (",", ["250.000", "7.5"], [250, 7.5]),
        (";", ["250.000", "1,5"], [250_000, 1.5]),
        (";", ["250000.50", "1"], [250_000.5, 1]),
    ],
)
def test_the_column_or_the_semicolon_tells_what_a_number_means(
    small_world: World, separator: str, numbers: list[str], taken: list[float]
) -> None:
    rows = [
        ["customer_id", "revenue_with_us"],
        *[[f"C-{i}", number] for i, number in enumerate(numbers)],
    ]
    result = importing(small_world, "".join(separator.join(row) + "\n" for row in rows))
    assert result.bad == []
    assert [state(small_world, f"C-{i}")["revenue_with_us"] for i in range(len(numbers))] == taken


def test_another_columns_numbers_tell_nothing(small_world: World) -> None:
    result = importing(
        small_world, "customer_id,revenue_with_us,employees\nA,250.000,1.240.000\nB,1,12.5\n"
    )
    assert [line for line, _ in result.bad] == [2, 3]
    assert result.bad[1][1] == "employees: '12.5' is not a whole number"


# Rows


def test_a_row_of_another_shape_is_bad_and_the_next_is_read(world: World) -> None:
    text = (
        "customer_id,name,country,\n"
        "A,Acme, Inc,DE\n"  # an unquoted comma
        'B,"Be,DE\n'  # never closed
        "C,Ce,DE\n"
        'D,"De" und Co,DE\n'
        f"E,{'x' * 140_000},DE\n"
        "F\n"
        "G,Ge,DE,\n"
        ",,,\n"
        "\n"
        "H,Ha,DE,stray\n"
        'I,"I said ""no""", DE\n'
    )
    result = importing(world, text)
    assert [line for line, _ in result.bad] == [2, 3, 5, 6, 7, 11]
    reasons = dict(result.bad)
    assert "4 cells, the heading names 4 columns: nobody knows what 'DE' is" in reasons[2]
    assert "a quote that opens in this line is not closed" in reasons[3]
    assert "text stands behind a closing quote" in reasons[5]
    assert "more than 131072 characters" in reasons[6]
    assert "1 cell, the heading names 4 columns" in reasons[7]
    assert "nobody knows what 'stray' is" in reasons[11]
    assert known(world, *"ABCDEFGHI") == ["C", "G", "I"]
    assert state(world, "I") == {"name": 'I said "no"', "country": "DE"}


def test_a_quote_closed_by_a_later_rows_quote_is_no_name_of_two_lines(small_world: World) -> None:
    result = importing(small_world, 'customer_id,name,city\nA,"Acme,Ulm\nB,Be",Ulm\nC,Ce,Ulm\n')
    ((line, reason),) = result.bad
    assert line == 2
    assert "name: holds a line break: a quote opened in line 2 and closed in line 3" in reason
    assert known(small_world, "A", "B", "C") == ["C"]


def test_an_unclosed_quote_before_many_rows_costs_its_own_row_only(small_world: World) -> None:
    rows = "".join(f"C-{i},{'y' * 100}\n" for i in range(2_000))
    result = importing(small_world, f'customer_id,name\nA,"Acme\n{rows}')
    assert (result.new, [line for line, _ in result.bad]) == (2_000, [2])
    assert "a quote that opens in this line is not closed" in result.bad[0][1]


def test_only_line_ends_end_a_row(small_world: World) -> None:
    result = importing(
        small_world,
        'customer_id,name,attributes.note\r\nA,Ac\u0085me\u2028,"one\ntwo"\r\nB,Be,\r\n',
    )
    assert result.bad == []
    assert state(small_world, "A") == {"name": "Ac\u0085me", "attributes": {"note": "one\ntwo"}}
    assert known(small_world, "B") == ["B"]


def test_a_nul_character_is_a_bad_row(small_world: World) -> None:
    assert importing(small_world, "customer_id,name\nA,Ac\x00me\nB,Be\n").bad == [
        (2, "name: holds a NUL character; save the file as CSV UTF-8")
    ]


def test_tabs_semicolons_and_a_blank_line_before_the_heading_are_no_trouble(
    small_world: World,
) -> None:
    assert importing(small_world, "\r\ncustomer_id\tname\tcity\r\nA\tAy\tUlm\r\n").new == 1
    assert importing(small_world, "customer_id;name;city;;\r\nB;Be, Ce;Ulm;;\r\n").new == 1
    assert state(small_world, "B")["name"] == "Be, Ce"
