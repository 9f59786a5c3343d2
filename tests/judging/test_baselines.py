"""Baselines against slow references: scikit-learn's PCA window by window, medians point by point."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from vaenb.errors import InputError
from vaenb.judging import baselines
from vaenb.judging.baselines import random_score, rolling_median_score, window_pca_score


def walk(n, n_channels, seed=0):
    return np.random.default_rng(seed).normal(size=(n, n_channels)).cumsum(axis=0) * 3 + 100


def naive_pca(values, window_size, train_end, share):
    train = values[:train_end]
    scaled = (values - train.mean(axis=0)) / train.std(axis=0)
    starts = range(len(values) - window_size + 1)
    windows = np.array([scaled[start : start + window_size].ravel() for start in starts])
    pca = PCA(share, svd_solver="full").fit(windows[: train_end - window_size + 1])
    error = ((windows - pca.inverse_transform(pca.transform(windows))) ** 2).mean(axis=1)
    return np.array(
        [
            np.mean([error[start] for start in starts if start <= point < start + window_size])
            for point in range(len(values))
        ]
    )


def naive_rolling_median(values, window_size):
    n, n_channels = values.shape
    distance = np.zeros_like(values)
    before = window_size // 2
    for point in range(n):
        around = slice(max(point - before, 0), min(point - before + window_size, n))
        for channel in range(n_channels):
            known = values[around, channel][~np.isnan(values[around, channel])]
            if len(known) and not np.isnan(values[point, channel]):
                distance[point, channel] = abs(values[point, channel] - np.median(known))
    scale = [np.median(column) or np.mean(column) or 1.0 for column in distance.T]
    return (distance / scale).mean(axis=1)


# 60 training points and windows of 30 x 3 numbers: more numbers than windows, the other branch.
@pytest.mark.parametrize(("n_channels", "window_size", "train_end"), [(1, 12, 100), (3, 5, 150), (3, 30, 60)])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_window_pca_is_scikit_learns(n_channels, window_size, train_end, share):
    values = walk(200, n_channels)
    found = window_pca_score(values, window_size, train_end=train_end, n_components=share)
    np.testing.assert_allclose(found, naive_pca(values, window_size, train_end, share), rtol=1e-3, atol=1e-6)


def test_chunks_change_nothing(monkeypatch):
    values = walk(300, 2)
    whole = window_pca_score(values, 20)
    monkeypatch.setattr(baselines, "_CHUNK_NUMBERS", 100)
    np.testing.assert_allclose(window_pca_score(values, 20), whole, rtol=1e-5)


def test_components_are_fitted_on_some_of_the_windows(monkeypatch):
    wave = np.sin(np.arange(3000) / 5)
    wave[2500] += 3
    monkeypatch.setattr(baselines, "_MOST_FIT_WINDOWS", 50)
    assert 2480 < window_pca_score(wave, 20, train_end=2000).argmax() < 2520


def test_what_comes_after_the_training_part_does_not_change_the_fit():
    values = walk(300, 1)
    changed = values.copy()
    changed[250:] += 50
    scores = (window_pca_score(table, 20, train_end=200)[:200] for table in (values, changed))
    np.testing.assert_array_equal(*scores)


def test_window_pca_does_not_lay_out_all_windows():
    wave = np.sin(np.arange(200_000) / 5) + walk(200_000, 1)[:, 0] / 1000
    tracemalloc.start()
    window_pca_score(wave, 64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200_000 * 64 * 4


@settings(deadline=None)
@given(
    st.integers(1, 12),
    st.lists(
        st.tuples(*[st.sampled_from([0.0, 1.0, 2.0, 5.0, np.nan])] * 2),
        min_size=1,
        max_size=20,
    ),
)
def test_rolling_median_is_that_of_a_walk(window_size, rows):
    values = np.array(rows)
    np.testing.assert_allclose(
        rolling_median_score(values, window_size), naive_rolling_median(values, window_size)
    )


@pytest.mark.parametrize("score", [window_pca_score, rolling_median_score])
def test_gaps_and_infinite_values_leave_finite_scores(score):
    values = walk(200, 2)
    values[50:80, 0] = np.nan
    values[120] = np.nan
    values[130, 1] = np.inf
    found = score(values, 16)
    assert found.shape == (200,)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()


@pytest.mark.parametrize("score", [window_pca_score, rolling_median_score])
@pytest.mark.parametrize("constant", [3.0, np.nan])
def test_a_constant_series_scores_0(score, constant):
    assert (score(np.full(100, constant), 10) == 0).all()


@pytest.mark.parametrize("score", [window_pca_score, rolling_median_score])
def test_a_spike_has_the_highest_score(score):
    wave = np.sin(np.arange(1000) / 30)
    wave[700] += 4
    assert abs(int(score(wave, 25).argmax()) - 700) < 25


@pytest.mark.parametrize("score", [window_pca_score, rolling_median_score])
def test_a_channel_in_other_units_weighs_the_same(score):
    values = walk(200, 2)
    np.testing.assert_allclose(score(values, 10), score(values * [1.0, 1024.0], 10), rtol=1e-3)


def test_a_random_score_depends_on_its_seed_alone():
    np.testing.assert_array_equal(random_score(50, seed=3), random_score(50, seed=3))
    assert not np.array_equal(random_score(50, seed=3), random_score(50, seed=4))
    assert random_score(50).shape == (50,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"window_size": 0}, "window_size is 0, train_end is 20"),
        ({"window_size": 21}, "window_size is 21, train_end is 20 and there are 20 points"),
        ({"train_end": 4}, "window_size is 5, train_end is 4"),
        ({"train_end": 30}, "train_end is 30 and there are 20 points"),
        ({"n_components": 1.0}, "n_components is 1; expected a share"),
        ({"values": np.zeros((2, 2, 2))}, r"values has shape \(2, 2, 2\)"),
        ({"values": []}, r"values has shape \(0,\)"),
    ],
)
def test_window_pca_refuses_what_makes_no_sense(arguments, message):
    with pytest.raises(InputError, match=message):
        window_pca_score(**({"values": np.arange(20.0), "window_size": 5} | arguments))


def test_rolling_median_refuses_a_window_of_nothing():
    with pytest.raises(InputError, match="window_size is 0"):
        rolling_median_score([1.0, 2.0], 0)
