from __future__ import annotations

import csv as standard
import io
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bootstrap.session import printing
from bootstrap.session.printing import RowFormat, printed

COLUMNS = ("ticker", "close")
ROWS: list[tuple[Any, ...]] = [("AAPL", 1.5), ("Ünï", None)]


def of(
    form: RowFormat,
    columns: Sequence[str] = COLUMNS,
    rows: Sequence[Sequence[Any]] = ROWS,
    null: str | None = None,
    room: int | None = None,
) -> str:
    return "".join(printed(form, columns, [rows], null, room))


def test_a_table_has_numbers_to_the_right_and_ends_with_the_count() -> None:
    assert of("table") == (
        " ticker | close\n"
        "--------+-------\n"
        " AAPL   |   1.5\n"
        " Ünï    |  NULL\n"
        "(2 rows)\n"
    )  # fmt: skip
    assert of("table", ["a"], [[True], [None]]).splitlines()[2] == " true"


def test_a_table_without_rows_and_one_with_one() -> None:
    assert of("table", rows=[]).splitlines()[-1] == "(0 rows)"
    assert of("table", rows=[("A", 1)]).splitlines()[-1] == "(1 row)"


def test_a_value_of_several_lines_keeps_them() -> None:
    assert of("table", ["plan"], [["one\n  two\n"]]) == " plan\n-------\n one\n   two\n(1 row)\n"
    assert of("table", ["a", "b"], [["x\ny", 1]]) == " a | b\n---+---\n x+| 1\n y |\n(1 row)\n"


def test_a_value_cannot_move_the_cursor() -> None:
    for form in ("table", "vertical"):
        assert "\\x1b[2J" in of(form, ["a"], [["\x1b[2J"]])


def test_a_table_goes_on_while_rows_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "_SAMPLE", 2)
    read: list[int] = []

    def batches() -> Iterator[list[list[Any]]]:
        for number in range(4):
            read.append(number)
            yield [["x" * (number + 1)]]

    pieces = printed("table", ["a"], batches(), None, None)
    assert next(pieces) == " a\n----\n x\n xx\n"
    assert read == [0, 1]
    assert next(pieces) == " xxx\n"
    assert list(pieces) == [" xxxx\n", "(4 rows)\n"]


def test_a_table_does_not_wait_long_for_its_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "_PATIENCE", -1.0)
    pieces = printed("table", ["a"], iter([[], [["x"]], [], [["y"]]]), None, None)
    assert next(pieces).endswith(" x\n")


def test_a_table_that_is_too_wide_for_the_terminal_is_printed_as_records() -> None:
    rows: list[list[Any]] = [["x" * 30, "y" * 30], ["a\nb", None]]
    assert of("table", ["one", "three"], rows, room=65).startswith(" one ")
    assert (
        of("table", ["one", "three"], rows, room=64)
        == of("vertical", ["one", "three"], rows)
        == (f"-[ 1 ]-\none   | {'x' * 30}\nthree | {'y' * 30}\n-[ 2 ]-\none   | a\n      | b\nthree | NULL\n(2 rows)\n")
    )
    assert of("table", ["one"], [["x" * 200]], room=65).startswith(" one\n")


def test_csv_has_a_header_and_quotes_where_needed() -> None:
    assert of("csv", ["a", "b"], [['x"y', None], ["p,q", 1]]) == 'a,b\n"x""y",\n"p,q",1\n'


def test_csv_tells_null_from_an_empty_text_and_from_its_own_word() -> None:
    assert of("csv", ["a", "b"], [[None, ""], ["NULL", "\\N"]]) == 'a,b\n,""\nNULL,\\N\n'
    assert of("csv", ["a", "b"], [[None, ""], ["NULL", "x"]], null="NULL") == 'a,b\nNULL,""\n"NULL",x\n'
    assert of("table", ["a"], [[None]], null="-").splitlines()[2] == " -"


@given(st.lists(st.lists(st.text(alphabet="a,\"'\n\r \t", max_size=4), min_size=2, max_size=2)))
def test_csv_reads_back_as_the_same_texts(rows: list[list[str]]) -> None:
    read = list(standard.reader(io.StringIO(of("csv", ["a", "b"], rows), newline="")))
    assert read == [["a", "b"], *rows]


def test_json_has_an_object_a_line() -> None:
    assert of("json") == '{"ticker": "AAPL", "close": 1.5}\n{"ticker": "Ünï", "close": null}\n'
    assert of("json", ["a", "a"], [[1, 2]]) == '{"a": 1, "a_2": 2}\n'


@given(st.lists(st.tuples(st.text(), st.floats(), st.binary(), st.decimals(allow_nan=False, allow_infinity=False))))
def test_each_row_of_json_is_a_line_that_every_reader_takes(rows: list[tuple[Any, ...]]) -> None:
    text = of("json", ["t", "f", "b", "d"], rows)
    lines = text.split("\n")[:-1]
    assert len(lines) == len(rows)
    for line, (word, _, data, number) in zip(lines, rows, strict=True):
        found = json.loads(line, parse_constant=lambda name: pytest.fail(name))
        assert (found["t"], found["b"], Decimal(found["d"])) == (word, f"0x{data.hex()}", number)
