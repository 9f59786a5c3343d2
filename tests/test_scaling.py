"""The scaler: against numpy, against outliers, and what it must never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb import InputError, Scaler

RNG = np.random.default_rng(0)


def test_standard_is_mean_and_standard_deviation():
    values = RNG.normal([5, -1], [2, 0.1], (500, 2))
    scaled = Scaler("standard").fit(values).transform(values)
    expected = (values - values.mean(axis=0)) / values.std(axis=0)
    np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-6)
    assert scaled.dtype == np.float32


def test_minmax_maps_the_training_part_onto_0_to_1_and_clips_the_rest():
    scaler = Scaler("minmax").fit([[2.0], [6.0], [4.0]])
    np.testing.assert_array_equal(
        scaler.transform([[2.0], [6.0], [3.0], [-9.0], [99.0]])[:, 0], [0, 1, 0.25, 0, 1]
    )


def test_robust_agrees_with_standard_where_there_is_no_outlier():
    values = RNG.normal(10, 3, (20_000, 1))
    scaler = Scaler("robust").fit(values)
    assert scaler.center_[0] == pytest.approx(10, abs=0.1)
    assert scaler.scale_[0] == pytest.approx(3, rel=0.05)


@pytest.mark.parametrize("share", [0.001, 0.03])
def test_robust_is_not_moved_by_outliers(share):
    """Error codes of -9999, up to three in a hundred: more than the percentiles alone would take."""
    clean = RNG.normal(20, 2, 10_000)
    dirty = np.where(RNG.random(10_000) < share, -9999.0, clean)
    found = Scaler("robust").fit(dirty[:, None])
    assert found.center_[0] == pytest.approx(20, abs=1.0)
    assert 1.9 < found.scale_[0] < 6
    assert Scaler("standard").fit(dirty[:, None]).scale_[0] > 100


@pytest.mark.parametrize("share", [0.0005, 0.005, 0.0101, 0.03, 0.2])
def test_a_channel_that_nearly_always_rests(share):
    """Its spikes set the scale, however rare they are, so that they do not explode."""
    channel = np.zeros(20_000)
    channel[: round(share * 20_000)] = RNG.uniform(1, 5, round(share * 20_000))
    scaled = Scaler("robust").fit(channel[:, None]).transform(channel[:, None])
    assert 1 < np.abs(scaled).max() < 25


def test_heavy_tails_keep_a_sensible_scale():
    values = RNG.lognormal(0, 2, (20_000, 1))
    scaled = Scaler("robust").fit(values).transform(values)
    assert 0.5 < np.std(scaled) < 3
    assert np.abs(np.median(scaled)) < 1


def test_constant_channels_keep_their_scale():
    values = np.column_stack([np.full(50, 0.1), np.full(50, 1e9), RNG.normal(size=50), np.full(50, np.nan)])
    values[0, 0] += 1e-17
    for kind in ("robust", "standard", "minmax"):
        scaler = Scaler(kind).fit(values)
        np.testing.assert_array_equal(scaler.constant_, [True, True, False, True])
        np.testing.assert_array_equal(scaler.scale_[scaler.constant_], 1.0)
        assert scaler.transform(values)[:, :2].max() == pytest.approx(0, abs=1e-6)
        assert np.isnan(scaler.transform(values)[:, 3]).all()


def test_missing_values_are_passed_over():
    values = np.array([[1.0], [np.nan], [3.0]])
    scaler = Scaler("standard").fit(values)
    assert (scaler.center_[0], scaler.scale_[0]) == (2.0, 1.0)
    np.testing.assert_array_equal(scaler.transform(values)[:, 0], [-1, np.nan, 1])


@pytest.mark.parametrize("limit", [3.0, 10.0])
def test_compression_keeps_the_order_and_is_smooth(limit):
    scaler = Scaler("standard", limit=limit).fit([[-1.0], [1.0]])
    far = np.sort(
        np.concatenate([np.linspace(-30, 30, 601), np.logspace(2, 30, 300), -np.logspace(2, 30, 300)])
    )
    scaled = scaler.transform(far[:, None])[:, 0]
    assert (np.diff(scaled) > 0).all()
    near = np.abs(far) <= limit
    np.testing.assert_allclose(scaled[near], far[near], rtol=1e-6)
    assert np.abs(scaled).max() < 100 * limit
    edge = scaler.transform([[limit - 1e-3], [limit], [limit + 1e-3]])[:, 0].astype(float)
    np.testing.assert_allclose(np.diff(edge), 1e-3, rtol=0.02)


def test_nothing_overflows():
    values = np.array([[0.0], [1e-300], [1e308], [-1e308], [np.inf], [-np.inf]])
    for kind in ("robust", "standard", "minmax"):
        scaled = Scaler(kind).fit([[0.0], [1e-200]]).transform(values)
        assert np.isfinite(scaled).all()
        assert np.abs(scaled).max() < 1e4


@settings(deadline=None)
@given(
    kind=st.sampled_from(["robust", "standard"]),
    seed=st.integers(0, 1000),
    center=st.floats(-1e6, 1e6),
    scale=st.floats(1e-3, 1e6),
)
def test_there_and_back(kind, seed, center, scale):
    values = center + scale * np.random.default_rng(seed).standard_t(2, (100, 2))
    scaler = Scaler(kind).fit(values[:60])
    back = scaler.inverse_transform(scaler.transform(values))
    np.testing.assert_allclose(back, values, atol=1e-4 * np.abs(values - center).max() + 1e-6 * scale)


def test_long_series_are_scaled_in_pieces_like_short_ones():
    values = RNG.normal(size=(200_000, 1))
    scaler = Scaler().fit(values)
    expected = ((values - scaler.center_) / scaler.scale_).astype(np.float32)
    np.testing.assert_array_equal(scaler.transform(values), expected)


@pytest.mark.parametrize("kind", ["robust", "standard", "minmax"])
def test_saved_and_built_again(kind):
    values = RNG.normal(size=(100, 3))
    scaler = Scaler(kind, limit=5).fit(values)
    state = scaler.get_state()
    assert all(isinstance(array, np.ndarray) and array.dtype != object for array in state.values())
    again = Scaler.from_state(state)
    np.testing.assert_array_equal(again.transform(values * 9), scaler.transform(values * 9))
    np.testing.assert_array_equal(again.constant_, scaler.constant_)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": np.array([1.0])}, "arrays of different lengths"),
        ({"scale": np.array([1.0, 0.0, 1.0])}, "a scale that is not a positive number"),
        ({"center": np.array([1.0, np.nan, 1.0])}, "a scale that is not a positive number"),
        ({"kind": np.array("nope")}, "The scaler is 'nope'"),
    ],
)
def test_a_state_that_is_none_is_refused(changes, message):
    state = Scaler().fit(RNG.normal(size=(9, 3))).get_state() | changes
    with pytest.raises(InputError, match=message):
        Scaler.from_state(state)


def test_misuse_is_named():
    with pytest.raises(InputError, match="The scaler is 'max'; expected one of robust, standard, minmax"):
        Scaler("max")
    with pytest.raises(InputError, match="limit is 0; expected a number above 0"):
        Scaler(limit=0)
    with pytest.raises(InputError, match="has not been fitted"):
        Scaler().transform([[1.0]])
    with pytest.raises(InputError, match="have 1 channels, the scaler was fitted on 2"):
        Scaler().fit([[1.0, 2.0], [2.0, 3.0]]).transform([[1.0]])
    with pytest.raises(InputError, match=r"shape \(2,\); expected \(n_timestamps, n_channels\)"):
        Scaler().fit([1.0, 2.0])
    with pytest.raises(InputError, match="All 4 values of the training part are missing"):
        Scaler().fit(np.full((2, 2), np.nan))
