"""Columns, rows and cell ids, by vectors that the browser's grid code checks too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.grid import Cell, Grid, current_ms, parse_cell_id

VECTORS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "cell_geometry.json").read_text(encoding="utf-8")
)


def cell(column_start_s: int, lo_cents: int, hi_cents: int) -> Cell:
    return Cell(column_start_s=column_start_s, lo_cents=lo_cents, hi_cents=hi_cents)


@pytest.mark.parametrize("vector", VECTORS["cell_ids"], ids=lambda vector: vector["id"])
def test_cell_id_and_cell_name_each_other(vector: dict[str, Any]) -> None:
    named = cell(vector["column_start_s"], vector["lo_cents"], vector["hi_cents"])
    assert named.id == vector["id"]
    assert parse_cell_id(vector["id"]) == named


@pytest.mark.parametrize("text", VECTORS["not_cell_ids"], ids=repr)
def test_cell_id_has_one_spelling_only(text: str) -> None:
    assert parse_cell_id(text) is None


@pytest.mark.parametrize("not_text", [None, 0, 1770100000, True, b"1_2_3", ["1", "2", "3"]])
def test_cell_id_is_text(not_text: object) -> None:
    assert parse_cell_id(not_text) is None


def test_cell_id_of_any_length_is_refused_without_work() -> None:
    assert parse_cell_id("1_2_" + "9" * 1_000_000) is None
    assert parse_cell_id("_" * 1_000_000) is None


naturals = st.integers(min_value=0, max_value=10**18 - 1)


@given(naturals, naturals, naturals)
def test_cell_id_of_every_cell_reads_back(start_s: int, lo_cents: int, hi_cents: int) -> None:
    one = cell(start_s, lo_cents, hi_cents)
    assert parse_cell_id(one.id) == one


@given(st.text(alphabet="0123456789_+- .\n", max_size=40))
def test_cell_id_that_reads_is_the_one_that_is_written(text: str) -> None:
    found = parse_cell_id(text)
    assert found is None or found.id == text


@pytest.mark.parametrize("vector", VECTORS["on_grid"], ids=lambda vector: vector["id"])
def test_on_grid(vector: dict[str, Any]) -> None:
    grid = Grid(column_s=vector["column_s"], row_cents=vector["row_cents"])
    named = parse_cell_id(vector["id"])
    assert named is not None
    assert grid.on_grid(named) is vector["on_grid"]


@pytest.mark.parametrize("vector", VECTORS["columns"], ids=lambda vector: str(vector["at_ms"]))
def test_placeable_columns(vector: dict[str, Any]) -> None:
    grid = Grid(
        column_s=vector["column_s"],
        lockout_columns=vector["lockout_columns"],
        horizon_columns=vector["horizon_columns"],
    )
    starts_s = grid.placeable_starts_s(vector["at_ms"])
    assert grid.column_start_s(vector["at_ms"]) == vector["current_s"]
    assert (starts_s[0], starts_s[-1]) == (vector["first_s"], vector["last_s"])
    assert len(starts_s) == vector["horizon_columns"]


def test_placeable_by_default_are_current_plus_2_to_current_plus_13() -> None:
    offsets = [start_s // 5 for start_s in Grid().placeable_starts_s(0)]
    assert offsets == list(range(2, 14))


@pytest.mark.parametrize("vector", VECTORS["rows"], ids=lambda vector: str(vector["price_cents"]))
def test_lowest_row(vector: dict[str, Any]) -> None:
    grid = Grid(row_cents=vector["row_cents"], rows=vector["rows"])
    assert grid.lowest_row_cents(vector["price_cents"]) == vector["lowest_row_cents"]


@given(
    st.integers(min_value=1, max_value=10**10),
    st.integers(min_value=1, max_value=10**6),
    st.integers(min_value=1, max_value=200),
)
def test_rows_always_hold_the_price(price_cents: int, row_cents: int, rows: int) -> None:
    grid = Grid(row_cents=row_cents, rows=rows)
    lowest_cents = grid.lowest_row_cents(price_cents)
    assert lowest_cents % row_cents == 0
    assert 0 <= lowest_cents <= price_cents < lowest_cents + rows * row_cents


@pytest.mark.parametrize("column_s", [0, -5, 7, 86_401, 172_800])
def test_grid_wants_columns_that_divide_the_day(column_s: int) -> None:
    with pytest.raises(ValueError, match="column_s"):
        Grid(column_s=column_s)


@pytest.mark.parametrize(
    "numbers", [{"row_cents": 0}, {"rows": 0}, {"horizon_columns": 0}, {"lockout_columns": -1}]
)
def test_grid_wants_positive_numbers(numbers: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Grid(**numbers)


def test_current_time_is_the_latest_known_and_so_never_goes_back() -> None:
    assert current_ms(now_ms=30, newest_tick_ms=20, high_ms=10) == 30
    assert current_ms(now_ms=20, newest_tick_ms=30, high_ms=10) == 30
    assert current_ms(now_ms=10, newest_tick_ms=20, high_ms=30) == 30
