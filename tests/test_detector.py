"""VAEDetector: the doors of scikit-learn and PyOD, indexes of every kind, and what it promises."""

import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import vaenb
from vaenb.detector import VAEDetector
from vaenb.errors import InputError
from vaenb.inputs import SamplingWarning
from vaenb.thresholding import MAD, POT, AlarmBudget, BestF1, ExponentialTail, Fixed, Percentile
from vaenb.thresholds.base import ThresholdWarning

TINY = {"window_size": 16, "hidden": (16,), "epochs": 2, "steps_per_epoch": 10}
CHANNELS = ("cpu", "disk", "heat", "load", "net")
PLANTED = slice(1300, 1330)


def wave(n=600, *, seed=0, noise=0.1):
    rng = np.random.default_rng(seed)
    return np.sin(2 * np.pi * np.arange(n) / 24) + noise * rng.normal(size=n)


def hourly(n=600, **options):
    index = pd.date_range("2024-01-01", periods=n, freq="h", name="when")
    return pd.DataFrame({"value": wave(n, **options)}, index=index)


def metrics_of_five(n=1500):
    """Five channels, each with its own phase and noise."""
    rng = np.random.default_rng(5)
    phase = np.arange(n)[:, None] * 2 * np.pi / 24 + np.arange(5)
    return pd.DataFrame(np.sin(phase) + 0.1 * rng.normal(size=(n, 5)), columns=list(CHANNELS))


@pytest.fixture(scope="module")
def fitted():
    return VAEDetector(**TINY).fit(hourly())


@pytest.fixture(scope="module")
def of_five():
    series = vaenb.read_series(metrics_of_five(), train_end=1000)
    return VAEDetector(window_size=16, epochs=5, steps_per_epoch=100, seed=1).fit(series)


def refuse(*args, **options):
    raise AssertionError("this should not have been reached")


def stub_training(monkeypatch):
    """Leave the model as it is made: what comes after the training is looked at."""
    history = vaenb.History(epochs=(), best_epoch=0, stopped="finished")
    monkeypatch.setattr("vaenb.fit_steps.train", lambda *args, **options: history)


# ---------------------------------------------------------------- what comes back, and on which index


@pytest.mark.parametrize("n", [16, 17, 31, 100, 1000])
def test_every_point_gets_a_finite_score(fitted, n):
    scores = fitted.decision_function(wave(n, seed=1))
    assert isinstance(scores, np.ndarray)
    assert scores.shape == (n,)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("shape", ["list", "(n,)", "(n, 1)", "pandas", "frame", "Series"])
def test_the_scores_are_the_same_whatever_the_values_come_in(fitted, shape):
    frame = hourly(200, seed=1)
    values = frame["value"].to_numpy()
    given = {
        "list": values.tolist(),
        "(n,)": values,
        "(n, 1)": values[:, None],
        "pandas": frame["value"],
        "frame": frame,
        "Series": vaenb.read_series(frame),
    }[shape]
    np.testing.assert_array_equal(fitted.decision_function(given), fitted.decision_function(values))


