"""The shared time axis: buttons, slider and mouse lead to one and the same view, each with one update."""

import time
from threading import RLock

import bqplot as bq
import numpy as np
import pytest
from small_panel import living

from vaenb.panels.timeaxis import Dates, TimeAxis, Trace
from vaenb.view_models.timeline import MOST_POINTS, Timeline, View

CLOCK = Timeline(n_cells=1000, start=np.datetime64("2024-03-30T22:00"), step=1800.0)
PLAIN = Timeline(n_cells=1000, start=-5.0, step=0.25)


@pytest.fixture(params=[CLOCK, PLAIN], ids=["clock", "plain"])
def axis(request):
    made = TimeAxis(request.param, lock=RLock())
    made.seen = []
    made.on_view(made.seen.append)
    yield made
    made.end()


def press(axis, words):
    """Press the button that says so."""
    button = next(each for each in axis.controls.children if getattr(each, "tooltip", "") == words)
    button.click()


def scale_says(axis):
    """The view that the scale shows."""
    return View(axis.timeline.cell_of(axis.scale.min), axis.timeline.cell_of(axis.scale.max) + 1)


def move_by_mouse(axis, first, stop, *, apart=True):
    """What the browser sends after a pan or a zoom: both ends of the scale."""
    low, high = axis.timeline.moments([first, stop - 1])
    if axis.timeline.has_clock:
        low, high = (f"{moment}Z" for moment in (low, high))
    if apart:
        axis.scale.set_state({"min": low})
        axis.scale.set_state({"max": high})
    else:
        axis.scale.set_state({"min": low, "max": high})
    axis._pace.flush()


def test_it_opens_on_the_whole_series(axis):
    assert axis.view == View(0, 1000) == scale_says(axis)
    assert axis.seen == [View(0, 1000)]
    assert isinstance(axis.scale, Dates if axis.timeline.has_clock else bq.LinearScale)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Zoom in", View(450, 550)),
        ("Zoom out", View(300, 700)),
        ("Earlier", View(300, 500)),
        ("Later", View(500, 700)),
        ("Whole series", View(0, 1000)),
    ],
)
def test_the_buttons(axis, words, expected):
    axis.set_view(View(400, 600))
    axis.seen.clear()
    press(axis, words)
    assert axis.view == expected == scale_says(axis)
    assert axis.seen == [expected]


def test_buttons_stop_at_the_ends(axis):
    for _ in range(3):
        press(axis, "Later")
    assert axis.view == View(0, 1000)
    axis.set_view(View(900, 1000))
    press(axis, "Later")
    assert axis.view == View(900, 1000)
    for _ in range(20):
        press(axis, "Zoom in")
    assert len(axis.view) == 2


def test_the_slider(axis):
    axis._slider.value = (100, 250)
    assert axis.view == View(200, 500) == scale_says(axis)
    assert axis.seen == [View(0, 1000), View(200, 500)]


def test_the_slider_follows_and_is_not_heard_then(axis):
    axis.set_view(View(201, 333))
    assert axis._slider.value == (100, 167)
    assert axis.view == View(201, 333)
    assert axis.seen == [View(0, 1000), View(201, 333)]


def test_what_the_slider_says_back_late_is_no_move(axis):
    axis.set_view(View(200, 400))
    axis.set_view(View(300, 500))
    axis._slider.value = (100, 200)  # the browser's echo of the first
    assert axis.view == View(300, 500)
    assert axis._slider.value == (150, 250)
    axis._told._clock = lambda: 1e12  # after a while
    axis._slider.value = (100, 200)
    assert axis.view == View(200, 400)


@pytest.mark.parametrize("apart", [True, False])
def test_the_mouse_is_one_update_even_where_both_ends_arrive_apart(axis, apart):
    axis.seen.clear()
    move_by_mouse(axis, 200, 500, apart=apart)
    assert axis.view == View(200, 500)
    assert axis.seen == [View(200, 500)]
    assert axis._slider.value == (100, 250)


def test_the_mouse_is_followed_without_being_asked(axis):
    move = axis.timeline.moments([300, 399])
    low, high = (f"{each}Z" for each in move) if axis.timeline.has_clock else move
    axis.scale.set_state({"min": low})
    axis.scale.set_state({"max": high})
    end = time.monotonic() + 10
    while axis.view != View(300, 400) and time.monotonic() < end:
        time.sleep(0.005)
    assert axis.view == View(300, 400)
    assert axis.seen[1:] == [View(300, 400)]


def test_a_scale_that_the_mouse_moved_is_not_written_back(axis):
    between = axis.timeline.moments([200.3, 499.2])  # two cells
    stamps = [f"{moment}Z" for moment in between] if axis.timeline.has_clock else between
    axis.scale.set_state({"min": stamps[0], "max": stamps[1]})
    axis._pace.flush()
    assert axis.view == View(200, 500)
    assert [axis.scale.min, axis.scale.max] == between.tolist()


def test_moved_beyond_the_ends_the_whole_series_can_be_had_back(axis):
    move_by_mouse(axis, -500, 1500)
    assert axis.view == View(0, 1000)
    press(axis, "Whole series")
    assert scale_says(axis) == View(0, 1000)
    assert [axis.scale.min, axis.scale.max] == axis.timeline.moments([0, 999]).tolist()


def test_after_the_end_the_mouse_is_not_followed(axis):
    axis.end()
    move_by_mouse(axis, 200, 500)
    assert axis.view == View(0, 1000)


