"""The ticks of a shared time axis: round, within the view, few enough not to touch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaenb.view_models.ticks import view_ticks
from vaenb.view_models.timeline import Timeline, View

START = np.datetime64("2024-03-01T00:00:00")


@pytest.mark.parametrize(
    ("step", "n_cells", "form"),
    [
        (86_400.0 * 30, 200, "%Y"),
        (3600.0, 5000, "%b %Y"),
        (3600.0, 400, "%d %b"),
        (60.0, 600, "%d %b %H:%M"),
        (1.0, 50, "%H:%M:%S"),
        (0.005, 100, "%H:%M:%S.%L"),
    ],
)
def test_the_format_says_no_more_than_the_step_needs(step, n_cells, form):
    timeline = Timeline(n_cells=n_cells, start=START, step=step)
    values, found = view_ticks(timeline, View(0, n_cells))
    assert found == form
    edges = timeline.moments([0, n_cells - 1])
    assert (values >= edges[0]).all()
    assert (values <= edges[1]).all()
    assert 2 <= len(values) <= 8


def test_days_with_a_time_of_day_are_fewer_because_they_are_longer():
    timeline = Timeline(n_cells=600, start=START, step=60.0)
    assert len(view_ticks(timeline, View(0, 600))[0]) <= 6


@given(
    step=st.floats(0.001, 7e4),  # an index of nanoseconds ends in 2262
    n_cells=st.integers(2, 100_000),
    clock=st.booleans(),
    data=st.data(),
)
def test_ticks_lie_in_the_view_and_are_not_many(step, n_cells, clock, data):
    timeline = Timeline(n_cells=n_cells, start=START if clock else 0.0, step=step)
    first = data.draw(st.integers(0, n_cells - 2))
    view = View(first, data.draw(st.integers(first + 2, n_cells)))
    values, form = view_ticks(timeline, view)
    edges = timeline.moments([view.first, view.stop - 1])
    assert len(values) <= 10
    assert form
    if len(values):
        assert values[0] >= edges[0]
        assert values[-1] <= edges[1]


def test_row_numbers_have_no_decimals_and_small_steps_have_some():
    assert view_ticks(Timeline(n_cells=100), View(0, 100))[1] == ",.0f"
    values, form = view_ticks(Timeline(n_cells=100, step=0.01), View(0, 100))
    assert form == ",.1f"
    assert values.tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
