"""Cells, moments and views, and which cells make a line look whole: against counting one by one."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vaenb
from vaenb.errors import InputError
from vaenb.view_models.timeline import MOST_POINTS, Timeline, View, thin

START = np.datetime64("2024-03-30T22:00:00")
CLOCK = Timeline(n_cells=1000, start=START, step=1800.0)
PLAIN = Timeline(n_cells=1000, start=-5.0, step=0.25)

views = st.integers(2, 300).flatmap(
    lambda n: st.tuples(st.just(n), st.integers(-400, 700), st.integers(-400, 700))
)


# ---------------------------------------------------------------------- moments


def test_moments_are_evenly_apart():
    assert CLOCK.has_clock
    assert not PLAIN.has_clock
    found = CLOCK.moments([0, 1, 48])
    assert found.dtype == np.dtype("datetime64[ms]")
    assert found.astype(str).tolist() == [
        "2024-03-30T22:00:00.000",
        "2024-03-30T22:30:00.000",
        "2024-03-31T22:00:00.000",
    ]
    np.testing.assert_array_equal(PLAIN.moments([0, 4, 999]), [-5.0, -4.0, 244.75])


def test_a_single_cell_has_a_single_moment():
    assert CLOCK.moments(2) == START.astype("datetime64[ms]") + np.timedelta64(3600, "s")
    assert PLAIN.moments(2) == -4.5


@pytest.mark.parametrize("timeline", [CLOCK, PLAIN])
@pytest.mark.parametrize("cell", [0, 1, 17, 998, 999])
def test_a_cell_is_found_again(timeline, cell):
    assert timeline.cell_of(timeline.moments(cell)) == cell


@pytest.mark.parametrize("timeline", [CLOCK, PLAIN])
def test_moments_outside_belong_to_the_first_and_the_last_cell(timeline):
    assert timeline.cell_of(timeline.moments(-50)) == 0
    assert timeline.cell_of(timeline.moments(5000)) == 999


def test_a_moment_between_two_cells_belongs_to_the_nearer_one():
    assert PLAIN.cell_of(-4.9) == 0
    assert PLAIN.cell_of(-4.85) == 1
    assert CLOCK.cell_of("2024-03-30T22:14") == 0
    assert CLOCK.cell_of("2024-03-30T22:16") == 1


@pytest.mark.parametrize("step", [0.001, 1 / 3, 1.0, 86_400.0])
def test_steps_of_any_length_find_their_cells_again(step):
    timeline = Timeline(n_cells=100_000, start=START, step=step)
    cells = np.array([0, 1, 2, 49_999, 99_999])
    assert [timeline.cell_of(moment) for moment in timeline.moments(cells)] == cells.tolist()


def test_the_timeline_of_a_series_is_its_grid():
    series = vaenb.load_dataset("nyc_taxi")
    timeline = Timeline.of(series)
    assert timeline.n_cells == series.n_cells
    moments = timeline.moments(series.cells)
    np.testing.assert_array_equal(moments, series.index.astype("datetime64[ms]"))


def test_gaps_and_rows_out_of_order_do_not_move_the_grid():
    import pandas as pd

    index = pd.date_range("2024-01-01", periods=200, freq="h")
    values = pd.DataFrame({"value": np.arange(200.0)}, index=index)
    whole = Timeline.of(vaenb.read_series(values))
    holed = Timeline.of(vaenb.read_series(values.drop(index[50:90])))
    mixed = Timeline.of(vaenb.read_series(values.iloc[::-1]))
    assert (holed.n_cells, holed.start, holed.step) == (whole.n_cells, whole.start, whole.step)
    assert (mixed.n_cells, mixed.start, mixed.step) == (whole.n_cells, whole.start, whole.step)


def test_without_a_clock_the_index_counts():
    series = vaenb.read_series(np.sin(np.arange(300.0) / 7))
    timeline = Timeline.of(series)
    assert not timeline.has_clock
    np.testing.assert_array_equal(timeline.moments([0, 1, 299]), [0.0, 1.0, 299.0])
    assert Timeline.of(replace(series, index=series.index * 2 + 10)).moments(3) == 16.0


# ---------------------------------------------------------------------- views


def test_a_view_knows_its_length():
    assert len(View(10, 25)) == 15


@given(views)
def test_a_view_is_brought_inside(found):
    n, first, length = found
    inside = View(first, first + length).within(n)
    assert 0 <= inside.first < inside.stop <= n
    assert len(inside) == min(max(2, length), n)
    assert inside.within(n) == inside


def test_a_view_that_lies_inside_stays():
    assert View(3, 9).within(10) == View(3, 9)
    assert View(-3, 3).within(10) == View(0, 6)
    assert View(8, 14).within(10) == View(4, 10)
    assert View(0, 1).within(1) == View(0, 1)


def test_zooming_keeps_the_middle():
    assert View(100, 200).zoomed(0.5) == View(125, 175)
    assert View(100, 200).zoomed(2) == View(50, 250)
    assert View(100, 200).zoomed(0.5).zoomed(2) == View(100, 200)


def test_moving_goes_by_a_share_of_the_length():
    assert View(100, 200).moved(0.5) == View(150, 250)
    assert View(100, 200).moved(-0.5) == View(50, 150)


def test_zooming_in_ends_at_two_cells():
    view = View(0, 1000)
    for _ in range(30):
        view = view.zoomed(0.5).within(1000)
    assert len(view) == 2


# ---------------------------------------------------------------------- thin


def naive_thin(values, view, above):
    """What must be among the cells: counted one by one."""
    inside = list(range(max(0, view.first - 1), min(len(values), view.stop + 1)))
    known = [cell for cell in inside if not np.isnan(values[cell])]
    must = {inside[0], inside[-1]}
    must |= {cell for cell in known if values[cell] > above}
    if known:
        must |= {min(known, key=values.__getitem__), max(known, key=values.__getitem__)}
    return must, inside


values_with_gaps = st.lists(
    st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=2, max_size=400
).map(np.array)


@given(values_with_gaps, st.data())
def test_what_must_be_drawn_is_drawn(values, data):
    first = data.draw(st.integers(0, len(values) - 2))
    view = View(first, data.draw(st.integers(first + 1, len(values))))
    above, most = data.draw(st.floats(-10, 10)), data.draw(st.integers(4, 100))
    kept = thin(values, view, above=above, most=most)
    must, inside = naive_thin(values, view, above)
    heights = values[kept]
    assert kept.dtype == np.int64
    assert (np.diff(kept) > 0).all()
    assert set(kept.tolist()) <= set(inside)
    assert {cell for cell in must if cell in (inside[0], inside[-1]) or values[cell] > above} <= set(
        kept.tolist()
    )
    if np.isfinite(values[inside]).any():
        assert np.nanmax(heights) == np.nanmax(values[inside])
        assert np.nanmin(heights) == np.nanmin(values[inside])


@given(values_with_gaps, st.integers(4, 60))
def test_every_bin_keeps_its_extremes(values, most):
    kept = thin(values, View(0, len(values)), most=most)
    n_bins = most // (3 if np.isnan(values).any() else 2)
    if len(values) <= 2 * n_bins:
        assert len(kept) == len(values)
        return
    assert len(kept) <= most + 2
    size = -(-len(values) // n_bins)
    for begin in range(0, len(values), size):
        part = values[begin : begin + size]
        drawn = values[kept[(kept >= begin) & (kept < begin + size)]]
        if np.isfinite(part).any():
            assert np.nanmax(drawn) == np.nanmax(part)
            assert np.nanmin(drawn) == np.nanmin(part)
        if np.isnan(part).any():
            assert np.isnan(drawn).any()


def test_few_cells_are_all_kept_with_a_neighbour_on_each_side():
    values = np.arange(10_000.0)
    np.testing.assert_array_equal(thin(values, View(100, 300)), np.arange(99, 301))
    np.testing.assert_array_equal(thin(values, View(0, 300)), np.arange(301))
    np.testing.assert_array_equal(thin(values, View(9_900, 10_000)), np.arange(9_899, 10_000))


def test_a_million_cells_become_two_thousand_and_none_above_is_lost():
    rng = np.random.default_rng(1)
    values = rng.normal(size=1_000_000)
    alarms = rng.choice(1_000_000, 3000, replace=False)
    values[alarms] = 10 + rng.random(3000)
    kept = thin(values, View(0, 1_000_000))
    assert len(kept) <= MOST_POINTS + 2
    kept = thin(values, View(0, 1_000_000), above=9.0)
    assert set(alarms) <= set(kept.tolist())
    assert len(kept) <= MOST_POINTS + 2 + 3000
    assert values[kept].min() == values.min()


def test_gaps_stay_gaps():
    values = np.ones(100_000)
    values[50_000:50_010] = np.nan
    assert np.isnan(values[thin(values, View(0, 100_000))]).any()
    assert len(thin(np.full(100_000, np.nan), View(0, 100_000))) > 0


@pytest.mark.parametrize("view", [View(-1, 5), View(0, 11), View(5, 5), View(7, 3)])
def test_a_view_outside_of_the_series_is_refused(view):
    with pytest.raises(InputError, match=rf"{view.first} to {view.stop} of a series of 10 cells"):
        thin(np.zeros(10), view)
