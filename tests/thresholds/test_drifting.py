"""DSPOT: against the paper's algorithm written plainly, the paper's formula, and on series that drift."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import vaenb
from vaenb.errors import InputError
from vaenb.thresholding import DSPOT, POT, from_settings, parse_threshold
from vaenb.thresholds.tails import find_peaks, fit_tail, tail_of
from vaenb.thresholds.walk import MOST_PEAKS


def papers_dspot(scores, n, depth, rate, level, gap):
    """Algorithm 3 of Siffer et al. 2017; the first n + depth scores initialise, the rest is the stream."""
    window = list(scores[:depth])
    residuals = []
    for score in scores[depth : depth + n]:
        residuals.append(score - np.mean(window))
        window = [*window[1:], score]
    ascending = np.sort(residuals)
    tail = fit_tail(
        ascending, np.sort(np.array(residuals)[find_peaks(np.array(residuals), gap)]), level=level
    )
    t, z = tail.start, tail.threshold_for(rate)
    peaks, k = [x - t for x in ascending if x > t], n
    n_clusters, since = tail.n_clusters, 0
    thresholds, alarms = [], []
    for i, score in enumerate(scores[depth + n :]):
        mean = np.mean(window)
        thresholds.append(mean + z)
        residual = score - mean
        since += 1
        if residual > z:
            alarms.append(i)
            continue
        k += 1
        if residual > t:
            peaks.append(residual - t)
            n_clusters += since > gap
            since = 0
            newest = np.sort(peaks[-MOST_PEAKS:])
            z = tail_of(
                newest, start=t, n_excesses=len(peaks), n_clusters=n_clusters, n_scores=k
            ).threshold_for(rate)
        window = [*window[1:], score]
    return np.array(thresholds), alarms


@settings(deadline=None, max_examples=5)
@given(
    st.integers(0, 10_000),
    st.sampled_from([5, 60]),
    st.sampled_from([1, 9]),
    st.sampled_from([0.9, 0.98]),
)
def test_it_is_the_algorithm_of_the_paper(seed, depth, gap, level):
    rng = np.random.default_rng(seed)
    scores = rng.exponential(size=1_400) + np.linspace(0, 8, 1_400)
    scores[900:905] += 30
    rule = DSPOT(rate=2e-3, depth=depth, level=level).fit(scores[:600], window_size=gap)
    thresholds, alarms = papers_dspot(scores, 600 - depth, depth, 2e-3, level, gap)
    first = rule.threshold_
    found = rule.update(scores[600:])
    np.testing.assert_allclose(found, thresholds, rtol=1e-9)
    assert np.flatnonzero(scores[600:] > found).tolist() == alarms
    assert set(range(300, 305)) <= set(alarms)
    assert first == found[0]


def test_with_many_peaks_its_height_is_the_formula_of_the_paper():
    rate = 1e-4
    scores = stats.genpareto(0.15).rvs(size=120_000, random_state=np.random.default_rng(0))
    rule = DSPOT(rate=rate, depth=20_000, level=0.98).fit(scores)
    residuals = scores[20_000:] - scores.mean()
    t = np.quantile(residuals, 0.98)
    excesses = residuals[residuals > t] - t
    shape, _, scale = stats.genpareto.fit(excesses, floc=0)
    height = t + scale / shape * ((rate * len(residuals) / len(excesses)) ** -shape - 1)
    assert rule.threshold_ - scores[-20_000:].mean() == pytest.approx(height, rel=0.03)


def alarm_rates(make_stream, n=3_000, seeds=15, rate=2e-3):
    moving, still = [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        held = rng.gamma(4.0, size=4_000)
        stream = make_stream(rng, n)
        rule = DSPOT(rate=rate, depth=300).fit(held)
        moving.append(np.mean(stream > rule.update(stream)))
        still.append(POT(rate).fit(held).predict(stream).mean())
    return np.array(moving), np.array(still)


def test_where_nothing_changes_alarms_come_near_the_rate_asked_for():
    moving, _ = alarm_rates(lambda rng, n: rng.gamma(4.0, size=n))
    assert 2e-3 < moving.mean() < 1.6 * 2e-3  # what the docstring warns of


@pytest.mark.parametrize("slope", [10, -3])
def test_where_the_scores_drift_it_keeps_its_rate_and_pot_does_not(slope):
    moving, still = alarm_rates(lambda rng, n: rng.gamma(4.0, size=n) + np.linspace(0, slope, n))
    assert 1e-3 < moving.mean() < 4e-3
    assert still.mean() > 2e-2 if slope > 0 else still.mean() < 1e-3


def test_nothing_is_learnt_from_an_alarm_or_from_nan():
    scores = np.random.default_rng(0).exponential(size=1_000)
    rule = DSPOT(depth=50).fit(scores)
    before = rule.threshold_
    found = rule.update([np.nan, before + 1, np.inf, before + 100, np.nan])
    assert found.tolist() == [before] * 5
    assert rule.threshold_ == before
    assert rule.update([]).tolist() == []
    assert rule.update([0.0, 0.0])[1] < before


@pytest.mark.parametrize("sizes", [[1] * 400, [400], [7, 93, 1, 299]])
def test_how_the_scores_are_cut_changes_nothing(sizes):
    rng = np.random.default_rng(3)
    held, stream = rng.exponential(size=800), rng.exponential(size=400) + np.linspace(0, 2, 400)
    whole = DSPOT(depth=40, level=0.95).fit(held).update(stream)
    rule = DSPOT(depth=40, level=0.95).fit(held)
    parts = np.split(stream, np.cumsum(sizes)[:-1])
    np.testing.assert_array_equal(np.concatenate([rule.update(part) for part in parts]), whole)


def test_saved_in_the_middle_it_goes_on_as_if_it_had_not_been():
    rng = np.random.default_rng(5)
    rule = DSPOT(depth=40, level=0.95).fit(rng.exponential(size=800), window_size=4)
    rule.update(rng.exponential(size=300))
    again = from_settings(json.loads(json.dumps(rule.to_dict(), allow_nan=False)))
    assert again.to_dict() == rule.to_dict()
    more = rng.exponential(size=300)
    np.testing.assert_array_equal(again.update(more), rule.update(more))


@pytest.mark.parametrize(
    "damage",
    [
        lambda walk: walk.pop("peaks"),
        lambda walk: walk.update(recent=[]),
        lambda walk: walk.update(recent=["high"]),
        lambda walk: walk.update(start=float("nan")),
        lambda walk: walk.update(n_peaks=0),
        lambda walk: walk.update(peaks=[-1.0]),
        lambda walk: walk.update(depth=3),
    ],
)
def test_a_damaged_record_is_refused(damage):
    record = DSPOT(depth=40).fit(np.random.default_rng(0).exponential(size=400)).to_dict()
    damage(record["fitted"]["walk"])
    with pytest.raises(InputError, match="The saved threshold's"):
        from_settings(record)


def test_a_copy_goes_its_own_way():
    rng = np.random.default_rng(1)
    rule = DSPOT(depth=40).fit(rng.exponential(size=400))
    twin, before = copy.copy(rule), rule.threshold_
    twin.update(rng.exponential(size=400) + np.linspace(0, 5, 400))
    assert twin.threshold_ > before + 1
    assert rule.threshold_ == before
    assert rule.update([0.0])[0] == before


def test_the_depth_is_eight_windows_and_at_most_half_of_the_calibration_scores():
    scores = np.random.default_rng(0).exponential(size=1_000)
    for window_size, n, depth in ((1, 1_000, 100), (48, 1_000, 384), (48, 500, 250)):
        rule = DSPOT().fit(scores[:n], window_size=window_size)
        walk = rule.to_dict()["fitted"]["walk"]
        assert walk["recent"] == scores[n - depth : n].tolist()
        assert rule.threshold_ == pytest.approx(scores[n - depth : n].mean() + walk["beyond"])


def test_a_depth_that_leaves_nothing_is_refused():
    with pytest.raises(InputError, match="depth is 95, and there are 100 calibration scores"):
        DSPOT(depth=95).fit(np.arange(100.0))
    with pytest.raises(InputError, match=r"DSPOT: depth \(points, or 'auto'\) is 'deep'"):
        DSPOT(depth="deep")


def test_where_there_is_no_tail_the_threshold_moves_with_the_average():
    rule = DSPOT(rate=0.3, depth=20).fit(np.random.default_rng(0).exponential(size=500))
    assert "moves with the average alone" in rule.warnings_[0]
    quiet = DSPOT(depth=20).fit(np.ones(100))
    assert quiet.threshold_ == 1.0
    quiet.update(np.full(30, 0.5))
    assert quiet.threshold_ == 0.5


def test_it_must_be_fitted_first():
    with pytest.raises(InputError, match="has seen no calibration scores yet"):
        DSPOT().update([1.0])


def test_it_has_a_short_name_and_a_door():
    assert vaenb.DSPOT is DSPOT
    assert parse_threshold("dspot") == DSPOT()
    assert parse_threshold("dspot:1e-4") == DSPOT(rate=1e-4)
    assert repr(DSPOT(depth=500)) == "DSPOT(depth=500)"
