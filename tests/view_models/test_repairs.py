"""Where a series was repaired, against counting one by one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import vaenb
from vaenb.view_models.repairs import Repairs, Spans, pick, spans_of
from vaenb.view_models.timeline import View

FLAGS = st.lists(st.booleans(), max_size=60)


def naive_spans(flags):
    found, start = [], None
    for place, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = place
        if not flag and start is not None:
            found.append((start, place))
            start = None
    return found


def pairs(spans):
    return list(zip(spans.starts.tolist(), spans.stops.tolist(), strict=True))


def look(frame, **more):
    series = vaenb.read_series(frame, **more)
    return series, Repairs.of(series, series.grid)


def flow(index):
    return pd.DataFrame({"flow": np.sin(np.arange(len(index)) / 5)}, index=pd.Index(index, name="time"))


@given(flags=FLAGS)
def test_spans_are_the_runs_of_true(flags):
    spans = spans_of(flags)
    assert pairs(spans) == naive_spans(flags)
    assert len(spans) == len(naive_spans(flags))
    assert spans.n_cells == sum(flags)


@given(flags=st.lists(st.booleans(), min_size=2, max_size=60), data=st.data())
def test_what_lies_in_a_view_is_cut_at_its_edges(flags, data):
    first = data.draw(st.integers(0, len(flags) - 2))
    view = View(first, data.draw(st.integers(first + 1, len(flags))))
    seen = [flag and view.first <= place < view.stop for place, flag in enumerate(flags)]
    assert pairs(spans_of(flags).within(view)) == naive_spans(seen)


@given(flags=st.lists(st.booleans(), min_size=2, max_size=60), most=st.integers(1, 6))
def test_too_many_spans_are_joined_and_none_is_lost(flags, most):
    spans = spans_of(flags)
    joined = spans.within(View(0, len(flags)), most=most)
    assert len(joined) == min(most, len(spans))
    covered = np.zeros(len(flags), dtype=bool)
    for start, stop in pairs(joined):
        covered[start:stop] = True
    assert covered[np.asarray(flags)].all()


def test_the_nearest_spans_are_joined_first():
    spans = Spans(np.array([0, 2, 50, 90]), np.array([1, 3, 51, 91]))
    assert pairs(spans.within(View(0, 100), most=3)) == [(0, 3), (50, 51), (90, 91)]


def test_marks_in_a_view_are_all_shown_or_an_even_choice():
    cells = np.arange(0, 1000, 10)
    assert pick(cells, View(95, 131)).tolist() == [100, 110, 120, 130]
    few = pick(cells, View(0, 1000), most=5)
    assert few.tolist() == [0, 250, 500, 740, 990] or (len(few) == 5 and {few[0], few[-1]} == {0, 990})
    assert len(pick(cells, View(1, 9))) == 0


def test_a_gap_and_a_missing_value_are_missing_where_they_are():
    index = pd.date_range("2024-01-01", periods=200, freq="h")
    frame = flow(index).assign(level=1.0 * np.arange(200))
    frame.iloc[20:25, 1] = np.nan
    series, repairs = look(frame.drop(index[[50, 51, 52]]))
    assert [pairs(spans) for spans in repairs.missing] == [[(50, 53)], [(20, 25), (50, 53)]]
    assert repairs.n_missing == 3 + 8
    said = repairs.words(series.repairs)
    assert said[0].startswith("1 gap (3 missing points)")
    assert said[-1].startswith("11 values are missing (2.8")


def test_rows_that_share_a_timestamp_share_a_cell():
    index = pd.date_range("2024-01-01", periods=100, freq="h")
    _, repairs = look(flow(index[[*range(30), 29, 29, *range(30, 100), 99]]))
    assert repairs.repeated.tolist() == [29, 99]
    assert repairs.n_missing == 0


def test_a_clock_set_back_is_marked_where_it_is():
    series = vaenb.load_dataset("machine_temperature")
    repairs = Repairs.of(series, series.grid)
    fall = int(np.flatnonzero(np.diff(series.index) < np.timedelta64(0, "s"))[0]) + 1
    assert repairs.backward.tolist() == [series.cells[fall]]
    assert "goes back once" in " ".join(repairs.words(series.repairs))


def test_the_newest_row_first_is_no_clock_that_goes_back():
    _, repairs = look(flow(pd.date_range("2024-01-01", periods=100, freq="h")[::-1]))
    assert not len(repairs.backward)


@pytest.mark.parametrize("name", ["nyc_taxi", "server_metrics", "toy_daily", "ecg_pvc"])
def test_nothing_to_repair_is_said(name):
    series = vaenb.load_dataset(name)
    repairs = Repairs.of(series, series.grid)
    assert repairs.n_missing == len(repairs.repeated) == len(repairs.backward) == 0
    (said,) = repairs.words(series.repairs)
    assert said.startswith("Nothing had to be repaired")