def irregular(n):
    """Stamps with jitter, two of each hundredth, a gap of a day, and a first row of its own."""
    rng = np.random.default_rng(2)
    hours = np.arange(n) + rng.uniform(-0.1, 0.1, n)
    hours[n // 2 :] += 24
    hours[100::100] = hours[99:-1:100]
    return pd.DatetimeIndex(pd.Timestamp("2024-03-01") + pd.to_timedelta(hours, unit="h"), name="t")


INDEXES = {
    "hours": lambda n: pd.date_range("2024-01-01", periods=n, freq="h"),
    "irregular, with duplicates and a gap": irregular,
    "with a zone": lambda n: pd.date_range("2024-03-30", periods=n, freq="h", tz="Europe/Berlin"),
    "a repeated hour": lambda n: pd.DatetimeIndex(
        [
            *pd.date_range("2024-10-27", periods=3, freq="h"),
            *pd.date_range("2024-10-27 02:00", periods=n - 3, freq="h"),
        ]
    ),
    "RangeIndex": pd.RangeIndex,
    "RangeIndex from 50": lambda n: pd.RangeIndex(50, 50 + n),
    "whole numbers with a gap": lambda n: pd.Index(np.r_[np.arange(n // 2), np.arange(n // 2, n) + 40]),
}


@pytest.mark.parametrize("kind", INDEXES)
@pytest.mark.parametrize("as_series", [False, True])
def test_scores_come_back_on_the_index_they_were_asked_for(fitted, kind, as_series):
    index = INDEXES[kind](400)
    frame = pd.DataFrame({"value": wave(400, seed=3)}, index=index)
    given = frame["value"] if as_series else frame
    scores, flags = fitted.decision_function(given), fitted.predict(given)
    for found, name in ((scores, "score"), (flags, "flag")):
        assert isinstance(found, pd.Series)
        assert found.name == name
        pd.testing.assert_index_equal(found.index, index)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(flags, (scores > fitted.threshold_).astype(np.int8))


def test_scores_of_a_series_come_back_on_its_index(fitted):
    series = vaenb.read_series(hourly())
    found = fitted.decision_function(series)
    assert found.index.equals(pd.DatetimeIndex(series.index))
    assert found.index.name == "when"
    np.testing.assert_array_equal(found, fitted.decision_scores_)


def test_rows_out_of_order_get_the_scores_of_their_times(fitted):
    frame = hourly(300, seed=1)
    mixed = frame.sample(frac=1, random_state=0)
    in_order, found = fitted.decision_function(frame), fitted.decision_function(mixed)
    pd.testing.assert_series_equal(found.sort_index(), in_order, check_freq=False)


def test_two_rows_of_one_time_share_their_score(fitted):
    index = irregular(400)
    scores = fitted.decision_function(pd.DataFrame({"value": wave(400)}, index=index))
    twice = scores[index.duplicated(keep=False)]
    assert len(twice) == 6
    assert twice.groupby(level=0).nunique().eq(1).all()


def test_a_piece_of_a_series_is_scored_as_it_is_in_the_whole(fitted):
    whole, piece = wave(800), slice(200, 600)
    scores = fitted.decision_function(whole)
    found = fitted.decision_function(whole[piece])
    inside = slice(5 * 16, -5 * 16)  # a point hears windows up to five of their lengths away
    np.testing.assert_allclose(found[inside], scores[piece][inside], rtol=1e-6)


def test_flags_are_one_exactly_above_the_threshold(fitted):
    values = wave(300, seed=4)
    values[150:160] += 4
    flags = fitted.predict(values)
    assert flags.dtype == np.int8
    assert 0 < flags.sum() < 300
    np.testing.assert_array_equal(flags == 1, fitted.decision_function(values) > fitted.threshold_)


# ---------------------------------------------------------------- events


def planted(channel, *, height=3.0):
    frame = metrics_of_five()
    frame.loc[PLANTED.start : PLANTED.stop - 1, channel] += height
    return frame


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_planted_anomaly_is_found_and_its_channel_blamed(of_five, channel):
    events = of_five.detect(planted(channel))
    hit = events[(events["start"] < PLANTED.stop) & (events["end"] >= PLANTED.start)]
    worst = events.loc[events["score"].idxmax()]
    assert len(hit) == 1
    assert worst["start"] == hit["start"].iloc[0]
    assert worst["channels"].startswith(f"{channel} ")
    assert worst["severity"] > 0


def test_shares_of_blame_sum_to_one_and_follow_the_culprits(of_five):
    frame = planted("disk")
    frame.loc[PLANTED.start : PLANTED.stop - 1, "net"] += 3.0
    frame.loc[400:420, "heat"] -= 3.0
    series = vaenb.read_series(frame)
    events = of_five.find_events(series)
    assert len(events) >= 2
    np.testing.assert_allclose(events.shares.sum(axis=1), 1)
    assert (events.shares >= 0).all()
    guilty = events.shares[events.start.searchsorted(PLANTED.stop) - 1]
    assert set(np.argsort(guilty)[-2:]) == {CHANNELS.index("disk"), CHANNELS.index("net")}
    assert guilty[[1, 4]].sum() > 0.6


def test_events_are_the_runs_of_flags_joined_over_a_window(of_five):
    frame = planted("cpu")
    frame.loc[700:703, "heat"] += 4.0
    flags, scores = of_five.predict(frame), of_five.decision_function(frame)
    events = of_five.detect(frame)
    assert list(events) == ["start", "end", "peak", "n_points", "score", "severity", "channels"]
    expected = []
    for row in np.flatnonzero(flags):  # the naive way
        if expected and row - expected[-1][1] - 1 <= of_five.window_size_:
            expected[-1][1] = row
        else:
            expected.append([row, row])
    assert events[["start", "end"]].to_numpy().tolist() == expected
    for event in events.itertuples():
        inside = scores.loc[event.start : event.end]
        assert event.n_points == len(inside)
        assert event.score == inside.max() == scores[event.peak]
        normal = np.median(of_five.calibration_scores_)
        height = of_five.threshold_ - normal
        assert event.severity == pytest.approx((event.score - of_five.threshold_) / height)


def test_events_are_told_in_timestamps(fitted):
    frame = hourly(400, seed=6)
    frame.iloc[200:212] += 5
    event = fitted.detect(frame).iloc[0]
    reach = 5 * fitted.window_size_  # half of eight windows, and one that covers the point
    assert frame.index[200 - reach] <= event["start"] <= event["peak"] <= event["end"]
    assert frame.index[211] <= event["end"] <= frame.index[211 + reach]
    assert event["channels"] == "value 100%"


def test_no_event_gives_an_empty_table_with_all_columns(fitted):
    found = VAEDetector(**TINY)
    vars(found).update(vars(fitted))
    found.threshold_ = 1e9
    events = found.detect(hourly())
    assert events.empty
    assert list(events) == ["start", "end", "peak", "n_points", "score", "severity", "channels"]
    assert events["start"].dtype.kind == "M"


# ---------------------------------------------------------------- scikit-learn's and PyOD's rules


def test_the_constructor_stores_its_arguments_and_does_nothing_else():
    odd = {name: object() for name in VAEDetector().get_params()}
    detector = VAEDetector(**odd)
    assert vars(detector) == odd


def test_parameters_are_read_and_set_by_name():
    detector = VAEDetector(latent_dim=3)
    assert detector.set_params(seed=4, threshold="mad") is detector
    params = detector.get_params()
    assert (params["latent_dim"], params["seed"], params["threshold"]) == (3, 4, "mad")
    with pytest.raises(ValueError, match="Invalid parameter 'layers'"):
        detector.set_params(layers=3)


def test_a_clone_is_not_fitted_and_fits_to_the_same_scores_bit_for_bit(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(InputError, match="not fitted"):
        copy.predict(wave())
    np.testing.assert_array_equal(copy.fit(hourly()).decision_scores_, fitted.decision_scores_)
    assert copy.threshold_ == fitted.threshold_


def test_another_seed_gives_other_scores(monkeypatch):
    stub_training(monkeypatch)
    one, other = (VAEDetector(**TINY, seed=seed).fit(hourly()).decision_scores_ for seed in (1, 2))
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"latent_dim": 2, "hidden": (64, 32), "seed": 7},
        {"hidden": np.array([8, 4]), "learning_rate": np.float64(0.01), "epochs": np.int64(3)},
        {"threshold": "percentile:95", "method": "iwae"},
        {"threshold": POT(rate=1e-4), "patience": 3},
        {"threshold": AlarmBudget(per_points=5000)},
        VAEDetector(seed=3).get_params(),
    ],
)
def test_repr_is_a_line_of_python_that_makes_it_again(settings):
    detector = VAEDetector(**settings)
    line = repr(detector)
    again = eval(line, {"VAEDetector": VAEDetector, "POT": POT, "AlarmBudget": AlarmBudget})
    assert "\n" not in line
    assert repr(again) == line
    for name, value in again.get_params().items():
        assert repr(value) == repr(VAEDetector(**{name: settings.get(name, value)}).get_params()[name]) or (
            np.array_equal(value, settings[name])
        )


def test_the_words_of_pyod(fitted):
    series = vaenb.read_series(hourly())
    np.testing.assert_array_equal(fitted.decision_scores_, fitted.decision_function(series))
    np.testing.assert_array_equal(fitted.labels_, fitted.predict(series))
    assert isinstance(fitted.threshold_, float)
    assert fitted.threshold_ == fitted.rule_.threshold_
    assert set(fitted.seconds_) == {"prepare", "build", "train", "score", "threshold"}


def test_only_the_training_part_is_learnt_from(fitted):
    """What comes after `train_end` changes neither the weights nor the threshold."""
    loud = np.concatenate([wave(), 50 * wave(200, seed=9)])
    found = VAEDetector(**TINY).fit(vaenb.read_series(loud, train_end=600))
    assert found.threshold_ == fitted.threshold_
    np.testing.assert_array_equal(found.calibration_scores_, fitted.calibration_scores_)
    assert len(found.decision_scores_) == 800
    assert (fitted.train_stop_, len(fitted.calibration_scores_)) == (480, 120)


@pytest.mark.parametrize(
    "act", ["decision_function", "predict", "detect", "find_events", "score_series", "save"]
)
def test_what_needs_a_fit_says_so(act):
    with pytest.raises(InputError, match=r"The detector is not fitted: .*fit\(series\) first"):
        getattr(VAEDetector(), act)("x.vaenb" if act == "save" else wave())


# ---------------------------------------------------------------- columns


def test_columns_in_another_order_and_beside_others_are_found(of_five):
    frame = planted("cpu")
    expected = of_five.decision_function(frame)
    mixed = frame[list(reversed(CHANNELS))].assign(label="whatever", more=1.0, timestamp=np.arange(1500))
    np.testing.assert_array_equal(of_five.decision_function(mixed), expected)
    np.testing.assert_array_equal(of_five.decision_function(frame.to_numpy()), expected)


def test_a_time_and_a_label_column_are_told_from_the_channels(monkeypatch):
    stub_training(monkeypatch)
    frame = metrics_of_five(600)[["cpu", "net"]]
    labels = (np.arange(600) == 50).astype(int)
    full = frame.assign(timestamp=pd.date_range("2024", periods=600, freq="min"), is_anomaly=labels)
    detector = VAEDetector(**TINY).fit(full)
    assert detector.channels_ == ("cpu", "net")
    assert detector.points_per_day_ == 1440
    scores = detector.decision_function(full)
    pd.testing.assert_index_equal(scores.index, full.index)
    np.testing.assert_array_equal(scores, detector.decision_function(frame))
    events = VAEDetector.find_events(detector, vaenb.read_series(full), scores=(labels * 1e9).astype(float))
    assert events.start.tolist() == [50]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda frame: frame[["cpu", "net"]], r"'cpu', 'net'; .* 'cpu', 'disk', 'heat', 'load', 'net'"),
        (lambda frame: frame.rename(columns={"cpu": "CPU"}), r"'CPU', 'disk', .* fitted on 'cpu', 'disk'"),
        (lambda frame: frame.to_numpy()[:, :3], r"'v0', 'v1', 'v2'; .* fitted on 'cpu', 'disk'"),
        (lambda frame: frame["cpu"], r"'cpu'; .* fitted on 'cpu', 'disk'"),
        (lambda frame: vaenb.read_series(frame, values=["disk"]), r"'disk'; .* fitted on 'cpu', 'disk'"),
    ],
)
def test_other_columns_than_at_fit_are_refused_and_both_named(of_five, change, names):
    with pytest.raises(InputError, match=f"The channels are {names}"):
        of_five.predict(change(metrics_of_five(100)))