def test_listeners_hear_the_view_that_stands(axis):
    late = []
    axis.set_view(View(10, 20))
    axis.on_view(late.append)
    axis.set_view(View(30, 40))
    assert late == [View(10, 20), View(30, 40)]
    assert axis.view == View(30, 40)


def test_the_toggle_gives_figures_the_mouse_and_takes_it_back(axis):
    brush = bq.interacts.BrushIntervalSelector(scale=axis.scale)
    plain, brushed = bq.Figure(), bq.Figure(interaction=brush)
    axis.pannable(plain)
    axis.pannable(brushed, otherwise=brush)
    axis._toggle.value = True
    assert plain.interaction is brushed.interaction is axis.pan_zoom
    axis._toggle.value = False
    assert plain.interaction is None
    assert brushed.interaction is brush


def test_ticks_follow_the_view_in_a_format_that_fits():
    axis = TimeAxis(CLOCK)
    drawn = axis.axis(label="time")
    whole = drawn.tick_format
    axis.set_view(View(0, 20))
    assert len(drawn.tick_values) > 1
    assert drawn.tick_format != whole
    assert drawn.grid_lines == "none"
    axis.end()


def test_a_date_can_be_read_back_from_the_browser():
    scale = Dates(min=CLOCK.moments(0).item(), max=CLOCK.moments(9).item())
    scale.set_state({"min": "2024-03-30T22:30:00.125Z"})
    assert str(scale.min) == "2024-03-30 22:30:00.125000"
    assert scale.get_state(["min"])["min"] == "2024-03-30T22:30:00.125Z"
    scale.close()


# ---------------------------------------------------------------------- traces


def make_trace(n=1000, *, timeline=None, values=None):
    axis = TimeAxis(timeline or Timeline(n_cells=n))
    values = np.sin(np.arange(n) / 9.0) if values is None else values
    return axis, Trace(axis, values, bq.LinearScale())


def test_a_short_line_is_drawn_whole():
    axis, trace = make_trace()
    assert (trace.shown, trace.in_view) == (1000, 1000)
    np.testing.assert_array_equal(trace.mark.x, np.arange(1000.0))
    assert trace.mark.x.dtype == trace.mark.y.dtype == np.float64
    axis.set_view(View(100, 200))
    assert trace.in_view == 100
    np.testing.assert_array_equal(trace.mark.x, np.arange(99.0, 201.0))


def test_on_a_clock_the_line_stands_on_dates():
    _, trace = make_trace(timeline=CLOCK)
    assert trace.mark.x.dtype == np.dtype("datetime64[ms]")
    np.testing.assert_array_equal(trace.mark.x, CLOCK.moments(np.arange(1000)))


def test_a_million_points_are_a_few_thousand_with_all_above_the_threshold():
    rng = np.random.default_rng(2)
    values = rng.normal(size=1_000_000)
    loud = rng.choice(1_000_000, 500, replace=False)
    values[loud] = 20.0
    axis, trace = make_trace(1_000_000, values=values)
    assert trace.in_view == 1_000_000
    assert trace.shown == len(trace.mark.x) <= MOST_POINTS + 2
    trace.set_values(values, above=19.0)
    assert set(loud) <= set(trace.mark.x.astype(int).tolist())
    assert trace.shown <= MOST_POINTS + 2 + 500
    axis.set_view(View(0, 1500))
    np.testing.assert_array_equal(trace.mark.y, values[:1501])


def test_other_values_are_drawn_in_the_same_view():
    axis, trace = make_trace()
    axis.set_view(View(10, 20))
    trace.set_values(np.arange(1000.0) * 2)
    np.testing.assert_array_equal(trace.mark.y, np.arange(9, 21) * 2.0)


def test_a_gap_at_the_end_leaves_nothing_behind_the_line():
    values = np.ones(100)
    values[90:] = np.nan
    _, trace = make_trace(100, values=values)
    assert trace.mark.x[-1] == 89
    _, trace = make_trace(100, values=np.full(100, np.nan))
    assert len(trace.mark.x) == 0


def test_a_line_takes_its_colour_from_the_style_sheet():
    _, trace = make_trace()
    assert trace.mark.colors == ["var(--v-data)"]
    axis = TimeAxis(PLAIN)
    other = Trace(axis, np.zeros(1000), bq.LinearScale(), color="var(--v-score)", stroke_width=3.0)
    assert (other.mark.colors, other.mark.stroke_width) == (["var(--v-score)"], 3.0)


def test_points_and_view_reach_the_browser_in_one_message():
    axis, trace = make_trace()
    sent = []
    trace.mark.comm.send = lambda data=None, **more: sent.append(data)
    axis.set_view(View(100, 200))
    (message,) = [each for each in sent if each and each.get("method") == "update"]
    assert {"x", "y"} <= set(message["state"])


def test_an_axis_in_a_panel_leaves_nothing():
    from vaenb.panels.base import Panel

    class Timed(Panel):
        def __init__(self):
            super().__init__()
            self.axis = TimeAxis(CLOCK, lock=self.lock)
            self.trace = Trace(self.axis, np.zeros(1000), bq.LinearScale())
            figure = bq.Figure(marks=[self.trace.mark], axes=[self.axis.axis()])
            self.axis.pannable(figure)
            self.show(figure, self.axis.controls)

        def close(self):
            self.axis.end()
            super().close()

    before = living()
    panel = Timed()
    panel.axis.set_view(View(3, 30))
    panel.close()
    assert living() == before
