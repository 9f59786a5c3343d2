"""VUS against TSB-AD's recorded values and against its definition, point by point."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb.errors import InputError
from vaenb.judging.vus import find_length_rank, vus

# (seed, n_timestamps, window, n_thresholds): VUS-PR, VUS-ROC by TSB-AD 1.5
# (RangeAUC_volume_opt) on NumPy 2.4.6, inputs from `labelled_noise`.
RECORDED = {
    (0, 300, 0, 250): (0.8050142106290346, 0.8948589914902596),
    (1, 300, 10, 250): (0.9942978479868347, 0.9988358726432535),
    (2, 500, 25, 100): (0.48906984236878076, 0.7352504385525189),
    (3, 800, 40, 250): (0.8385274275376097, 0.9501226250343221),
    (4, 1200, 101, 250): (0.9911441959935989, 0.9965418874945514),
    (5, 120, 60, 50): (0.8518823286844757, 0.9163191551748215),
}

# (kind, seed) of `periodic`: find_length_rank for rank 1 and 2 by TSB-AD 1.5 on statsmodels 0.15.0.
RECORDED_LENGTHS = {
    ("wave", 0): (37, 74),
    ("wave", 1): (37, 74),
    ("two waves", 0): (200, 300),
    ("two waves", 1): (200, 300),
    ("walk", 0): (125, 125),
    ("walk", 1): (125, 125),
    ("slow", 0): (125, 125),
    ("slow", 1): (125, 125),
}


def labelled_noise(seed, n):
    """Labels with long, short, neighbouring and outermost events; scores with ties where the seed is odd."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(n, dtype=int)
    for start in rng.integers(0, n, 1 + n // 60):
        labels[start : start + rng.integers(1, 25)] = 1
    labels[[0, -1]] = [seed % 3 == 0, seed % 3 == 1]
    scores = rng.random(n) + labels * rng.random()
    return labels, scores.round(1) if seed % 2 else scores


def periodic(kind, seed):
    """A wave, a wave of two periods, a random walk, or a wave of a period too long to be found."""
    rng = np.random.default_rng(seed)
    time = np.arange(1500)
    wave = {
        "wave": np.sin(time * 2 * np.pi / 37),
        "two waves": np.sin(time * 2 * np.pi / 100) + 0.25 * np.sin(time * 2 * np.pi / 200),
        "walk": rng.normal(size=1500).cumsum(),
        "slow": np.sin(time * 2 * np.pi / 390),
    }[kind]
    return wave + 0.1 * rng.normal(size=1500)


def events_of(labels):
    found = []
    for place, label in enumerate(labels):
        if label and place and labels[place - 1]:
            found[-1][1] = place
        elif label:
            found.append([place, place])
    return found


def soft_label(place, events, buffer):
    """1 inside an event; in the border the square-root ramp, summed over the events, at most 1."""
    total = 0.0
    for first, last in events:
        distance = max(first - place, place - last, 0)
        if distance == 0:
            return 1.0
        if distance <= buffer // 2:
            total += math.sqrt(1 - distance / buffer)
    return min(total, 1.0)


def bordered(events, n, half):
    """Events with their borders as sets of positions; those that share a position are one."""
    found = []
    for first, last in events:
        points = set(range(max(first - half, 0), min(last + half, n - 1) + 1))
        while found and found[-1] & points:
            points |= found.pop()
        found.append(points)
    return found


def naive_curve(labels, scores, buffer, n_thresholds):
    n, events, count = len(labels), events_of(labels), sum(labels)
    soft = [soft_label(place, events, buffer) for place in range(n)]
    falling = sorted(scores, reverse=True)
    points = []
    for position in np.linspace(0, n - 1, n_thresholds).astype(int):
        flagged = [place for place in range(n) if scores[place] >= falling[position]]
        caught = sum(soft[place] for place in flagged)
        positives = count + sum(soft[place] for place in flagged if not labels[place]) / 2
        spans = bordered(events, n, buffer // 2)
        found = sum(any(place in span for place in flagged) for span in spans) / len(spans)
        tpr = min(caught / positives, 1.0) * found
        fpr = (len(flagged) - caught) / (n - positives) if count < n else math.nan
        points.append((tpr, fpr, caught / len(flagged)))
    return points


def naive_vus(labels, scores, window, n_thresholds):
    prs, rocs = [], []
    for buffer in range(window + 1):
        curve = naive_curve(labels, scores, buffer, n_thresholds)
        before, pr = 0.0, 0.0
        for tpr, _, precision in curve:
            pr += (tpr - before) * precision
            before = tpr
        corners = [(0.0, 0.0), *((fpr, tpr) for tpr, fpr, _ in curve), (1.0, 1.0)]
        roc = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(corners))
        prs.append(pr)
        rocs.append(roc)
    return np.mean(prs), np.mean(rocs)


labelled = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=2, max_size=30).filter(
    lambda pairs: any(pair[0] for pair in pairs)
)


@pytest.mark.parametrize("case", RECORDED, ids=str)
def test_vus_equals_what_tsb_ad_computed(case):
    seed, n, window, n_thresholds = case
    labels, scores = labelled_noise(seed, n)
    assert vus(labels, scores, window, n_thresholds=n_thresholds) == pytest.approx(RECORDED[case], abs=1e-12)