def at(interval, n=100):
    return hourly(n).set_axis(pd.date_range("2025-01-01", periods=n, freq=interval, name="when"))


@pytest.mark.parametrize("do", ["decision_function", "predict", "detect"])
@pytest.mark.parametrize(("interval", "told"), [("5min", "5 min"), ("2h", "2 h"), ("67min", "1.117 h")])
def test_another_interval_than_at_fit_is_told_once_and_both_are_named(fitted, do, interval, told):
    said = rf"a point every {told}; the detector was fitted on a series with one every 1 h, .*resample"
    with pytest.warns(SamplingWarning, match=said) as caught:
        getattr(fitted, do)(at(interval))
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_saved_detector_still_knows_its_interval(fitted, tmp_path):
    fitted.save(tmp_path / "a.vaenb")
    with pytest.warns(SamplingWarning, match="every 5 min; .* every 1 h"):
        vaenb.load(tmp_path / "a.vaenb").find_events(vaenb.read_series(at("5min")))


def test_the_same_interval_or_no_clock_is_no_reason_to_warn(fitted, of_five):
    for given in (at("1h"), at("62min"), wave(100)):
        assert len(fitted.predict(given)) == 100
    without = metrics_of_five(100)
    assert len(of_five.predict(without.set_axis(at("5min").index))) == 100


