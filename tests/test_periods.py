"""The dominant period, and the window size it makes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb import InputError, dominant_period, load_dataset
from vaenb.periods import choose_window_size


def wave(period, n=3000, *, noise=0.3, seed=0):
    time = np.arange(n)
    return np.sin(2 * np.pi * time / period) + noise * np.random.default_rng(seed).normal(size=n)


@settings(max_examples=40, deadline=None)
@given(period=st.integers(8, 400), noise=st.floats(0, 0.5), seed=st.integers(0, 1000))
def test_finds_the_period_of_a_wave(period, noise, seed):
    assert dominant_period(wave(period, noise=noise, seed=seed)) == pytest.approx(period, rel=0.05, abs=1)


def test_is_not_misled_by_trend_missing_points_outliers_and_size():
    values = wave(48) + np.linspace(0, 20, 3000)
    values[500:700] = np.nan
    values[[30, 1000]] = [1e6, -1e6]
    assert dominant_period(values) == pytest.approx(48, abs=1)
    assert dominant_period(wave(48) * 1e25) == pytest.approx(48, abs=1)
    assert dominant_period(wave(48) * 1e-25 + 1e-20) == pytest.approx(48, abs=1)


def test_several_channels_vote():
    noise = np.random.default_rng(0).normal(size=(3000, 2))
    assert dominant_period(
        np.column_stack([wave(30), wave(30, seed=1), noise, np.ones(3000)])
    ) == pytest.approx(30, abs=1)


def test_a_day_wins_over_the_week_that_repeats_it():
    time = np.arange(6000)
    weekend = (time // 48) % 7 >= 5
    assert dominant_period(wave(48, n=6000) * np.where(weekend, 0.7, 1.0)) == 48


@pytest.mark.parametrize("name", ["nyc_taxi", "toy_daily"])
def test_real_days(name):
    series = load_dataset(name)
    assert dominant_period(series.values) == pytest.approx(86_400 / series.interval, abs=1)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=3000),
        np.ones(100),
        np.full(100, np.nan),
        np.arange(1000.0),
        [1.0, 2.0],
        np.full((100, 2), np.nan),
    ],
)
def test_no_period(values):
    assert dominant_period(values) is None


def test_a_long_series_is_read_from_its_beginning():
    values = np.concatenate([wave(20, n=70_000), wave(90, n=200_000)])
    assert dominant_period(values) == 20


@pytest.mark.parametrize(
    ("period", "n_calibration", "size", "why"),
    [
        (48, 1000, 48, "the dominant period is 48 points"),
        (12, 1000, 24, "the dominant period is 12 points, and a window has between 16 and 128"),
        (5, 1000, 20, "the dominant period is 5 points, and a window has between 16 and 128"),
        (200, 1000, 128, "the dominant period is 200 points, and a window has between 16 and 128"),
        (288, 1000, 64, "the dominant period is 288 points, too long for a window of at most 128"),
        (48, 60, 30, "the dominant period is 48 points, and the calibration part has 60"),
        (None, 1000, 64, "no clear period was found"),
        (None, 9, 4, "no clear period was found, and the calibration part has 9"),
    ],
)
def test_window_size(period, n_calibration, size, why):
    values = np.random.default_rng(0).normal(size=3000) if period is None else wave(period, noise=0.05)
    assert choose_window_size(values, n_calibration) == (size, f"windows of {size} points: {why}")


def test_many_channels_make_windows_shorter():
    size, why = choose_window_size(np.tile(wave(100, noise=0.05)[:, None], (1, 40)), 1000)
    assert (size, "40 channels ask for short windows" in why) == (51, True)
    assert choose_window_size(np.tile(wave(100, noise=0.05)[:, None], (1, 400)), 1000)[0] == 16


def test_too_little_to_calibrate_on():
    with pytest.raises(
        InputError, match="The calibration part has 7 points, too few for windows: it needs at least 8"
    ):
        choose_window_size(wave(20), 7)
