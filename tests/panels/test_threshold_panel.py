"""The threshold panel as Python drives it: traits and messages from here, as a browser would send them."""

import threading

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances
from make_evidence import make_evidence

import vaenb
from vaenb.errors import InputError
from vaenb.panels.threshold import ThresholdPanel
from vaenb.view_models.timeline import View


@pytest.fixture(scope="module")
def evidence():
    return make_evidence()


@pytest.fixture
def panel(evidence):
    made = ThresholdPanel(evidence)
    yield made
    made.close()


@pytest.fixture
def plain():
    rng = np.random.default_rng(0)
    made = ThresholdPanel(
        rng.exponential(size=2_000), calibration=(0, 1_000), window_size=4, points_per_day=24
    )
    yield made
    made.close()


def send(mark, event, **point):
    """What the browser sends while a point is dragged."""
    mark._handle_custom_msgs(mark, {"event": event, "point": {"x": 0.5, "y": 0.5, **point}, "index": 0})


def wait_for(true):
    """Until the last paced picture is painted."""
    for _ in range(200):
        if true():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it never came")


def error(panel):
    return panel._error.value


def shown(panel):
    """That all that is shown belongs to the same threshold."""
    view = panel.view
    assert panel.controls.typed.value == pytest.approx(view.threshold, rel=1e-5)
    assert panel.controls.slider.value == pytest.approx(1000 * view.place, abs=1)
    assert panel.over_time.handle.mark.y[0] == view.place
    assert panel.by_score.handle.mark.x[0] == view.place
    assert panel.by_score.line.x.tolist() == [view.place, view.place]
    assert panel.by_score.tail.x[0] == view.place
    assert f"<b>{int(view.metrics['alarms']):,}</b>" in panel.controls.tiles.value
    assert error(panel) == ""


def test_it_opens_on_the_rule_of_the_study(panel, evidence):
    assert panel.rule is evidence.rule
    assert panel.threshold == evidence.rule.threshold_
    shown(panel)
    on = [button.description for button in panel.table.buttons if "vaenb-on" in button._dom_classes]
    assert on == [panel.view.row.name]


def test_setting_the_threshold_moves_everything(panel, evidence):
    panel.threshold = 2.0
    shown(panel)
    plain = vaenb.find_events(evidence.scores, 2.0, merge_gap=panel.merge_gap)
    np.testing.assert_array_equal(panel.events.start, plain.start)
    assert len(panel.events_frame()) == len(plain)
    assert panel.rule is None
    assert not [button for button in panel.table.buttons if "vaenb-on" in button._dom_classes]
    assert panel.metrics == panel.view.metrics
    with pytest.raises(InputError, match="threshold is nan"):
        panel.threshold = np.nan
    assert panel.threshold == 2.0


def test_a_drag_over_the_scores(panel):
    told = []
    panel.on_threshold(told.append)
    mark = panel.over_time.handle.mark
    send(mark, "drag_start")
    for step in range(60):
        send(mark, "drag", y=0.8 - step / 200)
    assert mark.y[0] != pytest.approx(panel.view.place)  # the mouse holds it: the kernel does not pull
    mark.y = np.array([0.5])
    send(mark, "drag_end", y=0.5)
    shown(panel)
    assert panel.view.place == pytest.approx(0.5, abs=1e-3)
    assert told[-1] == panel.threshold
    assert len(told) <= 61


def test_a_drag_in_the_histogram(panel):
    mark = panel.by_score.handle.mark
    send(mark, "drag_start")
    send(mark, "drag", x=0.4)
    wait_for(lambda: panel.over_time.handle.mark.y[0] == panel.view.place)
    send(mark, "drag_end", x=0.41)
    shown(panel)
    assert panel.view.place == pytest.approx(0.41, abs=1e-3)


def test_a_drag_beyond_the_axis_ends_at_its_edge(panel):
    mark = panel.over_time.handle.mark
    send(mark, "drag_start")
    send(mark, "drag_end", y=1.7)
    assert panel.view.place == pytest.approx(1.0, abs=1e-3)
    shown(panel)


def test_typing_and_sliding(panel):
    panel.controls.typed.value = 2.5
    assert panel.threshold == 2.5
    shown(panel)
    panel.controls.slider.value = 300
    wait_for(lambda: panel.over_time.handle.mark.y[0] == panel.view.place)
    assert panel.view.place == pytest.approx(0.3, abs=1e-3)
    panel.controls.typed.value = 3.0
    shown(panel)