def test_many_channels_are_not_all_listed():
    detector = VAEDetector()
    detector.threshold_, detector.channels_ = 0.0, tuple(f"c{i}" for i in range(38))
    with pytest.raises(InputError, match=r"'value'; .* 'c0', .* 'c5' and 32 more: give the same columns"):
        detector.predict(pd.Series(wave(), name="value"))


# ---------------------------------------------------------------- hard input


def broken(kind):
    frame = metrics_of_five(300)
    if kind == "all at rest":
        frame[:] = 0.5
    elif kind == "one dead sensor":
        frame["disk"] = np.nan
    elif kind == "a stretch without values":
        frame.iloc[100:200] = np.nan
    elif kind == "nothing but a few values":
        frame.iloc[5:] = np.nan
    elif kind == "a huge value":
        frame.iloc[150, 2] = 1e29
    elif kind == "huge values":
        frame.iloc[150:200] *= -1e28
    return frame


@pytest.mark.parametrize(
    "kind",
    [
        "all at rest",
        "one dead sensor",
        "a stretch without values",
        "nothing but a few values",
        "a huge value",
        "huge values",
    ],
)
def test_hard_input_gets_finite_scores(of_five, kind):
    frame = broken(kind)
    scores = of_five.decision_function(frame)
    assert scores.shape == (300,)
    assert np.isfinite(scores).all()
    events = of_five.find_events(vaenb.read_series(frame, may_rest=True))
    assert np.isfinite(events.severity).all()
    np.testing.assert_allclose(events.shares.sum(axis=1), 1)


