"""Decimation: against a loop over the bins."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vaenb.drawing.decimation import decimate

values = hnp.arrays(
    float,
    st.integers(1, 400),
    elements=st.one_of(st.floats(-100, 100), st.just(float("nan"))),
)


@settings(deadline=None)
@given(values=values, n_bins=st.integers(1, 50), above=st.floats(-100, 100))
def test_decimation_keeps_what_the_eye_would_see(values, n_bins, above):
    kept = decimate(values, n_bins, above=above)
    assert (np.diff(kept) > 0).all()
    if len(values) <= 2 * n_bins:
        assert kept.tolist() == list(range(len(values)))
        return
    assert {0, len(values) - 1} <= set(kept.tolist())
    assert set(np.flatnonzero(values > above)) <= set(kept.tolist())
    size = -(-len(values) // n_bins)
    for begin in range(0, len(values), size):
        chunk = values[begin : begin + size]
        shown = values[kept[(kept >= begin) & (kept < begin + size)]]
        assert np.isnan(shown).any() == np.isnan(chunk).any()
        if not np.isnan(chunk).all():
            assert np.nanmin(shown) == np.nanmin(chunk)
            assert np.nanmax(shown) == np.nanmax(chunk)


def test_decimation_of_a_million_points_is_small_and_loses_no_extreme():
    noise = np.random.default_rng(0).standard_normal(1_000_000)
    noise[400_000:420_000] = np.nan
    kept = decimate(noise, 1_000, above=4.0)
    assert len(kept) <= 2_000 + 21 + np.count_nonzero(noise > 4) + 2
    assert np.nanmax(noise[kept]) == np.nanmax(noise)
    assert np.nanmin(noise[kept]) == np.nanmin(noise)


def test_without_a_threshold_a_bin_keeps_two_points():
    wave = np.sin(np.arange(1_000))
    assert len(decimate(wave, 10)) <= 22
