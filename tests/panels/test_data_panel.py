"""The panel of step 1 as Python drives it: traits and messages as a browser would send them."""

import threading

import numpy as np
import pandas as pd
import pytest
from ipywidgets.widgets.widget import _instances

import vaenb
from vaenb import InputError
from vaenb.panels.base import reachable
from vaenb.view_models.timeline import MOST_POINTS, View


@pytest.fixture(scope="module")
def taxi():
    return vaenb.load_dataset("nyc_taxi")


@pytest.fixture(scope="module")
def servers():
    return vaenb.load_dataset("server_metrics")


@pytest.fixture(scope="module")
def pump():
    """A wave with a gap, missing values, a repeated timestamp, and a clock that goes back."""
    index = pd.date_range("2024-01-01", periods=1000, freq="h")
    frame = pd.DataFrame(
        {"flow": np.sin(np.arange(1000) / 4), "level": np.cos(np.arange(1000) / 4)}, index=index
    )
    frame.iloc[990:, 0] = np.nan
    kept = [*range(300), *range(340, 600), 599, *range(600, 1000)]
    return vaenb.read_series(frame.iloc[kept], name="pump", train_end=0.6)


@pytest.fixture
def opened():
    panels = []

    def open_panel(series, **settings):
        panels.append(vaenb.DataPanel(series, **settings))
        return panels[-1]

    yield open_panel
    for panel in panels:
        panel.close()


def drag(panel, handle, cell, *, ends=False):
    """A message of the mouse, as bqplot sends it."""
    moment = panel._axis.timeline.moments([cell])[0]
    x = f"{moment}Z" if isinstance(moment, np.datetime64) else float(moment)
    mark = panel._chart.strip.handles[handle]
    event = "drag_end" if ends else "drag"
    mark._handle_custom_msgs(mark, {"event": event, "point": {"x": x, "y": 0.7}, "index": 0}, [])


def settled(panel):
    panel._pace.flush()
    return panel


# ---------------------------------------------------------------------- controls


def test_it_opens_with_what_prepare_gives(opened, taxi):
    panel = opened(taxi)
    expected = vaenb.prepare(taxi)
    assert panel.prepared.about == expected.about
    assert "4,081 train" in panel._words.summary.value
    assert "nyc_taxi" in panel._words.heading.value
    assert "1,878 of 10,320 points drawn" in panel._words.legend.value


def test_sliders_set_what_is_prepared(opened, taxi):
    panel = opened(taxi)
    panel._controls.window_size.value = 60
    panel._controls.calibration.value = 0.3
    panel._controls.train_end.value = 6000
    panel._controls.scaler.value = "minmax"
    assert panel.settings == {
        "window_size": 60,
        "calibration": 0.3,
        "scaler": "minmax",
        "train_end": 6000,
    }
    expected = vaenb.prepare(
        vaenb.read_series(taxi, train_end=6000), window_size=60, calibration=0.3, scaler="minmax"
    )
    assert settled(panel).prepared.about == expected.about
    assert f"{len(expected.train):,} train" in panel._words.summary.value
    assert "6000" in panel.code()


def test_auto_comes_and_goes(opened, taxi):
    panel = opened(taxi)
    assert panel._controls.auto.value
    panel._controls.window_size.value = 30
    assert not panel._controls.auto.value
    assert "You chose 30 points" in settled(panel)._period.words.value
    panel._controls.auto.value = True
    assert panel.settings["window_size"] == "auto"
    assert settled(panel)._controls.window_size.value == 48
    panel._controls.auto.value = False
    assert panel.settings["window_size"] == 48


@pytest.mark.parametrize("name", ["nyc_taxi", "server_metrics"])
def test_edges_are_dragged(opened, name):
    panel = opened(vaenb.load_dataset(name))
    for cell in range(5500, 7001, 25):
        drag(panel, "train_end", cell)
    drag(panel, "train_end", 7000, ends=True)
    assert panel.settings["train_end"] == 7000
    assert panel._controls.train_end.value == 7000
    drag(panel, "calibration", 3500, ends=True)
    assert panel.settings["calibration"] == 0.5
    assert panel.view.parts[0].stop == 3500
    np.testing.assert_array_equal(
        panel._chart.strip.handles["calibration"].x, panel._axis.timeline.moments([3499.5])
    )


def test_the_handle_under_the_mouse_is_left_to_it(opened, taxi):
    panel = opened(taxi)
    handle = panel._chart.strip.handles["train_end"]
    before = handle.x.copy()
    drag(panel, "train_end", 7000)
    np.testing.assert_array_equal(handle.x, before)
    drag(panel, "train_end", 7000, ends=True)
    np.testing.assert_array_equal(handle.x, panel._axis.timeline.moments([6999.5]))