def test_a_huge_value_scores_highest_and_leaves_the_rest_alone(of_five):
    frame = metrics_of_five(300)
    calm = of_five.decision_function(frame)
    frame.iloc[150, 2] = 1e29
    scores = of_five.decision_function(frame)
    assert scores.idxmax() == 150
    assert of_five.detect(frame)["channels"].iloc[0].startswith("heat ")
    far = np.abs(np.arange(300) - 150) > 5 * 16
    np.testing.assert_allclose(scores[far], calm[far], rtol=1e-4, atol=1e-6)


def test_a_flat_line_stands_out_from_a_wave(fitted):
    values = wave(400, noise=0.05)
    values[200:260] = values[200]
    scores = fitted.decision_function(values)
    assert scores[210:250].mean() > 2 * np.delete(scores, np.s_[190:270]).mean()


def test_missing_values_are_learnt_around():
    frame = hourly()
    frame.iloc[::7] = np.nan
    frame.iloc[300:340] = np.nan
    detector = VAEDetector(**TINY).fit(frame.assign(value=frame["value"]))
    assert np.isfinite(detector.decision_scores_).all()
    assert np.isfinite(detector.threshold_)
    assert np.isfinite(detector.decision_function(frame)).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.full(100, np.nan), "All 100 values are missing"),
        (np.r_[wave(100), np.inf], "inf in row 100"),
        (wave(10), "10 points, fewer than one window of 16"),
        (["a", "b"], "cannot be read as numbers"),
    ],
)
def test_what_cannot_be_scored_is_refused(fitted, given, said):
    with pytest.raises(InputError, match=said):
        fitted.decision_function(given)


