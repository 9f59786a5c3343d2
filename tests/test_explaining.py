"""Evidence of a fitted detector, against loops that take one window at a time."""

from dataclasses import replace

import numpy as np
import pytest

import vaenb
from vaenb import reconstructing
from vaenb.explaining import decoder_of, explain
from vaenb.judged_scores import TOLERANCE
from vaenb.preparing import cut_windows
from vaenb.scoring import channel_scores
from vaenb.watching import to_units


def fitted(values, train_end=None, **settings):
    """A small detector, fitted on the first part of a made-up series."""
    series = vaenb.read_series(values, train_end=train_end or 0.6)
    chosen = {"window_size": 12, "latent_dim": 3, "hidden": (16,), "epochs": 2, "steps_per_epoch": 10}
    return vaenb.VAEDetector(**{**chosen, **settings}).fit(series), series


def wave(n=400, channels=2, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    values = np.stack([np.sin(t / (4 + c)) * (1 + 9 * c) + 5 * c for c in range(channels)], axis=1)
    values += 0.05 * rng.normal(size=values.shape)
    values[n - 60 : n - 50, 0] += 4
    return values


def drawn_one_by_one(detector, series):
    """Latent mean, reconstruction and spread of each window, scaled."""
    windows = cut_windows(series, detector.scaler_, window_size=detector.window_size_)
    found = []
    for start in windows.starts:
        x = windows.values[start : start + windows.window_size][None]
        z = detector.model_.posterior(x).mean()
        p = detector.model_.likelihood(z)
        found.append((z.numpy()[0], p.mean().numpy()[0], p.stddev().numpy()[0]))
    return windows, found


@pytest.fixture(scope="module")
def study():
    detector, series = fitted(wave())
    return detector, series, explain(detector, series)


def test_what_is_expected_on_a_cell_is_the_mean_over_its_windows(study, monkeypatch):
    detector, series, _ = study
    monkeypatch.setattr(reconstructing, "AT_ONCE", 1)  # 16 windows at once, so that chunks meet
    evidence = explain(detector, series)
    windows, found = drawn_one_by_one(detector, series)
    for cell in (0, 1, 11, 12, 200, 388, 399):
        over = [i for i, start in enumerate(windows.starts) if start <= cell < start + 12]
        mean, spread = (
            np.mean([found[i][part][cell - windows.starts[i]] for i in over], axis=0) for part in (1, 2)
        )
        expected = to_units(detector.scaler_, mean, spread)
        np.testing.assert_allclose(evidence.reconstruction[cell], expected[0], rtol=1e-4)
        np.testing.assert_allclose(evidence.spread[cell], expected[1], rtol=1e-4)


def test_the_sampled_windows_are_what_the_model_makes_of_them(study):
    detector, series, evidence = study
    windows, found = drawn_one_by_one(detector, series)
    sample = evidence.sample
    for i in (0, len(sample) // 2, len(sample) - 1):
        z, mean, spread = found[sample.starts[i]]
        expected = to_units(detector.scaler_, mean, spread)
        np.testing.assert_allclose(sample.latent[i], z, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(sample.mean[i], expected[0], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(sample.spread[i], expected[1], rtol=1e-3)
    posterior = detector.model_.posterior(windows.array[sample.starts])
    loc, scale = (getattr(posterior.distribution, name).numpy() for name in ("loc", "scale"))
    by_dim = (0.5 * (loc**2 + scale**2 - 1) - np.log(scale)).mean(axis=0)
    np.testing.assert_allclose(sample.kl_per_dim, by_dim, rtol=1e-4)


def test_scores_and_parts_are_those_of_the_detector(study):
    detector, series, evidence = study
    np.testing.assert_array_equal(series.to_rows(evidence.scores), detector.decision_scores_)
    assert evidence.train_stop == detector.train_stop_
    assert evidence.calibration_stop == series.train_cells
    window_scores = detector.score_series(series)
    np.testing.assert_array_equal(evidence.sample.scores, window_scores.window_values[evidence.sample.starts])
    assert evidence.rule is detector.rule_
    assert evidence.settings["latent_dim"] == 3


def test_shares_are_what_a_channel_adds_beyond_the_usual(study):
    detector, _, evidence = study
    sample = evidence.sample
    np.testing.assert_allclose(sample.shares.sum(axis=1), 1, rtol=1e-5)
    over = (sample.starts <= 345) & (sample.starts + 12 > 345)
    assert (sample.shares[over, 0] > 0.8).all()  # the spike is in the first channel
    windows = cut_windows(evidence.series, detector.scaler_, window_size=12)[sample.starts]
    parts = channel_scores(detector.model_, windows, detector.method, n_samples=0, tolerance=TOLERANCE)
    for row, share in zip(parts, sample.shares, strict=True):
        beyond = np.maximum(row - detector.normal_by_channel_, 0)
        expected = beyond / beyond.sum() if beyond.sum() > 0 else np.full(2, 0.5)
        np.testing.assert_allclose(share, expected, rtol=1e-3, atol=1e-4)


def test_few_windows_are_spread_evenly_and_hold_what_is_flagged(study):
    detector, series, _ = study
    detector = replace_threshold(detector, np.quantile(detector.decision_scores_, 0.97))
    evidence = explain(detector, series, n_sample=40)
    starts, flagged = evidence.sample.starts, evidence.scores > detector.threshold_
    assert 20 < len(starts) <= 40
    assert (np.diff(starts) > 0).all()
    assert np.diff(starts).max() <= 2 * 389 / 20
    holds = [flagged[start : start + 12].any() for start in starts]
    assert sum(holds) >= 15
    events = detector.find_events(series)
    for start, stop in zip(events.start, events.stop, strict=True):
        assert ((starts < stop) & (starts + 12 > start)).any()


def replace_threshold(detector, threshold):
    """The same fit with another line."""
    from copy import copy

    other = copy(detector)
    other.threshold_ = float(threshold)
    return other


def test_large_windows_leave_room_for_fewer(study):
    detector, series, whole = study
    few = explain(detector, series, most_numbers=2 * 12 * 2 * 25)
    assert len(few.sample) <= 25 < len(whole.sample)
    assert few.walk.mean.size < whole.walk.mean.size
    assert len(few.walk.a) == 3
    with pytest.raises(vaenb.InputError, match="n_sample is 0"):
        explain(detector, series, n_sample=0)


def test_the_grid_holds_what_the_decoder_draws_there(study):
    detector, _, evidence = study
    walk, decode = evidence.walk, decoder_of(detector)
    assert walk.mean.shape == (21, 21, 12, 2)
    np.testing.assert_allclose(
        [walk.across @ walk.across, walk.up @ walk.up, walk.across @ walk.up], [1, 1, 0], atol=1e-9
    )
    for i, j in ((0, 0), (3, 17), (20, 20)):
        mean, spread = decode((walk.origin + walk.a[i] * walk.across + walk.b[j] * walk.up)[None])
        np.testing.assert_allclose(walk.mean[i, j], mean[0], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(walk.spread[i, j], spread[0], rtol=1e-4)
    places = (evidence.sample.latent - walk.origin) @ np.stack([walk.across, walk.up], axis=1)
    assert (places.min(axis=0) > [walk.a[0], walk.b[0]]).all()
    assert (places.max(axis=0) < [walk.a[-1], walk.b[-1]]).all()


def test_the_decoder_speaks_the_units_of_the_series(study):
    detector = study[0]
    mean, spread = decoder_of(detector)(np.zeros((5000, 3)))
    assert mean.shape == spread.shape == (5000, 12, 2)
    assert abs(mean[..., 1].mean() - 5) < 10
    p = detector.model_.likelihood(np.zeros((1, 3), dtype=np.float32))
    expected = to_units(detector.scaler_, p.mean().numpy(), p.stddev().numpy())
    np.testing.assert_allclose(mean[:1], expected[0], rtol=1e-5, atol=1e-5)
    assert decoder_of(detector)(np.zeros((0, 3)))[0].shape == (0, 12, 2)


@pytest.mark.parametrize(
    "settings",
    [
        {"latent_dim": 1},
        {"latent_dim": 2},
        {"prior": "mixture", "likelihood": "student_t"},
        {"likelihood": "bernoulli", "scaler": "minmax"},
        {"encoder": "conv", "scale": "shared"},
        {"method": "latent"},
        {"method": "elbo", "vote": "window"},
    ],
)
def test_every_kind_of_model_can_be_explained(settings):
    from vaenb.view_models.latent_space import LatentSpace

    detector, series = fitted(wave(300, 1), **settings)
    evidence = explain(detector, series, n_sample=50, grid=5)
    for name in ("scores", "reconstruction", "spread"):
        assert np.isfinite(getattr(evidence, name)).all(), name
    for name in ("latent", "kl_per_dim", "scores", "mean", "spread", "shares"):
        assert np.isfinite(getattr(evidence.sample, name)).all(), name
    assert (evidence.spread >= 0).all()
    assert LatentSpace(evidence).walks  # in the plane that is shown first


def test_gaps_and_rows_out_of_order_are_explained():
    import pandas as pd

    values = wave(400, 1)
    index = pd.date_range("2024-01-01", periods=400, freq="h")
    frame = pd.DataFrame({"v": values[:, 0]}, index=index).drop(index[100:140]).drop(index[300:303])
    frame = frame.sample(frac=1.0, random_state=0)
    series = vaenb.read_series(frame, train_end=0.6)
    detector = vaenb.VAEDetector(window_size=12, hidden=(16,), epochs=1, steps_per_epoch=5).fit(series)
    evidence = explain(detector, series)
    assert evidence.reconstruction.shape == (400, 1)
    assert np.isfinite(evidence.reconstruction).all()
    assert np.isfinite(evidence.sample.scores).all()
    inside = (evidence.sample.starts >= 100) & (evidence.sample.starts + 12 <= 140)
    assert not inside.any()  # nothing is known there, so there is nothing to look at


def test_what_was_scored_before_is_not_scored_again(study, monkeypatch):
    detector, series, whole = study
    scores = detector.score_series(series)
    monkeypatch.setattr(type(detector), "score_series", None)
    again = explain(detector, series, scores=replace(scores, values=scores.values + 0))
    np.testing.assert_array_equal(again.scores, whole.scores)


def test_an_unfitted_detector_and_other_channels_are_refused(study):
    with pytest.raises(vaenb.InputError, match="not fitted"):
        explain(vaenb.VAEDetector(), wave())
    with pytest.raises(vaenb.InputError, match="give the same columns"):
        explain(study[0], wave(channels=1))


def test_the_steps_one_by_one_are_fit():
    detector, series = fitted(wave(), seed=3)
    steps = vaenb.VAEDetector(**detector.get_params())
    prepared = steps.fit_prepare(series)
    assert steps.fit_build() is steps.model_
    assert steps.fit_train(prepared) is steps.history_
    scores = steps.fit_score(prepared)
    assert not hasattr(steps, "threshold_")
    assert steps.fit_threshold(prepared, scores) is steps.rule_
    assert steps.threshold_ == detector.threshold_
    np.testing.assert_array_equal(steps.decision_scores_, detector.decision_scores_)
    assert list(steps.seconds_) == ["prepare", "build", "train", "score", "threshold"]
    steps.set_params(threshold="percentile:90")
    assert steps.fit_threshold(prepared, scores).threshold_ < detector.threshold_
