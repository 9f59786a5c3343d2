"""What the threshold explorer draws: nothing above the line is lost, and marks stay small."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaenb.drawing.axes import Scale
from vaenb.events import runs
from vaenb.view_models.event_finder import Spans
from vaenb.view_models.threshold_axis import place_name, score_scale, score_ticks, whole_digits
from vaenb.view_models.threshold_marks import (
    COLUMNS,
    MOST_POINTS,
    N_BARS,
    above_line,
    column_maxima,
    histogram,
    outline,
    stripes,
)
from vaenb.view_models.timeline import View


def draw_above(heights, line, view):
    flags = heights[view.first : view.stop] > line
    return above_line(flags, heights, line, view, column_maxima(heights, view))


@given(
    hnp.arrays(np.float64, st.integers(2, 80), elements=st.floats(0, 1) | st.just(np.nan)),
    st.floats(0, 1),
    st.data(),
)
def test_every_point_above_the_line_is_drawn(heights, line, data):
    first = data.draw(st.integers(0, len(heights) - 2))
    view = View(first, data.draw(st.integers(first + 2, len(heights))))
    above = draw_above(heights, line, view)
    drawn = dict(zip(above.cells.tolist(), above.heights.tolist(), strict=True))
    expected = [c for c in range(view.first, view.stop) if heights[c] > line]
    assert above.one_by_one
    assert above.in_view == len(expected)
    assert all(drawn[cell] == heights[cell] for cell in expected)
    assert {cell for cell, height in drawn.items() if height > line} == set(expected)
    assert not len(above.heights) or not np.isnan(above.heights[-1])  # bqplot puts a label at the last point


def test_runs_are_drawn_apart_and_stand_on_the_line():
    above = draw_above(np.array([0, 0.8, 0.9, 0, 0.7, 0.0]), 0.5, View(0, 6))
    known = ~np.isnan(above.heights)
    np.testing.assert_array_equal(above.cells[known], [0.5, 1, 2, 2.5, 3.5, 4, 4.5])
    np.testing.assert_array_equal(above.heights, [0.5, 0.8, 0.9, 0.5, np.nan, 0.5, 0.7, 0.5])


@pytest.mark.parametrize("share", [0.003, 0.3, 0.9])
def test_too_many_points_become_columns_that_cover_all_of_them(share):
    rng = np.random.default_rng(0)
    heights = rng.random(50_000)
    heights[rng.integers(0, 50_000, 100)] = np.nan
    view, line = View(1_000, 49_000), 1 - share
    above = draw_above(heights, line, view)
    assert len(above.cells) <= MOST_POINTS
    if above.one_by_one:
        return
    size = -(-len(view) // COLUMNS)
    tops = {}
    for cell, height in zip(above.cells.tolist(), above.heights.tolist(), strict=True):
        column = int((cell - view.first) // size)
        tops[column] = np.fmax(tops.get(column, 0.0), height)
    for cell in np.flatnonzero(heights[view.first : view.stop] > line):
        assert tops[int(cell // size)] >= heights[view.first + cell]


def test_few_points_are_drawn_one_by_one():
    assert draw_above(np.array([0, 0.6, 0]), 0.5, View(0, 3)).one_by_one
    assert draw_above(np.zeros(5), 0.5, View(0, 5)).in_view == 0


@given(hnp.arrays(bool, st.integers(2, 60)), st.data())
def test_stripes_cover_events_of_a_short_view_exactly(flags, data):
    first = data.draw(st.integers(0, len(flags) - 2))
    view = View(first, data.draw(st.integers(first + 2, len(flags))))
    start, stop = stripes(Spans(*runs(flags)), view)
    kept = Spans(*runs(flags)).cut(view.first, view.stop)
    np.testing.assert_array_equal(start, kept.start - 0.5)
    np.testing.assert_array_equal(stop, kept.stop - 0.5)


@pytest.mark.parametrize("share", [0.0001, 0.01, 0.5])
def test_stripes_of_a_long_view_lose_no_event(share):
    flags = np.random.default_rng(1).random(400_000) < share
    spans, view = Spans(*runs(flags)), View(10_000, 390_000)
    start, stop = stripes(spans, view)
    inside = spans.cut(view.first, view.stop)
    home = np.searchsorted(start, inside.start, side="right") - 1
    assert len(start) <= COLUMNS
    assert (home >= 0).all()
    assert (inside.stop <= stop[home]).all()
    assert (stop - start >= len(view) / COLUMNS - 1e-6).all()


def test_no_stripes_without_events():
    x, y = outline(*stripes(Spans(*runs(np.zeros(9, dtype=bool))), View(0, 9)))
    assert len(x) == len(y) == 0


# ---------------------------------------------------------------------- histogram


def test_bars_count_every_score():
    rng = np.random.default_rng(0)
    judged, held = np.sort(rng.exponential(size=5_000)), np.sort(rng.exponential(size=900))
    scale = Scale(0.0, float(judged.max()))
    found = histogram(scale, judged, held)
    tall = Scale(np.log10(1 / 5_000) - 0.3, 0.0)
    counts = np.histogram(judged, scale.inverse(found.edges))[0]
    expected = np.where(counts > 0, tall(np.log10(np.maximum(counts, 1) / 5_000)), 0)
    assert len(found.judged) == N_BARS
    np.testing.assert_allclose(found.judged, expected)
    assert (found.held <= 1).all()


def test_the_tail_is_what_lies_to_the_right():
    found = histogram(Scale(0.0, 1.0), np.linspace(0, 1, 1_000), np.empty(0))
    x, y = found.tail(0.31)
    assert x[0] == 0.31
    assert (np.diff(x) >= 0).all()
    assert x[-1] == 1
    assert len(x) == len(y)
    assert len(found.outline()[0]) == 0
    x, y = found.tail(1.0)
    assert (x == 1).all()


def test_the_outline_runs_from_the_first_bar_to_the_last():
    found = histogram(Scale(0.0, 1.0), np.linspace(0, 1, 100), np.full(20, 0.5))
    x, y = found.outline()
    assert len(x) == len(y) == 4
    assert y[0] == y[-1] == 0
    assert x[0] <= 0.5 <= x[-1]


def test_ticks_of_shares_are_percentages():
    found = histogram(Scale(0.0, 1.0), np.linspace(0, 1, 1_000_000), np.empty(0))
    assert found.labels["1"] == "100\u202f%"
    assert 3 <= len(found.ticks) <= 5


# ---------------------------------------------------------------------- the score axis


def test_one_enormous_score_bends_the_axis():
    rng = np.random.default_rng(0)
    scores = np.append(rng.exponential(size=1_000), 1e6)
    scale = score_scale(scores, scores[:500], [5.0, np.nan])
    assert scale.bent
    assert 0.2 < float(scale(3.0)) < 0.7
    assert scale.low == 0.0


def test_constant_calibration_scores_and_negative_ones_still_have_an_axis():
    scale = score_scale(np.array([-2.0, 5.0]), np.zeros(4), [1.0])
    assert not scale.bent
    assert scale.low < -2
    assert 0 < float(scale(5.0)) < 1
    assert score_scale(np.ones(3), np.ones(3), []).high > 1


@given(st.floats(0, 1), st.sampled_from([(0, 1), (0, 1e6), (-3, 1e-3), (100, 100.001)]), st.booleans())
def test_a_place_and_its_value_belong_together(place, ends, bent):
    width = (ends[1] - ends[0]) / 50 if bent else np.inf
    scale = Scale(ends[0], ends[1], ends[0], width)
    value = whole_digits(scale, place)
    assert float(scale(value)) == pytest.approx(place, abs=1 / 1_500)
    assert len(f"{value:.12g}") < 12 or ends[0] == 100


def test_a_scale_without_resolution_gives_the_plain_value():
    assert whole_digits(Scale(0.0, 5e-324), 0.5) == pytest.approx(0.0)


def test_ticks_say_true_values():
    scale = score_scale(np.append(np.linspace(0, 3, 1_000), 900.0), np.linspace(0, 3, 1_000), [])
    places, names = score_ticks(scale, 5)
    assert list(names) == [place_name(place) for place in places]
    for place, name in zip(places, names.values(), strict=True):
        assert float(scale(float(name.replace(",", "")))) == pytest.approx(place, abs=1e-5)


@pytest.mark.parametrize(
    ("place", "name"),
    [(0.0, "0"), (-0.0, "0"), (1.0, "1"), (0.5, "0.5"), (0.123457, "0.123457"), (-0.05, "-0.05")],
)
def test_places_are_written_as_javascript_does(place, name):
    assert place_name(place) == name