# ---------------------------------------------------------------- thresholds


@pytest.mark.parametrize(
    ("threshold", "rule"),
    [
        (None, ExponentialTail()),
        ("percentile:90", Percentile(90.0)),
        ("12.5", Fixed(12.5)),
        (12.5, Fixed(12.5)),
        (np.float32(12.5), Fixed(12.5)),
        (3, Fixed(3)),
        (MAD(4), MAD(4)),
    ],
)
def test_a_threshold_is_a_rule_a_short_name_or_a_number(fitted, monkeypatch, threshold, rule):
    stub_training(monkeypatch)
    found = VAEDetector(**TINY, threshold=threshold).fit(wave())
    assert repr(found.rule_) == repr(rule)
    assert found.threshold_ == rule.fit(found.calibration_scores_, window_size=16).threshold_
    assert found.threshold is threshold
    if isinstance(threshold, MAD):
        assert not threshold.is_fitted
    np.testing.assert_array_equal(found.labels_, found.decision_scores_ > found.threshold_)


def test_best_f1_is_fitted_where_the_calibration_part_has_labels(monkeypatch):
    stub_training(monkeypatch)
    labels = np.zeros(600, dtype=int)
    labels[500:510] = 1  # the calibration part is the last fifth
    with warnings.catch_warnings(action="error"):
        found = VAEDetector(**TINY, threshold="best_f1").fit(wave(), labels)
    expected = BestF1().fit(found.calibration_scores_, labels=labels[480:], window_size=16)
    assert found.threshold_ == expected.threshold_