def test_settings_from_python(opened, taxi):
    panel = opened(taxi, window_size=20)
    panel.choose(window_size=40, train_end=0.4)
    assert panel.settings["train_end"] == 4128
    assert panel._controls.window_size.value == 40
    with pytest.raises(InputError, match="window_size is 0"):
        panel.choose(window_size=0)
    assert panel.settings["window_size"] == 40
    with pytest.raises(InputError, match="no setting"):
        vaenb.DataPanel(taxi, window_size=20).choose(stride=3)


def test_listeners_hear_of_every_change_that_can_be_prepared(opened, taxi):
    panel = opened(taxi)
    heard = []
    panel.on_change(heard.append)
    panel.choose(window_size=40)
    settled(panel)
    panel.choose(window_size=5000)
    settled(panel)
    panel.choose(window_size=40)
    settled(panel)
    panel.choose(window_size=50)
    settled(panel)
    assert [settings["window_size"] for settings in heard] == [40, 50]


def test_a_listener_that_raises_is_a_line_in_the_panel(opened, taxi):
    panel = opened(taxi)
    panel.on_change(lambda settings: 1 / 0)
    panel.choose(window_size=40)
    settled(panel)
    assert "ZeroDivisionError" in panel._error.value
    panel.window_at = 3
    assert panel._error.value == ""


def test_what_cannot_be_prepared_is_told_and_the_last_good_stays(opened, taxi):
    panel = opened(taxi)
    good = panel.prepared
    panel.choose(window_size=2000)
    settled(panel)
    assert "1,032 points, fewer than one window of 2000" in panel._words.problem.value
    assert panel._words.problem.layout.display is None
    assert panel.view.last_good is good
    panel.window_at = 100  # no other gesture takes the words away
    assert "fewer than one window" in panel._words.problem.value
    with pytest.raises(InputError, match="fewer than one window"):
        _ = panel.prepared
    panel.choose(window_size=100)
    settled(panel)
    assert panel._words.problem.value == ""
    assert panel._words.problem.layout.display == "none"
    assert panel.prepared.window_size == 100


# ---------------------------------------------------------------------- the window


def test_the_window_moves_by_slider_by_button_by_mouse_and_from_python(opened, taxi):
    panel = opened(taxi)
    panel.window_at = 1000
    assert panel._slide.slider.value == 1000
    panel._slide.slider.value = 2000
    assert panel.window_at == 2000
    back, on = panel._slide.box.children[1:3]
    on.click()
    assert panel.window_at == 2048
    back.click()
    assert panel.window_at == 2000
    drag(panel, "window", 3000, ends=True)
    assert panel.window_at == 3000 - 23
    line = panel._window.line
    np.testing.assert_allclose(np.ravel(line.y), panel.view.sight().values[:, 0], rtol=1e-6)
    assert panel._window.words.value.startswith("2014-09-01 00:30 to 2014-09-02 00:00")


def test_the_window_is_marked_on_every_channel(opened, servers):
    panel = opened(servers)
    panel.window_at = 500
    for row in panel._chart.rows:
        assert row.window.mark.x.tolist() == [499.5, 499.5, 563.5, 563.5]


def test_zooming_to_the_window_shows_some_windows_around_it(opened, taxi):
    panel = opened(taxi)
    panel.window_at = 5000
    panel._slide.box.children[3].click()
    view = panel._axis.view
    assert view.first < 5000
    assert view.stop > 5048
    assert len(view) == 20 * 48


# ---------------------------------------------------------------------- channels


def test_nineteen_channels_are_seen_six_by_six(opened, servers):
    panel = opened(servers)
    assert len(panel._chart.box.children) == 1 + 6
    panel._channels.on.click()
    assert panel.view.shown == (6, 7, 8, 9, 10, 11)
    panel._channels.on.click()
    panel._channels.on.click()
    assert panel.view.shown == (13, 14, 15, 16, 17, 18)
    panel._channels.back.click()
    assert panel.view.shown == (7, 8, 9, 10, 11, 12)
    assert panel._channels.tags.value == [f"v{i}" for i in range(7, 13)]


def test_channels_are_chosen_by_tags_and_from_python(opened, servers):
    panel = opened(servers)
    panel._channels.tags.value = ["v9", "v2"]
    assert panel.view.shown == (9, 2)
    assert len(panel._chart.box.children) == 1 + 2
    assert [row.name.value for row in panel._chart.rows[:2]] == ["<b>v9</b>", "<b>v2</b>"]
    assert [row._x_axis.visible for row in panel._chart.rows[:2]] == [False, True]
    panel.show_channels(*servers.channels)
    assert len(panel.view.shown) == 6
    panel._channels.tags.value = []
    assert len(panel._channels.tags.value) == 6
    with pytest.raises(InputError, match="no channel 'v99'"):
        panel.show_channels("v99")


def test_one_channel_needs_no_chooser(opened, taxi, servers):
    assert opened(taxi)._channels.box.layout.display == "none"
    assert opened(servers)._channels.box.layout.display != "none"


# ---------------------------------------------------------------------- repairs and zoom


