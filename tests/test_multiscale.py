"""Errors averaged over several lengths, against a naive reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaenb import multiscale
from vaenb.errors import InputError
from vaenb.multiscale import LENGTHS, TO_SIGMA, MultiScale, box_mean

FINITE = st.floats(-1e6, 1e6, allow_nan=False, width=32)


def naive_mean(values, length):
    """The mean of the known values around each one; NaN where there is none."""
    before, after = length // 2, length - length // 2
    around = [values[max(0, i - before) : i + after] for i in range(len(values))]
    return np.array(
        [np.mean(near[~np.isnan(near)]) if not np.isnan(near).all() else np.nan for near in around]
    )


@settings(deadline=None)
@given(hnp.arrays(np.float64, st.integers(1, 60), elements=FINITE | st.just(np.nan)), st.integers(1, 80))
def test_box_mean_is_the_mean_of_the_known_neighbours(values, length):
    np.testing.assert_allclose(box_mean(values, length), naive_mean(values, length), rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("n", [1, 100, 1023, 1024, 1025, 3000])
@pytest.mark.parametrize("piece", [1, 31, 127, 128, 129, 1024, 5000])
def test_pieces_do_not_change_a_single_bit(n, piece, monkeypatch):
    rng = np.random.default_rng(n)
    train, errors = rng.gamma(0.3, size=400), rng.gamma(0.3, size=n) * 1e3
    errors[(rng.random(n) < 0.2) & (np.arange(n) > n // 2)] = np.nan
    whole = MultiScale(16).fit(train)
    expected = whole.transform(errors)
    monkeypatch.setattr(multiscale, "PIECE", piece)
    pieces = MultiScale(16).fit(train)
    np.testing.assert_array_equal(pieces.sigma_, whole.sigma_)
    np.testing.assert_array_equal(pieces.transform(errors), expected)
    np.testing.assert_array_equal(pieces.transform(errors, out=errors), expected)


def test_the_score_is_what_the_docstring_says():
    rng = np.random.default_rng(0)
    train, errors = rng.gamma(0.3, size=1100), rng.gamma(0.3, size=300)
    train[7] = 1e4  # contamination
    cap = np.median(train) + 20 * TO_SIGMA * np.median(np.abs(train - np.median(train)))
    expected = []
    for share in LENGTHS:
        length = max(1, round(share * 16))
        most = cap if length > 16 else np.inf
        usual = naive_mean(np.minimum(train, most), length)
        middle = np.median(usual)
        reach = 30 * TO_SIGMA * np.median(np.abs(usual - middle))
        sigma = np.std(np.minimum(np.maximum(usual, middle - reach), middle + reach))
        found = naive_mean(np.minimum(errors, most), length)
        expected.append(np.maximum((found - middle) / sigma, 0))
    scales = MultiScale(16).fit(train)
    np.testing.assert_allclose(scales.transform(errors), np.mean(expected, axis=0) ** (2 / 3), rtol=1e-7)
    assert scales.sigma_.max() < 30  # against 300 without the cut


def test_missing_errors_are_left_out():
    rng = np.random.default_rng(0)
    train, errors = rng.gamma(0.3, size=1100), rng.gamma(0.3, size=700)
    train[rng.random(1100) < 0.5] = np.nan
    errors[rng.random(700) < 0.5] = np.nan
    errors[100:400] = np.nan  # longer than the longest length
    known = ~np.isnan(train)
    cap = np.median(train[known]) + 20 * TO_SIGMA * np.median(np.abs(train[known] - np.median(train[known])))
    beyond = []
    for share in LENGTHS:
        length = max(1, round(share * 16))
        most = cap if length > 16 else np.inf
        usual = naive_mean(np.minimum(train, most), length)[known]
        middle = np.median(usual)
        reach = 30 * TO_SIGMA * np.median(np.abs(usual - middle))
        sigma = np.std(np.clip(usual, middle - reach, middle + reach))
        beyond.append(np.maximum((naive_mean(np.minimum(errors, most), length) - middle) / sigma, 0))
    score = MultiScale(16).fit(train).transform(errors)
    somebody = ~np.isnan(beyond).all(axis=0)
    expected = np.nanmean(np.array(beyond)[:, somebody], axis=0) ** (2 / 3)
    np.testing.assert_allclose(score[somebody], expected, rtol=1e-7)
    assert not somebody.all()
    np.testing.assert_array_equal(score[~somebody], 0.0)


def test_lengths_of_which_the_training_part_holds_too_few_are_left_out():
    assert MultiScale(64).fit(np.arange(4096.0)).lengths_.tolist() == [1, 8, 32, 64, 128, 256, 512]
    assert MultiScale(64).fit(np.arange(400.0)).lengths_.tolist() == [1, 8, 32, 64, 128]
    assert MultiScale(64).fit(np.arange(3.0)).lengths_.tolist() == [1]
    assert MultiScale(2).fit(np.arange(200.0)).lengths_.tolist() == [1, 2, 4, 8, 16]


@pytest.mark.parametrize("length", [1, 20, 150])
def test_short_and_long_events_stand_out(length):
    rng = np.random.default_rng(1)
    errors = rng.normal(size=3000)
    errors[2000 : 2000 + length] += 8.0 / np.sqrt(length)
    score = MultiScale(64).fit(errors[:1500]).transform(errors)
    assert 2000 - 64 <= score.argmax() <= 2000 + length + 64
    assert score[2000 : 2000 + length].mean() > np.quantile(score[:1500], 0.9)


def test_a_spike_is_little_heard_windows_away():
    errors = np.random.default_rng(4).gamma(2.0, size=3000)
    calm, spiked = MultiScale(64).fit(errors[:1500]), errors.copy()
    spiked[2000] = 1e6
    near, far = calm.transform(spiked), calm.transform(errors)
    assert near[2000] > 100 * far.max()
    away = np.abs(np.arange(3000) - 2000) > 64
    assert (near[away] - far[away]).max() < far.std()
    np.testing.assert_array_equal(near[:1744], far[:1744])  # eight windows of 64, half before it


def test_a_larger_error_never_lowers_a_score():
    errors = np.random.default_rng(2).normal(size=400)
    scales = MultiScale(16).fit(errors)
    more = errors.copy()
    more[200] += 5.0
    assert (scales.transform(more) >= scales.transform(errors) - 1e-12).all()


def test_constant_errors_give_finite_scores():
    scales = MultiScale(8).fit(np.full(100, 3.0))
    np.testing.assert_array_equal(scales.transform(np.full(50, 3.0)), np.zeros(50))
    assert np.isfinite(scales.transform(np.full(50, 1e12))).all()


def test_the_state_brings_it_back():
    errors = np.random.default_rng(3).normal(size=400)
    scales = MultiScale(16).fit(errors)
    again = MultiScale.from_state(16, scales.get_state())
    np.testing.assert_array_equal(again.transform(errors), scales.transform(errors))


def test_a_wrong_state_is_refused():
    state = MultiScale(16).fit(np.arange(100.0)).get_state()
    with pytest.raises(InputError, match="other lengths"):
        MultiScale.from_state(32, state)
    with pytest.raises(InputError, match="not positive"):
        MultiScale.from_state(16, state | {"sigma": -state["sigma"]})
    with pytest.raises(InputError, match="other lengths"):
        MultiScale.from_state(16, state | {"median": state["median"][:2]})


def test_not_fitted():
    with pytest.raises(InputError, match="call fit"):
        MultiScale(16).transform([1.0])


def test_errors_of_another_shape_are_refused():
    with pytest.raises(InputError, match=r"the shape \(2, 50\); expected \(n_timestamps,\)"):
        MultiScale(16).fit(np.ones((2, 50)))
    with pytest.raises(InputError, match=r"the shape \(50, 1\)"):
        MultiScale(16).fit(np.ones(50)).transform(np.ones((50, 1)))
