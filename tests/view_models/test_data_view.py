"""Step 1 without a widget: settings, parts, the window, the period, the words and the code."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vaenb
from vaenb import InputError
from vaenb.view_models import data_words
from vaenb.view_models.data import MOST_SHOWN, DataView
from vaenb.view_models.data_picture import draw


@pytest.fixture(scope="module")
def taxi():
    return vaenb.load_dataset("nyc_taxi")


@pytest.fixture(scope="module")
def servers():
    return vaenb.load_dataset("server_metrics")


@pytest.fixture(scope="module")
def broken():
    """A wave with a gap, missing values, a repeated timestamp; 1,000 rows or so."""
    index = pd.date_range("2024-01-01", periods=1000, freq="h")
    frame = pd.DataFrame({"flow": np.sin(np.arange(1000) * 2 * np.pi / 24), "level": 1.0}, index=index)
    frame.iloc[100:110, 0] = np.nan
    kept = [*range(300), *range(340, 700), 699, *range(700, 1000)]
    return vaenb.read_series(frame.iloc[kept], name="pump", train_end=0.6)


def same(one, other):
    for name in ("train_stop", "calibration_stop", "window_size", "notes"):
        assert getattr(one, name) == getattr(other, name)
    np.testing.assert_array_equal(one.everything.values, other.everything.values)
    for part in ("train", "calibration", "test"):
        np.testing.assert_array_equal(getattr(one, part).starts, getattr(other, part).starts)


# ---------------------------------------------------------------------- settings and what they give


def test_the_defaults_are_those_of_prepare(taxi):
    view = DataView(taxi)
    assert view.settings == {
        "window_size": "auto",
        "calibration": 0.2,
        "scaler": "robust",
        "train_end": None,
    }
    same(view.prepared, vaenb.prepare(taxi))


@pytest.mark.parametrize(
    "chosen",
    [
        {"window_size": 60},
        {"calibration": 0.35, "scaler": "minmax"},
        {"train_end": 7000},
        {"train_end": "2014-11-01", "scaler": "standard"},
        {"train_end": 0.25, "window_size": np.int64(30)},
    ],
)
def test_prepared_is_what_prepare_gives(taxi, chosen):
    rest = {name: value for name, value in chosen.items() if name != "train_end"}
    series = vaenb.read_series(taxi, train_end=chosen.get("train_end"))
    expected = vaenb.prepare(series, **rest)
    same(DataView(taxi, **chosen).prepared, expected)
    view = DataView(taxi)
    assert view.choose(**chosen)
    same(view.prepared, expected)
    assert not view.choose(**chosen)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"window_size": 1}, "window_size is 1; expected 'auto' or a whole number"),
        ({"window_size": "wide"}, "window_size is 'wide'"),
        ({"window_size": True}, "window_size is True"),
        ({"window_size": 4.5}, "window_size is 4.5"),
        ({"calibration": 0}, "calibration is 0"),
        ({"calibration": "much"}, "calibration is 'much'"),
        ({"calibration": True}, "calibration is True"),
        ({"scaler": "log"}, "scaler is 'log'"),
        ({"train_end": 0}, "leaves no training part"),
        ({"train_end": "soon"}, "train_end is 'soon'"),
        ({"windowsize": 4}, "no setting 'windowsize'"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_refused_and_nothing_changes(taxi, chosen, words):
    view = DataView(taxi, window_size=60)
    before = view.settings
    with pytest.raises(InputError, match=words):
        view.choose(**{"scaler": "minmax", "calibration": 0.4, **chosen})
    assert view.settings == before


def test_what_cannot_be_prepared_leaves_the_last_good_state(taxi):
    view = DataView(taxi)
    good = view.prepared
    view.choose(window_size=2000)
    assert view.refresh() is good
    assert view.last_good is good
    assert "calibration part has 1,032 points" in str(view.error)
    with pytest.raises(InputError, match="fewer than one window of 2000"):
        _ = view.prepared
    view.choose(window_size=100)
    assert view.prepared.window_size == 100
    assert view.error is None


def test_a_series_that_cannot_be_prepared_at_all_can_be_looked_at():
    view = DataView(vaenb.read_series(np.sin(np.arange(12.0)), train_end=6))
    assert view.last_good is None
    assert view.sight() is None
    assert data_words.counts(view) == "No windows yet."
    assert "too short" in data_words.size_reason(view)
    assert data_words.ranges(view).tolist() == [[-1.0, 1.0]]
    assert draw(view).startswith("<svg")
    with pytest.raises(InputError):
        _ = view.prepared


def test_preparing_happens_once_for_the_same_settings(taxi):
    view = DataView(taxi)
    assert view.prepared is view.prepared
    view.choose(window_size="auto")
    assert view.prepared is view.refresh()


# ---------------------------------------------------------------------- parts


@settings(max_examples=60, deadline=None)
@given(end=st.integers(40, 950), share=st.floats(0.02, 0.9))
def test_parts_are_those_of_prepare(broken, end, share):
    view = DataView(broken, train_end=end, calibration=share, window_size=2)
    train, held, test = view.parts
    if view.error is None:
        assert (train.stop, held.stop) == (view.prepared.train_stop, view.prepared.calibration_stop)
    assert (train.start, held.start, test.start, test.stop) == (0, train.stop, held.stop, broken.n_cells)


@settings(max_examples=60, deadline=None)
@given(cell=st.integers(0, 1000))
def test_an_edge_goes_where_it_is_dragged(broken, cell):
    view = DataView(broken)
    view.move_train_end(cell)
    rows = int((broken.cells < cell).sum())
    assert view.train_end == np.clip(rows, 1, len(broken) - 1)


def test_the_calibration_edge_goes_where_it_is_dragged(taxi):
    view = DataView(taxi)
    assert view.move_calibration(3000)
    assert view.settings["calibration"] == round(1 - 3000 / 5160, 3)
    assert view.parts[0].stop == pytest.approx(3000, abs=0.0005 * 5160 + 1)
    view.move_calibration(9000)
    assert view.settings["calibration"] == 0.01
    view.move_calibration(-5)
    assert view.settings["calibration"] == 0.9


def test_the_series_own_end_is_no_change(taxi):
    assert DataView(taxi, train_end=taxi.train_end).settings["train_end"] is None


# ---------------------------------------------------------------------- the window


def test_the_window_stays_within_the_series(taxi):
    view = DataView(taxi)
    for asked, found in ((-5, 0), (10**9, 10_320 - 48), (77, 77)):
        view.window_at = asked
        assert view.window_at == found
    view.window_at = 10_320 - 48
    view.choose(window_size=500)
    assert view.window_at == 10_320 - 500


def test_the_window_is_cut_from_what_was_prepared(broken):
    view = DataView(broken, window_size=30)
    view.window_at = 90
    sight = view.sight()
    windows = view.prepared.everything
    np.testing.assert_array_equal(sight.values, windows.values[90:120])
    np.testing.assert_array_equal(sight.missing, windows.missing[90:120])
    assert sight.missing[:, 0].sum() == 10
    assert (sight.start, sight.stop) == (90, 120)


@pytest.mark.parametrize(
    ("at", "parts", "words"),
    [
        (0, ("train",), "the model learns from it"),
        (4100, ("train", "calibration"), "reaches from train into calibration"),
        (4200, ("calibration",), "held out to set the threshold"),
        (5150, ("calibration", "test"), "reaches from calibration into test"),
        (9000, ("test",), "it is judged"),
    ],
)
def test_it_is_said_what_a_window_is_used_for(taxi, at, parts, words):
    view = DataView(taxi)
    view.window_at = at
    assert view.sight().parts == parts
    assert words in data_words.window_words(view)


def test_missing_values_in_the_window_are_told(broken):
    view = DataView(broken, window_size=30)
    view.window_at = 90
    assert "10 values are missing and filled" in data_words.window_words(view)


def test_a_window_larger_than_what_could_be_prepared_is_still_seen(taxi):
    view = DataView(taxi)
    view.choose(window_size=3000)
    view.refresh()
    assert view.sight().values.shape == (3000, 1)


# ---------------------------------------------------------------------- channels


def test_the_first_channels_that_change_are_shown(servers):
    view = DataView(servers)
    moves = [c for c in range(19) if np.ptp(servers.values[:, c]) > 0]
    assert view.shown == tuple(moves[:MOST_SHOWN])


def test_at_most_six_channels_are_shown_in_the_order_asked_for(servers):
    view = DataView(servers)
    view.show_channels([7, 2, 7, 18])
    assert view.shown == (7, 2, 18)
    view.show_channels(range(19))
    assert view.shown == (0, 1, 2, 3, 4, 5)
    view.show_channels([])
    assert view.shown == (0, 1, 2, 3, 4, 5)
    with pytest.raises(InputError, match="no channel 19; expected 0 to 18"):
        view.show_channels([19])


# ---------------------------------------------------------------------- the period and the words


def test_the_period_is_the_one_that_auto_takes(taxi):
    view = DataView(taxi)
    assert view.acf.period == vaenb.dominant_period(taxi.grid[: view.parts[0].stop]) == 48
    assert view.auto == (48, "the dominant period is 48 points")
    assert data_words.size_reason(view) == "48 points (1 d), because the dominant period is 48 points."
    view.choose(window_size=60)
    view.refresh()
    assert data_words.size_reason(view).startswith("You chose 60 points (1 d 6 h); auto would take 48")


@pytest.mark.parametrize(
    ("size", "words"),
    [(12, "25\u202f% of a period"), (46, "one whole period"), (52, "one whole period"), (120, "2.5 periods")],
)
def test_what_a_size_sees_of_the_period(taxi, size, words):
    assert words in data_words.size_consequence(DataView(taxi, window_size=size))


def test_without_a_period_the_words_say_so():
    view = DataView(vaenb.load_dataset("machine_temperature"))
    assert view.acf.period is None
    assert data_words.size_consequence(view).startswith("No lag stands out")


def test_resemblance_is_the_autocorrelation_at_the_window(taxi):
    view = DataView(taxi)
    assert data_words.resemblance(view).endswith(f"r = {view.acf.values[48]:.2f}.")
    view.choose(window_size=1030)
    view.refresh()
    assert data_words.shown_lags(view) <= len(view.acf.values)


def test_counts_and_legend_agree_with_prepare(broken):
    view = DataView(broken, window_size=24)
    prepared = view.prepared
    assert data_words.counts(view) == (
        f"{len(prepared.train)} train \u00b7 {len(prepared.calibration)} calibration \u00b7 "
        f"{len(prepared.test)} test windows of 24 points"
    )
    legend = dict(data_words.legend(view))
    assert legend["missing"] == f"missing ({view.repairs.n_missing})"
    assert legend["repeated"] == "several rows at once (1)"
    assert "backward" not in legend


@pytest.mark.parametrize("name", ["nyc_taxi", "server_metrics", "machine_temperature", "ecg_pvc"])
def test_every_sentence_is_one(name):
    view = DataView(vaenb.load_dataset(name))
    for say in (
        data_words.size_reason,
        data_words.size_consequence,
        data_words.calibration_consequence,
        data_words.train_end_consequence,
        data_words.window_words,
        data_words.described,
    ):
        text = say(view)
        assert text.endswith(".")
        assert not re.search(r"\bnan\b", text)
    assert set(data_words.SCALER_WORDS) == {"robust", "standard", "minmax"}


# ---------------------------------------------------------------------- code and picture


@pytest.mark.parametrize(
    "chosen",
    [{}, {"window_size": 30}, {"calibration": 0.3, "scaler": "minmax", "train_end": 6000, "window_size": 20}],
)
def test_the_code_prepares_the_same(taxi, chosen):
    view = DataView(taxi, **chosen)
    names = {}
    exec(view.code(bundled=True), names)
    same(names["prepared"], view.prepared)


def test_only_what_differs_stands_in_the_code(taxi):
    view = DataView(taxi, window_size=48)
    assert view.code(bundled=False).splitlines() == [
        "import vaenb",
        "",
        "# series: as vaenb.read_series gave it",
        "prepared = vaenb.prepare(series, window_size=48)",
    ]


@pytest.mark.parametrize("name", ["nyc_taxi", "server_metrics"])
def test_the_picture_has_a_pane_for_each_channel_and_words(name):
    view = DataView(vaenb.load_dataset(name))
    svg = draw(view)
    assert svg.count('class="v-pane') == len(view.shown)
    assert data_words.counts(view) in svg
    assert "<desc" in svg
    assert "NaN" not in svg