@settings(deadline=None, max_examples=200)
@given(pairs=labelled, window=st.integers(0, 11), n_thresholds=st.integers(2, 7))
def test_vus_is_its_definition(pairs, window, n_thresholds):
    labels, scores = [int(pair[0]) for pair in pairs], [float(pair[1]) for pair in pairs]
    expected = naive_vus(labels, scores, window, n_thresholds)
    found = vus(labels, scores, window, n_thresholds=n_thresholds)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


@settings(deadline=None)
@given(pairs=labelled, window=st.integers(0, 8))
def test_only_the_order_of_the_scores_matters(pairs, window):
    labels, scores = [pair[0] for pair in pairs], np.array([float(pair[1]) for pair in pairs])
    np.testing.assert_equal(vus(labels, scores, window), vus(labels, np.exp(scores) - 3, window))


def test_a_perfect_score_without_borders_has_area_1():
    labels = [0, 0, 1, 1, 0, 1]
    assert vus(labels, labels, 0) == pytest.approx((1.0, 1.0))


def test_a_random_score_stays_near_the_share_of_anomalies():
    rng = np.random.default_rng(0)
    labels = np.zeros(20_000, dtype=int)
    labels[3_000:4_000] = labels[12_000:13_000] = 1
    pr, roc = vus(labels, rng.random(20_000), 20)
    assert 0.09 < pr < 0.12
    assert 0.48 < roc < 0.54


def test_an_alarm_just_outside_the_label_counts_under_a_wider_buffer():
    labels, scores = np.zeros(200, dtype=int), np.zeros(200)
    labels[100:110] = 1
    scores[95:100] = 1
    narrow, wide = vus(labels, scores, 0)[0], vus(labels, scores, 20)[0]
    assert wide > 2 * narrow


def test_missing_scores_count_as_the_lowest():
    labels = [0, 1, 1, 0, 0, 1]
    assert vus(labels, [3, 5, np.nan, 2, np.nan, 4], 2) == vus(labels, [3, 5, -9, 2, -9, 4], 2)


def test_without_an_anomaly_there_is_no_volume():
    assert all(math.isnan(area) for area in vus([0, 0, 0], [1, 2, 3], 2))


def test_with_nothing_normal_there_is_no_false_positive_rate():
    pr, roc = vus([1, 1, 1], [1, 2, 3], 2)
    assert pr == pytest.approx(1.0)
    assert math.isnan(roc)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"labels": [0, 1]}, "There are 2 labels and 3 scores"),
        ({"labels": [0, 1, 7]}, "labels holds 7 at position 2"),
        ({"window": -1}, "window is -1 and n_thresholds is 250"),
        ({"n_thresholds": 1}, "n_thresholds is 1"),
    ],
)
def test_what_makes_no_sense_is_refused(setting, message):
    with pytest.raises(InputError, match=message):
        vus(**({"labels": [0, 1, 1], "scores": [1, 2, 3], "window": 2} | setting))


@pytest.mark.parametrize("case", RECORDED_LENGTHS, ids=str)
def test_lengths_are_those_of_tsb_ad(case):
    values = periodic(*case)
    assert (find_length_rank(values), find_length_rank(values, 2)) == RECORDED_LENGTHS[case]


@pytest.mark.parametrize("seed", range(20))
def test_the_length_is_the_highest_local_peak_of_the_autocorrelation(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(20, 700))
    values = np.sin(np.arange(n) * rng.uniform(0.02, 1)) + rng.normal(size=n)
    centred = values - values.mean()
    lags = [centred[: n - lag] @ centred[lag:] for lag in range(min(401, n))]
    peaks = [lag for lag in range(4, len(lags) - 1) if lags[lag - 1] < lags[lag] > lags[lag + 1]]
    best = max(peaks, key=lambda lag: lags[lag])
    assert find_length_rank(values) == (best if 6 <= best <= 303 else 125)


def test_the_first_channel_speaks_and_a_gap_counts_as_the_mean():
    wave = np.sin(np.arange(2000) * 2 * np.pi / 50)
    table = np.column_stack([wave, np.random.default_rng(0).normal(size=2000)])
    table[300:320, 0] = np.nan
    assert find_length_rank(table) == 50


@pytest.mark.parametrize("values", [np.ones(500), np.full(500, np.nan), [1.0, 2.0, 3.0], np.arange(500.0)])
def test_a_series_without_a_period_gets_125(values):
    assert find_length_rank(values) == 125


def test_only_the_first_20000_points_are_looked_at():
    slow, fast = (np.sin(np.arange(20_000) * 2 * np.pi / period) for period in (60, 25))
    assert find_length_rank(np.concatenate([slow, fast * 9])) == 60


@pytest.mark.parametrize(("values", "rank"), [([1.0, 2.0], 0), ([1.0, 2.0], 3)])
def test_other_ranks_are_refused(values, rank):
    with pytest.raises(InputError, match=f"rank is {rank}"):
        find_length_rank(values, rank)


def test_no_values_are_refused():
    with pytest.raises(InputError, match="There are no values"):
        find_length_rank([])
