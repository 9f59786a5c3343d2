"""The regular grid: where each row lies, what is mended, and what is told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaenb import InputError, Series
from vaenb.reading.grid import LONGEST_GAP, lay_grid

START = np.datetime64("2024-10-26T22:00", "ns")


def clock(minutes):
    return START + (np.asarray(minutes) * 60e9).astype("timedelta64[ns]")


def naive_cells(times, interval):
    """The formula of the docstring, stamp by stamp; a gap is cut to the longest one."""
    cells, raw, last = [], [], None
    for time in times:
        if time == last:
            cells.append(cells[-1])
            continue
        nearest = round((time - times[0]) / interval)
        place = nearest if last is None else max(nearest, raw[-1] + 1)
        step = 0 if last is None else min(place - raw[-1], LONGEST_GAP + 1)
        cells.append(step + (cells[-1] if cells else 0))
        raw.append(place)
        last = time
    return cells


def test_even_rows_need_no_repair():
    grid = lay_grid(clock(np.arange(50) * 5))
    np.testing.assert_array_equal(grid.cells, np.arange(50))
    assert (grid.n_cells, grid.interval, grid.repairs) == (50, 300.0, ())


def test_one_row_and_none():
    assert lay_grid(clock([0])).cells.tolist() == [0]
    assert lay_grid(np.array([7])).interval is None
    with pytest.raises(InputError, match="has no rows; expected at least one"):
        lay_grid(np.array([], dtype="datetime64[ns]"))


def test_duplicates_share_a_cell():
    grid = lay_grid(clock([0, 5, 5, 5, 10, 15]))
    assert grid.cells.tolist() == [0, 1, 1, 1, 2, 3]
    assert grid.repairs == (
        "2 rows repeat the timestamp of another: the mean of rows with the same timestamp is used",
    )


def test_all_rows_at_the_same_time_stay_apart():
    grid = lay_grid(clock([3] * 4))
    assert (grid.cells.tolist(), grid.interval) == ([0, 1, 2, 3], None)
    assert grid.repairs == ("all rows have the same timestamp: they stay in their order",)


def test_gaps_are_missing_cells():
    grid = lay_grid(clock([0, 5, 10, 30, 35, 45, 50]))
    assert grid.cells.tolist() == [0, 1, 2, 6, 7, 9, 10]
    assert grid.repairs == ("2 gaps (4 missing points), the longest 20 min from 2024-10-26 22:10",)


def test_a_hole_of_ten_years_costs_nothing():
    minutes = np.concatenate([np.arange(30), 10 * 365 * 1440 + np.arange(30)])
    grid = lay_grid(clock(minutes))
    assert grid.n_cells == 60 + LONGEST_GAP
    assert grid.cells[30] - grid.cells[29] == LONGEST_GAP + 1
    assert grid.repairs == (
        "1 gap (5,255,970 missing points), the longest 3650 d from 2024-10-26 22:29",
        "gaps of more than 1,000 points are shortened to that: 1",
    )


def test_the_hour_that_is_told_twice():
    """A local clock from summer time to winter time: 02:00 to 02:50 come twice."""
    told = np.concatenate([np.arange(0, 300, 10), np.arange(240, 600, 10)])
    grid = lay_grid(clock(told))
    np.testing.assert_array_equal(grid.cells, np.arange(len(told)))
    assert grid.repairs == (
        "the clock goes back once (by 50 min after 2024-10-27 02:50): the rows stay in their order",
    )


def test_the_hour_that_is_left_out():
    grid = lay_grid(clock(np.concatenate([np.arange(0, 120, 30), np.arange(180, 300, 30)])))
    assert grid.cells.tolist() == [0, 1, 2, 3, 6, 7, 8, 9]


def test_two_winters():
    """Back, forward and back again: no row is lost, and only the hour in spring is missing."""
    hours = np.concatenate([np.arange(100), np.arange(98, 200), np.arange(201, 300), np.arange(298, 400)])
    grid = lay_grid(clock(hours * 60.0))
    np.testing.assert_array_equal(np.diff(grid.cells), np.where(np.arange(len(hours) - 1) == 201, 2, 1))
    assert grid.repairs == (
        "the clock goes back 2 times (first by 1 h after 2024-10-31 01:00): the rows stay in their order",
        "1 gap (1 missing point), the longest 2 h from 2024-11-04 05:00",
    )


@pytest.mark.parametrize(
    ("minutes", "told"),
    [
        ([0, 1, 2, 4, 3, 5, 6, 7], "once a row is earlier than the row before"),
        ([5, 6, 7, 8, 9, 0, 1, 2, 3, 4], "once a row is earlier than the row before"),
        ([7, 6, 5, 4, 3, 2, 1, 0], "the newest row comes first"),
        ([3, 7, 1, 0, 6, 2, 5, 4], "4 times a row is earlier than the row before"),
    ],
)
def test_rows_out_of_order_are_put_in_order(minutes, told):
    for index in (clock(minutes), np.array(minutes)):
        grid = lay_grid(index)
        assert grid.cells.tolist() == minutes
        assert grid.repairs == (f"{told}: the rows are used in order of time",)


def test_days_told_twice_are_put_together():
    """Two exports that overlap by three days are no clock that was set back."""
    hours = np.concatenate([np.arange(240), np.arange(168, 400)])
    grid = lay_grid(clock(hours * 60))
    np.testing.assert_array_equal(grid.cells, hours)
    assert "72 rows repeat the timestamp of another" in grid.repairs[1]


def test_a_shuffled_file_with_duplicates_is_put_in_order():
    minutes = np.random.default_rng(0).permutation(np.repeat(np.arange(200), 2))
    np.testing.assert_array_equal(lay_grid(clock(minutes)).cells, minutes)


def test_an_index_that_starts_over():
    grid = lay_grid(np.concatenate([np.arange(40), np.arange(30)]))
    np.testing.assert_array_equal(grid.cells, np.arange(70))
    assert grid.repairs == ("the index starts over once: the rows stay in their order",)


def test_an_index_with_holes():
    grid = lay_grid(np.array([10, 12, 14, 20, 22]))
    assert (grid.cells.tolist(), grid.interval) == ([0, 1, 2, 5, 6], None)
    assert grid.repairs == ("1 gap (2 missing points), the longest 6 steps of the index from 14",)


@pytest.mark.parametrize("unit", ["ms", "us"])
def test_a_coarse_clock_does_not_drift(unit):
    """180 points a second, written in whole milliseconds: steps of 5 and of 6."""
    exact = np.arange(100_000) / 180
    grid = lay_grid(START + (exact * {"ms": 1e3, "us": 1e6}[unit]).round().astype(f"timedelta64[{unit}]"))
    np.testing.assert_array_equal(grid.cells, np.arange(100_000))
    assert grid.interval == pytest.approx(1 / 180, rel=1e-7)


def test_months_are_even():
    months = np.arange("2015-01", "2024-01", dtype="datetime64[M]").astype("datetime64[ns]")
    grid = lay_grid(months)
    np.testing.assert_array_equal(grid.cells, np.arange(len(months)))


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), jitter=st.floats(0, 0.24))
def test_jitter_around_a_schedule_neither_loses_nor_adds_a_cell(seed, jitter):
    schedule = np.arange(300)
    late = np.random.default_rng(seed).uniform(-jitter, jitter, 300)
    cells = lay_grid(clock(5 * (schedule + late))).cells
    assert (np.diff(cells) >= 1).all()
    assert np.abs(cells - schedule).max() <= 1


def test_a_burst_takes_cells_of_its_own():
    """Twenty rows a second apart among minutes: each keeps a cell, and the gap after pays it back."""
    minutes = np.concatenate([np.arange(50), 49 + np.arange(1, 21) / 60, 75 + np.arange(50)])
    grid = lay_grid(clock(minutes))
    np.testing.assert_array_equal(grid.cells[:70], np.arange(70))
    np.testing.assert_array_equal(grid.cells[70:], minutes[70:])
    assert grid.repairs[0] == (
        "in places rows come faster than every 1 min: each takes a cell of its own, and the grid runs up to "
        "20 cells ahead of the timestamp"
    )


def test_sampling_without_a_rule_is_taken_row_by_row():
    """Bursts of log lines: nine cells in ten would be empty."""
    minutes = np.cumsum(np.tile([1, 1, 1, 30, 1, 50], 30))
    grid = lay_grid(clock(minutes))
    np.testing.assert_array_equal(grid.cells, np.arange(len(minutes)))
    assert grid.interval == pytest.approx(60 * (minutes[-1] - minutes[0]) / (len(minutes) - 1))
    told = (
        "the sampling is too uneven for a grid (93% of the steps of 1 min would be empty): "
        "the rows are taken one after the other, as if evenly spaced"
    )
    assert grid.repairs == (told,)


def test_a_handful_of_long_gaps_is_no_uneven_sampling():
    minutes = np.concatenate([np.arange(20) + 500 * part for part in range(5)])
    assert lay_grid(clock(minutes)).n_cells == 2020


@settings(deadline=None)
@given(
    steps=hnp.arrays(
        np.int64, st.integers(2, 80), elements=st.sampled_from([0, 10, 10, 10, 10, 7, 13, 20, 60])
    )
)
def test_cells_against_the_formula(steps):
    minutes = np.concatenate([[0], np.cumsum(steps)])
    grid = lay_grid(clock(minutes))
    if grid.interval is None or "the sampling is too uneven" in " ".join(grid.repairs):
        return
    assert grid.cells.tolist() == naive_cells(minutes.tolist(), grid.interval / 60)
    assert grid.n_cells == grid.cells[-1] + 1


@settings(deadline=None)
@given(
    minutes=st.lists(st.integers(0, 5_000), min_size=1, max_size=60),
    values=st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(np.nan)), min_size=60, max_size=60),
)
def test_from_rows_to_cells_and_back(minutes, values):
    """A row alone in its cell comes back as it was; rows that share one come back as their mean."""
    rows = np.array(values[: len(minutes)])[:, None]
    index = clock(minutes)
    grid = lay_grid(index)
    assert ((grid.cells >= 0) & (grid.cells < grid.n_cells)).all()
    series = Series(
        name="s",
        index=index,
        values=rows,
        channels=("v",),
        train_end=1,
        cells=grid.cells,
        n_cells=grid.n_cells,
    )
    assert series.grid.shape == (grid.n_cells, 1)
    back = series.to_rows(series.grid)
    for row, cell in enumerate(grid.cells):
        same = rows[grid.cells == cell, 0]
        known = same[~np.isnan(same)]
        expected = known.mean() if len(known) else np.nan
        np.testing.assert_allclose(back[row, 0], expected, rtol=1e-9, atol=1e-9)


def test_large_timestamps_keep_their_nanoseconds():
    grid = lay_grid(np.array(["2200-01-01"], "M8[ns]") + np.arange(1000).astype("timedelta64[ns]"))
    np.testing.assert_array_equal(grid.cells, np.arange(1000))
    assert grid.interval == pytest.approx(1e-9)
