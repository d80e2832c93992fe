"""Which customers make a cell, which cell a customer is in, and columns that are computed cell by cell."""

from dataclasses import dataclass

import numpy as np
import pytest

from analytics.clv import cells
from analytics.clv.cells import Kind
from analytics.clv.history import History


def counts_of(**channels):
    """Persons without a category, so many by each channel."""
    return {Kind(channel): customers for channel, customers in channels.items()}


def make_history(cell):
    size = len(cell)
    days, money = np.ones(size, dtype=np.int32), np.arange(size, dtype=np.float64)
    return History(days, days, days, money, money, money, cell=np.asarray(cell))


def test_each_channel_with_enough_customers_is_a_cell():
    chosen = cells.choose(counts_of(mail=1_000, search=3_000, fair=999))

    assert chosen == (Kind("search", None, None), Kind("mail", None, None))


def test_all_properties_are_crossed_where_that_holds_most_customers():
    counts = {Kind(channel, category, company): 1_500 for channel in "ab" for category in (7, 8) for company in (0, 1)}

    chosen = cells.choose(counts)

    assert len(chosen) == 8
    assert set(chosen) == set(counts)


def test_a_property_that_all_share_is_left_out():
    counts = {Kind("a", 7, False): 2_000, Kind("b", 7, False): 2_500, Kind("b", 7, True): 500}

    assert cells.choose(counts) == (Kind("b", None, None), Kind("a", None, None))


def test_a_crossing_too_fine_gives_way_to_the_channel():
    """60 combinations of 500 make no cell; six channels do, and so would ten categories, which come later."""
    counts = {Kind(channel, category): 500 for channel in "abcdef" for category in range(10)}

    assert cells.choose(counts) == tuple(Kind(channel, None, None) for channel in "abcdef")


def test_the_crossing_that_holds_most_is_taken_where_none_holds_enough():
    counts = {Kind(f"rare {place}", place % 2): 900 for place in range(40)} | {Kind("mail", 9): 2_000}

    chosen = cells.choose(counts)

    assert chosen == (Kind(None, 0, None), Kind(None, 1, None), Kind(None, 9, None))


def test_there_are_no_more_cells_than_the_most():
    chosen = cells.choose({Kind(f"channel {place:02}"): 2_000 + place for place in range(30)})

    assert len(chosen) == cells.MOST - 1
    assert chosen[0].channel == "channel 29"
    assert chosen[-1].channel == "channel 19"


def test_equal_cells_stand_in_the_order_of_their_names():
    forwards, backwards = (cells.choose({Kind(name): 1_000 for name in names}) for names in ("abc", "cba"))

    assert forwards == backwards == tuple(Kind(name, None, None) for name in "abc")


@pytest.mark.parametrize(
    "counts",
    [
        {},
        {Kind("mail"): 5_000},
        {Kind("mail"): 5_000, Kind("search"): 999},
        {Kind(f"channel {place}"): 999 for place in range(50)},
    ],
    ids=["nobody", "one channel", "nearly one channel", "many small channels"],
)
def test_customers_who_cannot_be_told_apart_make_no_cells(counts):
    assert cells.choose(counts) == ()


def test_a_value_that_nobody_gave_is_one_too():
    chosen = cells.choose({Kind("", 0): 4_000, Kind("mail", 0): 2_000, Kind("mail", 5): 50})

    assert chosen == (Kind("", None, None), Kind("mail", None, None))


def test_customers_find_their_cell():
    chosen = (Kind("search", None, True), Kind("mail", None, False))

    found = cells.number([Kind("mail", 3, False), Kind("mail", 3, True), Kind("search", 0, True), Kind()], chosen)

    assert found.tolist() == [2, 0, 1, 0]


def test_without_cells_all_are_the_rest():
    assert cells.number([Kind("mail"), Kind()], ()).tolist() == [0, 0]


@dataclass(frozen=True)
class Named:
    """Two columns."""

    cell: np.ndarray
    value: np.ndarray


def named(name, history):
    return Named(np.full(history.value.size, name, dtype=object), 10.0 * history.value)


def test_rows_come_back_in_their_order():
    found = cells.by_cell(("rest", "one", "two"), make_history([2, 0, 1, 2, 0, 2]), named)

    assert found.cell.tolist() == ["two", "rest", "one", "two", "rest", "two"]
    assert found.value.tolist() == [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]


@pytest.mark.parametrize(
    ("cell", "name"), [([2, 2], "two"), ([0], "rest"), ([], "rest")], ids=["one cell", "one customer", "nobody"]
)
def test_customers_of_one_cell_are_not_parted(cell, name):
    history = make_history(np.array(cell, dtype=np.int16))
    seen = []

    def noted(held, part):
        seen.append(part)
        return named(held, part)

    found = cells.by_cell(("rest", "one", "two"), history, noted)

    assert len(seen) == 1
    assert seen[0] is history
    assert found.cell.tolist() == [name] * len(cell)


def test_one_for_all_does_not_look_at_the_cells():
    found = cells.by_cell(("all",), make_history([5, 0, 9]), named)

    assert found.cell.tolist() == ["all"] * 3