def test_repairs_are_marked_where_they_are(opened, pump):
    panel = opened(pump, window_size=24)
    flow, level = panel._chart.rows
    moments = panel._axis.timeline.moments
    np.testing.assert_array_equal(level.missing.mark.x, moments([299.5, 299.5, 339.5, 339.5]))
    np.testing.assert_array_equal(flow.missing.mark.x[5:], moments([989.5, 989.5, 999.5, 999.5]))
    np.testing.assert_array_equal(flow.repeated.x, moments([599]))
    legend = panel._words.legend.value
    assert "missing (90)" in legend
    assert "several rows at once (1)" in legend
    assert "1 gap (40 missing points)" in panel._words.summary.value
    panel._axis.set_view(View(0, 200))
    assert len(flow.missing.mark.x) == len(flow.repeated.x) == 0


def test_names_from_a_file_are_not_taken_for_html(opened):
    frame = pd.DataFrame({"<b>a": np.sin(np.arange(400)), "b&c": np.cos(np.arange(400))})
    panel = opened(vaenb.read_series(frame, name="<script>x"))
    assert "&lt;script&gt;x" in panel._words.heading.value
    assert panel._chart.rows[0].name.value == "<b>&lt;b&gt;a</b>"


def test_a_long_series_is_thinned_and_says_so(opened):
    n = 300_000
    values = np.sin(np.arange(n) / 20)
    values[123_456] = 9.0
    panel = opened(vaenb.read_series(values))
    for view in (View(0, n), View(100_000, 200_000), View(123_000, 124_000)):
        panel._axis.set_view(view)
        line = panel._chart.rows[0].trace.mark
        assert len(line.x) <= MOST_POINTS + 2
        assert 9.0 in line.y
    assert "1,000 of 1,000 points drawn" in panel._words.legend.value
    panel.choose(train_end=200_000)  # what takes long waits for a pause, what is cheap does not
    assert panel._chart.strip.handles["train_end"].x[0] == 199_999.5
    assert panel.view.last_good.calibration_stop == n // 2
    assert settled(panel).view.last_good.calibration_stop == 200_000


def test_marks_send_no_more_than_the_browser_can_draw(opened):
    rng = np.random.default_rng(0)
    values = rng.normal(size=50_000)
    values[rng.random(50_000) < 0.3] = np.nan
    panel = opened(vaenb.read_series(values), window_size=64)
    for figure in (panel._chart.rows[0].figure, panel._chart.strip.figure, panel._window.figure):
        for mark in figure.marks:
            assert np.size(mark.x) <= MOST_POINTS + 2, type(mark)
            assert np.asarray(mark.x).dtype.kind in "fM"


# ---------------------------------------------------------------------- code, picture, end


@pytest.mark.parametrize(
    "settings",
    [{}, {"window_size": 30, "scaler": "standard"}, {"train_end": "2014-12-01", "calibration": 0.1}],
)
def test_the_copied_code_gives_the_same(opened, taxi, settings):
    panel = opened(taxi, **settings)
    names = {}
    exec(panel.code(), names)
    assert names["prepared"].about == panel.prepared.about
    assert names["prepared"].train_stop == panel.prepared.train_stop


def test_the_code_of_a_series_of_ones_own_does_not_load_another(opened, taxi):
    mine = vaenb.read_series(taxi, train_end=4000)
    assert "load_dataset" not in opened(mine).code()
    assert "load_dataset('nyc_taxi')" in opened(taxi).code()
    assert "load_dataset" not in opened(vaenb.read_series(np.sin(np.arange(500)))).code()


def test_the_code_follows_while_it_is_shown(opened, taxi):
    panel = opened(taxi)
    panel._show_code.value = True
    panel._controls.window_size.value = 30
    settled(panel)
    assert panel._code.value.endswith("vaenb.prepare(series, window_size=30)")


def test_the_snapshot_says_what_there_is_to_see(opened, pump):
    still = opened(pump, window_size=24).snapshot()
    assert "<img" in still
    assert "1 gap (40 missing points)" in still


def test_fifty_panels_leave_nothing_behind(taxi, servers):
    vaenb.DataPanel(taxi).close()
    before, threads = len(_instances), threading.active_count()
    for turn in range(50):
        panel = vaenb.DataPanel(servers if turn % 10 == 0 else taxi)
        if turn % 10 == 0:
            panel.show_channels("v1")
            assert len(reachable(panel)) < len(_instances)
        panel.choose(window_size=20 + turn)
        panel.window_at = turn
        panel.close()
        panel.close()
    assert len(_instances) == before
    assert threading.active_count() <= threads + 1


def test_two_panels_do_not_disturb_each_other(opened, taxi):
    one, other = opened(taxi), opened(taxi)
    one.choose(window_size=30)
    one.window_at = 7
    one._axis.set_view(View(0, 100))
    assert other.settings["window_size"] == "auto"
    assert other.window_at != 7
    assert len(other._axis.view) == 10_320