def test_what_the_panel_sets_is_no_gesture(panel):
    before = panel.rule
    panel._paint()
    panel.use_rule(0)
    assert panel.rule is panel.view.rules[0].rule
    assert panel.rule is not before
    shown(panel)


def test_sliding_while_another_thread_paints_loses_nothing(panel):
    stop = threading.Event()

    def paint():
        while not stop.is_set():
            panel._paint_paced()

    other = threading.Thread(target=paint)
    other.start()
    try:
        for place in (0.31, 0.42, 0.53, 0.64):
            panel.controls.slider.value = round(1000 * place)
            assert panel.view.place == pytest.approx(place, abs=1e-3)
    finally:
        stop.set()
        other.join()


def test_rules_are_buttons(panel):
    for which, button in enumerate(panel.table.buttons):
        button.click()
        assert panel.rule is panel.view.rules[which].rule
        assert "vaenb-on" in button._dom_classes
        shown(panel)
    assert panel.controls.promise.value.startswith("<b>1 alarm a day</b>")


def test_a_rule_that_could_not_be_fitted_cannot_be_pressed(monkeypatch, plain):
    monkeypatch.setattr(
        vaenb.Conformal, "_choose", lambda self, calibration: raise_(InputError("It cannot."))
    )
    with_trouble = ThresholdPanel(np.arange(100.0), calibration_scores=np.arange(50.0))
    button = with_trouble.table.buttons[4]
    assert button.disabled
    assert button.tooltip == "It cannot."
    button.click()
    assert "It cannot." in error(with_trouble)
    with pytest.raises(InputError, match="It cannot"):
        with_trouble.use_rule(4)
    with_trouble.close()


def raise_(error):
    raise error


def test_the_cost_moves_the_line(panel):
    panel.cost = 20
    assert panel.cost == 20
    assert panel.controls.cost.value == 20
    assert "Nothing is cheaper" in panel.controls.cost_words.value
    shown(panel)
    panel.use_rule(0)
    panel.controls.cheapest.click()
    assert panel.rule is None
    panel.controls.cost.value = 1000.0
    assert panel.cost == 1000
    shown(panel)
    with pytest.raises(InputError, match="cost is -1"):
        panel.cost = -1
    assert panel.cost == 1000


def test_a_cost_without_labels_is_refused_and_changes_nothing(plain):
    with pytest.raises(InputError, match="no labelled events"):
        plain.cost = 5
    assert plain.cost == 10
    assert plain.controls.cost_box.layout.display == "none"


def test_merge_gap_and_minimum_length(panel):
    panel.threshold = 1.5
    before = len(panel.events)
    panel.controls.merge_gap.value = 0
    wait_for(lambda: f"<b>{int(panel.metrics['alarms']):,}</b>" in panel.controls.tiles.value)
    assert panel.merge_gap == 0
    assert len(panel.events) > before
    panel.min_length = 500
    assert panel.controls.min_length.value == 500  # beyond where the slider ended
    assert panel.min_length == 500
    panel.controls.min_length.value = 2
    wait_for(lambda: panel.min_length == 2)
    panel.merge_gap = 3
    assert panel.controls.merge_gap.value == 3
    with pytest.raises(InputError, match="merge_gap is -3"):
        panel.merge_gap = -3


def test_the_judged_part(panel):
    panel.threshold = 1.5
    after = panel.metrics["flagged"]
    panel.controls.part.value = "all"
    assert panel.metrics["flagged"] > after
    assert "whole series" in panel.controls.tiles.value
    assert "whole series" in panel.controls.histogram_name.value
    shown(panel)


def test_zooming_draws_what_is_in_view(panel):
    panel.threshold = 1.0
    panel.axis.set_view(View(2_000, 2_400))
    above = panel.over_time.above
    assert above.in_view == int((panel.view.pieces.scores[2_000:2_400] > 1.0).sum())
    assert "of 400 drawn" in panel.controls.drawn.value
    assert panel.over_time.scores.in_view == 400