def test_best_f1_without_labels_there_is_fitted_on_all_scores_and_warns(monkeypatch):
    stub_training(monkeypatch)
    values, labels = wave(800), np.zeros(800, dtype=int)
    values[700:710] += 3
    labels[700:710] = 1
    series = vaenb.read_series(values, labels=labels, train_end=500)
    with pytest.warns(ThresholdWarning, match="fitted on the labels of the very scores it judges"):
        found = VAEDetector(**TINY, threshold=BestF1()).fit(series)
    expected = BestF1().fit(found.decision_scores_, labels=labels, window_size=16)
    assert found.threshold_ == expected.threshold_
    assert "the best possible one" in found.rule_.warnings_[0]


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"epochs": 0}, "epochs is 0; expected a whole number from 1 to"),
        ({"epochs": 2.5}, r"epochs is 2\.5; expected a whole number"),
        ({"seed": -1}, "seed is -1; expected a whole number from 0 to 2,147,483,647"),
        ({"seed": 2**40}, "seed is 1099511627776; expected a whole number from 0"),
        ({"n_samples": 10**9}, "n_samples is 1000000000; expected a whole number from 1 to 10,000"),
        ({"steps_per_epoch": True}, "steps_per_epoch is True"),
        ({"window_size": "long"}, "window_size is 'long'; expected a whole number .* or 'auto'"),
        ({"window_size": 0}, "window_size is 0"),
        ({"patience": 0}, "patience is 0; expected .* or None"),
        ({"learning_rate": 0}, "learning_rate is 0; expected a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"kl_weight": -1}, "kl_weight is -1; expected a number of at least 0"),
        ({"hidden": (8, 0)}, r"hidden is \(8, 0\)"),
        ({"hidden": "64"}, "hidden is '64'"),
        ({"method": "mse"}, "method is 'mse'; expected one of 'reconstruction_error'"),
        ({"vote": "loud"}, "vote is 'loud'; expected one of 'lengths'"),
        ({"encoder": "transformer"}, "encoder is 'transformer'; expected one of 'dense'"),
        ({"likelihood": "cauchy"}, "likelihood is 'cauchy'"),
        ({"prior": "flat"}, "prior is 'flat'"),
        ({"scaler": "none"}, "The scaler is 'none'; expected one of robust"),
        ({"calibration": 1.5}, r"calibration is 1\.5"),
        ({"window_size": 200}, "fewer than one window of 200"),
        ({"threshold": "p95"}, "'p95' is no threshold; expected one of: exponential"),
        ({"threshold": True}, "value is True; it must be"),
        ({"threshold": [1]}, r"threshold is \[1\]; expected a rule such as"),
        ({"threshold": AlarmBudget(1)}, "needs a clock, and the series has none"),
        ({"threshold": "best_f1"}, "BestF1 needs labels"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_before_the_training(monkeypatch, settings, said):
    monkeypatch.setattr("vaenb.fit_steps.train", refuse)
    with pytest.raises(InputError, match=said):
        VAEDetector(**{**TINY, **settings}).fit(wave())


def test_a_fit_that_fails_leaves_no_half_of_the_fit_before(monkeypatch):
    stub_training(monkeypatch)
    detector = VAEDetector(**TINY).fit(wave())
    assert "threshold_" in vars(detector)
    with pytest.raises(InputError, match="The series is constant"):
        detector.fit(np.ones(600))
    assert vars(detector) == detector.get_params()


# ---------------------------------------------------------------- training that is watched and stopped


def test_training_can_be_watched_and_stopped():
    stop, seen = threading.Event(), []

    def watch(record):
        seen.append(record.epoch)
        if len(seen) == 2:
            stop.set()

    detector = VAEDetector(**{**TINY, "epochs": 50}).fit(wave(), on_epoch=watch, stop=stop)
    assert seen == [1, 2]
    assert detector.history_.stopped == "stop event"
    assert np.isfinite(detector.decision_function(wave(100))).all()


def test_an_interrupted_training_leaves_a_detector_that_works():
    def interrupt(record):
        if record.epoch == 2:
            raise KeyboardInterrupt

    detector = VAEDetector(**{**TINY, "epochs": 50}).fit(wave(), on_epoch=interrupt)
    assert detector.history_.stopped == "interrupted"
    assert len(detector.history_) == 2
    assert detector.predict(wave(100)).shape == (100,)
    assert np.isfinite(detector.threshold_)


# ---------------------------------------------------------------- false alarms


def daily_sine(rng, n):
    return np.sin(2 * np.pi * np.arange(n) / 48) + 0.1 * rng.normal(size=n)


def autoregression(rng, n):
    noise, values = rng.normal(size=n), np.zeros(n)
    for i in range(1, n):
        values[i] = 0.9 * values[i - 1] + noise[i]
    return values


def multichannel(rng, n):
    shared = daily_sine(rng, n)[:, None] * np.arange(1, 5) / 4
    return shared + 0.2 * rng.normal(size=(n, 4))


@pytest.fixture(scope="module", params=[daily_sine, autoregression, multichannel])
def calm(request):
    """Scores of test parts in which nothing happens: the default detector, trained for less long."""
    found = []
    for seed in (0, 1):
        values = request.param(np.random.default_rng(seed), 4000)
        series = vaenb.read_series(values, train_end=2000)
        detector = VAEDetector(epochs=4, seed=seed).fit(series)
        found.append((detector, detector.decision_scores_[2000:]))
    return found


def test_the_default_flags_hardly_anything_where_nothing_happens(calm):
    flagged = [np.mean(scores > detector.threshold_) for detector, scores in calm]
    assert np.mean(flagged) < 0.005


def test_a_percentile_of_the_scores_it_judges_flags_its_share_of_nothing(calm):
    for _, scores in calm:
        with pytest.warns(ThresholdWarning, match="5 % flagged by construction"):
            rule = Percentile(95).fit(scores, judges=scores)
        assert rule.predict(scores).mean() == pytest.approx(0.05, abs=1.01 / len(scores))
