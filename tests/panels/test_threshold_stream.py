"""The threshold panel while scores keep coming, as Python drives it."""

import threading

import numpy as np
import pytest
from ipywidgets.widgets.widget import _instances

from vaenb.errors import InputError
from vaenb.panels.threshold import ThresholdPanel
from vaenb.view_models.timeline import View


class Growing:
    """What the panel needs of a stream."""

    def __init__(self, n):
        self.rng = np.random.default_rng(1)
        self.all, self.n_cells, self.calls = self.rng.exponential(size=n), n, []
        self.met = np.empty(0)

    def on_update(self, call):
        self.calls.append(call)

    def off_update(self, call):
        self.calls = [each for each in self.calls if each != call]

    def newest(self):
        from vaenb.streaming import Newest

        n = len(self.met)
        first = max(0, self.n_cells - n - 40)
        return Newest(
            first=first,
            scores=self.all[first:],
            values=self.all[first:, None] * 2,
            cells=np.arange(self.n_cells - n, self.n_cells),
            thresholds=self.met,
        )

    def update(self, n):
        self.all = np.append(self.all, self.rng.exponential(size=n))
        self.all[-n - 20 : -n] *= 1.01  # what was provisional changes
        self.n_cells += n
        self.met = np.linspace(4, 5, n)
        for call in self.calls:
            call(self)


@pytest.fixture
def stream():
    return Growing(1_000)


@pytest.fixture
def panel(stream):
    made = ThresholdPanel(
        stream.all, values=stream.all * 2, calibration=(0, 600), window_size=4, points_per_day=24
    )
    yield made
    made.close()


def wait_for(true):
    for _ in range(300):
        if true():
            return
        threading.Event().wait(0.02)
    raise AssertionError("it never came")


def painted(panel):
    """Until the picture shows all that there is."""
    n = len(panel.view.pieces)
    wait_for(lambda: panel.axis.timeline.n_cells == n and panel._growth._timer is None)
    wait_for(lambda: panel._counting._timer is None)
    assert panel._error.value == ""


def test_it_follows_a_stream(panel, stream):
    panel.follow(stream)
    for _ in range(30):
        stream.update(25)
    painted(panel)
    assert len(panel.view.pieces) == 1_750
    np.testing.assert_array_equal(panel.view.pieces.scores, stream.all)
    np.testing.assert_array_equal(panel.view.pieces.values[:, 0], stream.all * 2)
    assert panel.axis.view == View(0, 1_750)
    assert panel.over_time.scores.mark.x[-1] == panel.axis.timeline.moments([1_749])[0]
    assert panel.over_time.values.mark.x[-1] == 1_749
    assert np.isnan(panel.view.pieces.thresholds[:1_000]).all()
    np.testing.assert_allclose(panel.view.pieces.thresholds[1_725:], np.linspace(4, 5, 25))
    assert panel.over_time.met.mark.x[-1] == 1_749
    np.testing.assert_allclose(panel.over_time.met.mark.y[-1], panel.view.scale(5.0))
    assert "threshold that each score met" in panel.controls.legend.value
    assert f"<b>{int(panel.metrics['alarms']):,}</b>" in panel.controls.tiles.value
    assert panel.axis._slider.value == (0, panel.axis._slider.max)


def test_the_line_a_zoom_and_what_was_set_stay(panel, stream):
    panel.follow(stream)
    panel.threshold = 2.25
    panel.merge_gap = 9
    panel.axis.set_view(View(100, 300))
    stream.update(200)
    painted(panel)
    assert (panel.threshold, panel.rule, panel.merge_gap) == (2.25, None, 9)
    assert panel.axis.view == View(100, 300)
    assert panel.axis.scale.max == 299


def test_a_view_of_the_end_stays_at_the_end(panel, stream):
    panel.follow(stream)
    panel.axis.set_view(View(900, 1_000))
    stream.update(60)
    painted(panel)
    assert panel.axis.view == View(960, 1_060)
    assert (panel.axis.scale.min, panel.axis.scale.max) == (960, 1_059)
    assert panel.over_time.scores.mark.x[-1] == 1_059


def test_at_most_ten_pictures_a_second(panel, stream, monkeypatch):
    pictures = []
    paint = panel._paint
    monkeypatch.setattr(panel, "_paint", lambda: (pictures.append(1), paint()))
    panel.follow(stream)
    for _ in range(200):
        stream.update(1)
    painted(panel)
    assert 1 <= len(pictures) < 100
    assert len(panel.view.pieces) == 1_200


def test_an_enormous_score_gets_onto_the_axes(panel):
    panel.append([800.0], values=[3.0])
    painted(panel)
    assert panel.view.scale.high > 800
    assert panel.over_time.scores.mark.y.max() <= 1
    for axis in (panel.over_time._up, panel.by_score._under, panel.curves._across):
        assert max(float(str(name).replace(",", "").replace("\u202f", "")) for name in labels(axis)) > 100
    np.testing.assert_allclose(panel.by_score.dots.x, panel.by_score._places())
    panel.append([900.0], values=[1e6])
    painted(panel)
    assert panel.over_time._value_scale.max >= 1e6


def labels(axis):
    return [text for text in axis.tick_labels.values() if text.replace(",", "").replace(".", "").isdigit()]


def test_what_does_not_fit_is_refused(panel, stream):
    with pytest.raises(InputError, match="shape"):
        panel.append([1.0], values=[[1.0, 2.0]])
    stream.update(5)
    with pytest.raises(InputError, match="The panel shows 1,000 points, and the stream has 1,005"):
        panel.follow(stream)
    assert not stream.calls


def test_closed_it_follows_no_more_and_leaves_nothing(stream):
    before = len(_instances)
    panel = ThresholdPanel(stream.all, calibration=(0, 600))
    panel.follow(stream)
    stream.update(10)
    painted(panel)
    panel.close()
    assert not stream.calls
    assert len(_instances) == before
    panel.append([1.0])  # no error, and no picture


def test_the_still_picture_has_the_moving_threshold(panel):
    plain = panel.picture()
    panel.append(np.ones(300), thresholds=np.linspace(2, 3, 300))
    assert "v-met" in panel.picture()
    assert "v-met" not in plain
