"""Clusters and tails, against naive references, scipy's generalised Pareto and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.ndimage import maximum_filter1d

from vaenb.thresholds.tails import MOST_EXCESSES, cluster_size, count_above, find_peaks, fit_tail

few_levels = hnp.arrays(
    np.float64, st.integers(1, 40), elements=st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, np.nan])
)


def naive_peaks(scores, gap):
    found = []
    for i, score in enumerate(scores):
        around = scores[max(0, i - gap) : i + gap + 1]
        if np.isnan(score) or score < np.nanmax(around):
            continue
        if not found or i - found[-1][1] > gap:
            found.append([i, i])
        else:
            found[-1][1] = i  # the same plateau goes on
    return [first for first, _ in found]


def runs_clusters(scores, threshold, run_length):
    """The runs estimator: a cluster ends where `run_length` scores in a row are not above."""
    clusters, quiet = 0, run_length
    for score in scores:
        if score > threshold:
            clusters += quiet >= run_length
            quiet = 0
        else:
            quiet += 1
    return clusters


def sides(scores, gap):
    return np.sort(scores), np.sort(scores[find_peaks(scores, gap)])


@settings(deadline=None)
@given(few_levels, st.integers(1, 8))
def test_peaks_are_the_highest_around(scores, gap):
    assert find_peaks(scores, gap).tolist() == naive_peaks(scores, gap)


@settings(deadline=None)
@given(few_levels, st.integers(1, 8), st.sampled_from([-1.0, 0.0, 1.5, 3.0]))
def test_peaks_above_a_threshold_are_never_fewer_than_its_clusters(scores, gap, threshold):
    peaks = scores[find_peaks(scores, gap)]
    assert (peaks > threshold).sum() >= runs_clusters(scores, threshold, gap)


def test_at_a_high_threshold_peaks_are_the_clusters_of_the_runs_estimator():
    scores = maximum_filter1d(np.random.default_rng(0).exponential(size=20_000), 16)
    threshold = np.quantile(scores, 0.98)
    peaks = scores[find_peaks(scores, 16)]
    assert (peaks > threshold).sum() == runs_clusters(scores, threshold, 16) > 5


def test_cluster_size_is_one_over_the_extremal_index_of_an_armax_process():
    # X_t = max(0.8 X_{t-1}, 0.2 Z_t), unit Frechet Z, has the extremal index 1 - 0.8; in closed form:
    log_noise = -np.log(np.random.default_rng(0).exponential(size=2_000_000))
    decay = np.arange(len(log_noise)) * -np.log(0.8)
    scores = np.maximum.accumulate(log_noise + decay) - decay
    ascending, peaks = sides(scores, 40)
    assert cluster_size(ascending, peaks, np.quantile(scores, 0.999)) == pytest.approx(1 / 0.2, rel=0.1)


def test_cluster_size_where_hardly_anything_lies_above_is_that_of_the_five_highest_clusters():
    scores = np.zeros(1000)
    for i, height in enumerate([9, 8, 7, 6, 5, 4, 3]):
        scores[100 * i + 10 : 100 * i + 14] = height  # seven clusters of four points
    ascending, peaks = sides(scores, 20)
    assert [cluster_size(ascending, peaks, t) for t in (100, 8.5, 2.5)] == [4, 4, 4]
    assert cluster_size(ascending, peaks, -1) == 1000 / len(peaks)


def test_count_above_is_strict():
    assert [count_above(np.array([1.0, 2.0, 2.0, 3.0]), t) for t in (0, 1, 2, 3)] == [4, 3, 1, 0]


@pytest.mark.parametrize("shape", [-0.5, 0.0, 0.4])
def test_the_weights_are_the_posterior_of_scipys_likelihood(shape):
    excesses = stats.genpareto(shape, scale=3).rvs(60, random_state=1)
    scores = np.concatenate([np.full(940, -1.0), 10 + np.sort(excesses)])
    tail = fit_tail(scores, scores[941:], level=0.94)
    assert tail.n_excesses == 59
    assert tail.start == scores[940]
    shapes, log_scales = np.linspace(-0.95, 1.5, 300), np.linspace(-2, 4, 300)
    above = scores[941:] - tail.start
    log_weights = np.array(
        [stats.genpareto.logpdf(above[:, None], c, scale=np.exp(log_scales)).sum(axis=0) for c in shapes]
    )
    log_weights -= 0.5 * (shapes[:, None] / 0.3) ** 2
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    assert tail.shape == pytest.approx(weights.sum(axis=1) @ shapes, abs=0.01)
    assert tail.scale == pytest.approx(weights.sum(axis=0) @ np.exp(log_scales), rel=0.01)
    for threshold in (tail.start + 3, tail.start + 12):
        beyond = stats.genpareto.sf(threshold - tail.start, shapes[:, None], scale=np.exp(log_scales))
        assert tail.rate_above(threshold) == pytest.approx(tail.share * (weights * beyond).sum(), rel=0.02)


@pytest.mark.parametrize(
    "law", [stats.expon(), stats.genpareto(0.3), stats.t(4), stats.norm(), stats.uniform()]
)
def test_with_many_scores_it_is_siffers_formula_at_the_most_likely_parameters(law):
    scores = np.sort(law.rvs(100_000, random_state=2))
    tail = fit_tail(scores, scores, level=0.98)
    above = scores[scores > tail.start] - tail.start
    shape, _, scale = stats.genpareto.fit(above, floc=0)
    siffer = tail.start + scale / shape * ((1e-4 / 0.02) ** -shape - 1)
    assert tail.threshold_for(1e-4) - tail.start == pytest.approx(siffer - tail.start, rel=0.03)
    assert tail.shape == pytest.approx(shape, abs=0.05)


def test_threshold_for_inverts_rate_above():
    scores = np.sort(np.random.default_rng(3).standard_t(3, size=2000))
    tail = fit_tail(scores, scores, level=0.98)
    for rate in (1e-2, 1e-3, 1e-6):
        assert tail.rate_above(tail.threshold_for(rate)) == pytest.approx(rate, rel=1e-6)


def test_clustered_excesses_count_as_their_clusters():
    once = np.random.default_rng(4).exponential(size=1000)
    tripled = np.repeat(once, 3)
    alone = fit_tail(*sides(once, 3), level=0.95)
    together = fit_tail(*sides(tripled, 3), level=0.95)
    assert together.n_excesses == 3 * alone.n_excesses
    assert together.shape == pytest.approx(alone.shape, abs=0.02)
    assert together.threshold_for(1e-3) == pytest.approx(alone.threshold_for(1e-3), rel=0.02)


def test_the_rate_is_right_on_average_where_the_most_likely_parameters_flag_too_much():
    rng = np.random.default_rng(5)
    honest, plugged = [], []
    for _ in range(150):
        scores = np.sort(rng.exponential(size=1000))
        tail = fit_tail(scores, scores, level=0.95)
        honest.append(np.exp(-tail.threshold_for(1e-3)))
        shape, _, scale = stats.genpareto.fit(scores[scores > tail.start] - tail.start, floc=0)
        plugged.append(np.exp(-tail.start - scale / shape * ((1e-3 / tail.share) ** -shape - 1)))
    error = np.std(honest) / np.sqrt(150)
    assert abs(np.mean(honest) - 1e-3) < 2.6 * error
    assert np.mean(plugged) > 1.25e-3


def test_the_start_moves_down_until_there_is_enough_and_up_where_there_is_too_much():
    rng = np.random.default_rng(6)
    few = np.sort(rng.exponential(size=300))
    assert 20 <= fit_tail(few, few, level=0.98).n_excesses <= 26
    many = np.sort(rng.exponential(size=400_000))
    assert fit_tail(many, many, level=0.9).n_excesses <= MOST_EXCESSES
    lonely = np.sort(rng.exponential(size=20))
    assert fit_tail(lonely, lonely, level=0.98).n_excesses == 3  # at 0.8 it goes no further


def test_no_tail_where_nothing_lies_above_its_start():
    flat = np.zeros(100)
    assert fit_tail(flat, flat[:1], level=0.98) is None


@settings(deadline=None)
@given(
    hnp.arrays(np.float64, st.integers(10, 60), elements=st.floats(-1e150, 1e150)),
    st.sampled_from([1, 4]),
    st.sampled_from([0.15, 1e-3, 1e-9]),
)
def test_any_finite_scores_give_a_finite_threshold(scores, gap, rate):
    tail = fit_tail(*sides(scores, gap), level=0.9)
    if tail is not None and rate < tail.share:
        threshold = tail.threshold_for(rate)
        assert np.isfinite(threshold)
        assert threshold >= tail.start
        assert tail.weights.sum() == pytest.approx(1)