def test_marks_stay_small_on_a_long_series():
    rng = np.random.default_rng(0)
    panel = ThresholdPanel(
        rng.exponential(size=60_000), values=rng.normal(size=60_000), calibration=(0, 9_000)
    )
    for threshold in (0.7, 3.0, 6.0):
        panel.threshold = threshold
        marks = [
            mark
            for figure in (panel.over_time.score_figure, panel.over_time.value_figure)
            for mark in figure.marks
        ]
        assert max(np.size(mark.x) for mark in marks) <= 2_004
    assert "all" in panel.controls.drawn.value
    panel.close()


def test_figures_change_with_the_labels(panel, plain):
    assert panel._worth.children == (panel.curves.curve_figure,)
    assert plain._worth.children == (plain.curves.rate_figure,)
    assert panel.curves.here.x[0] == panel.metrics["recall"]
    rate = plain.metrics["alarms_per_day"]
    assert plain.curves.rate_here.y[0] == pytest.approx(rate)
    assert "Alarms a day" in plain.controls.curve_name.value
    assert "alarms a day" in plain.controls.tiles.value


def test_the_warning_stands_there(panel):
    assert panel.controls.itself.layout.display == "none"
    itself = ThresholdPanel(np.random.default_rng(0).exponential(size=500))
    assert "flagged by construction" in itself.controls.itself.value
    assert itself.controls.itself.layout.display is None
    itself.close()


def test_channels_can_be_chosen():
    evidence = make_evidence("server_metrics")
    panel = ThresholdPanel(evidence)
    names = evidence.series.channels
    panel.controls.channel.value = 2
    assert panel.controls.channel_name.value == names[2]
    assert panel.over_time.values._values[5] == evidence.series.grid[5, 2]
    assert names[2] in panel.picture()
    panel.close()


def test_a_listener_that_raises_is_a_line_in_the_panel(panel):
    told = []
    panel.on_threshold(lambda _: raise_(ValueError("too high")))
    panel.on_threshold(told.append)
    panel.threshold = 2.0
    assert told == [2.0]
    panel.threshold = 2.0
    assert told == [2.0]
    assert panel.threshold == 2.0


def test_code_and_picture(panel, evidence):
    panel.threshold = 3.21
    panel.merge_gap, panel.min_length = 48, 2
    names = {"evidence": evidence}
    exec(panel.code(), names)
    assert names["threshold"] == 3.21
    np.testing.assert_array_equal(names["events"].start, panel.events.start)
    panel._show_code.value = True
    assert panel._code.value == panel.code()
    panel.threshold = 3.5
    assert "threshold = 3.5" in panel._code.value
    assert "The threshold is 3.5" in panel.snapshot()


def test_from_pieces_with_everything():
    rng = np.random.default_rng(1)
    n = 1_000
    panel = ThresholdPanel(
        rng.exponential(size=n),
        values=rng.normal(size=(n, 2)),
        index=np.datetime64("2024-01-01") + np.arange(n) * np.timedelta64(1, "h"),
        labels=rng.random(n) < 0.01,
        calibration_scores=rng.exponential(size=400),
        calibration=(100, 500),
        window_size=8,
        rule="mad:4",
        merge_gap=2,
        min_length=2,
    )
    assert panel.view.pieces.points_per_day == 24
    assert panel.view.row.name == "MAD \u00d7 4"
    assert (panel.merge_gap, panel.min_length) == (2, 2)
    panel.close()


def test_what_does_not_fit_leaves_nothing_behind():
    before = len(_instances)
    with pytest.raises(InputError, match="labels"):
        ThresholdPanel(np.arange(50.0), labels=[1])
    assert len(_instances) == before


def test_fifty_times_opened_used_and_closed(evidence):
    before = set(_instances)
    for turn in range(50):
        panel = ThresholdPanel(evidence)
        panel.threshold = 1.0 + turn / 50
        panel.axis.set_view(View(0, 500))
        panel.close()
        panel.close()
        assert set(_instances) == before
    panel.over_time.handle._on_place(0.5, True)  # a message that comes too late
    panel.controls.typed.value = 9.0
    assert panel.threshold != 9.0


def test_two_panels_do_not_disturb_each_other(panel, evidence):
    other = ThresholdPanel(evidence)
    other.threshold = 1.0
    assert panel.rule is evidence.rule
    shown(panel)
    shown(other)
    other.close()
    panel.threshold = 2.0
    shown(panel)
