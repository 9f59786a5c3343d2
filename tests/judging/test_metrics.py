"""Metrics by timestamp against plain counting, and against every threshold tried in turn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vaenb.errors import InputError
from vaenb.judging.metrics import auc_pr, auc_roc, best_f1, point_scores

flag_pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30)
scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.0, 1.0, 2.0, 3.0, -math.inf, math.inf, math.nan])),
    min_size=1,
    max_size=25,
)


def split(pairs):
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def lowest_for_nan(values):
    return [-math.inf if math.isnan(value) else value for value in values]


@settings(deadline=None)
@given(flag_pairs)
def test_point_scores_count(pairs):
    labels, flags = split(pairs)
    hits = sum(label and flag for label, flag in pairs)
    found = point_scores(labels, flags)
    if flags.any():
        assert found.precision == hits / flags.sum()
    else:
        assert math.isnan(found.precision)
    if labels.any():
        assert found.recall == hits / labels.sum()
        assert found.f1 == pytest.approx(2 * hits / (labels.sum() + flags.sum()))
    else:
        assert math.isnan(found.recall)
        assert math.isnan(found.f1)


@settings(deadline=None)
@given(scored)
def test_auc_roc_is_the_chance_that_an_anomaly_scores_higher(pairs):
    labels, scores = split(pairs)
    assume(labels.any() and not labels.all())
    scores_known = np.array(lowest_for_nan(scores))
    wins = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high in scores_known[labels]
        for low in scores_known[~labels]
    ]
    assert auc_roc(labels, scores) == pytest.approx(np.mean(wins))


@settings(deadline=None)
@given(scored)
def test_auc_pr_is_the_staircase_under_precision_and_recall(pairs):
    labels, scores = split(pairs)
    assume(labels.any())
    known, area, before = np.array(lowest_for_nan(scores)), 0.0, 0.0
    for threshold in sorted(set(known), reverse=True):
        found = point_scores(labels, known >= threshold)
        area += (found.recall - before) * found.precision
        before = found.recall
    assert auc_pr(labels, scores) == pytest.approx(area)


@pytest.mark.parametrize("n_values", [3, 50, 10**6])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.9])
def test_the_areas_are_those_of_scikit_learn(n_values, share):
    from sklearn.metrics import average_precision_score, roc_auc_score

    rng = np.random.default_rng(0)
    labels = rng.random(3000) < share
    labels[:2] = [True, False]
    scores = rng.integers(n_values, size=3000) + 0.3 * n_values * labels
    assert auc_pr(labels, scores) == pytest.approx(average_precision_score(labels, scores), rel=1e-12)
    assert auc_roc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), rel=1e-12)


@settings(deadline=None)
@given(scored)
def test_best_f1_is_the_best_of_all_thresholds_and_its_threshold_reaches_it(pairs):
    labels, scores = split(pairs)
    assume(labels.any())
    tried = [-math.inf, -1e9, 0.0, 1.0, 2.0, 3.0, math.inf]
    best = max(point_scores(labels, scores > threshold).f1 for threshold in tried)
    f1, threshold = best_f1(labels, scores)
    assert f1 == pytest.approx(best)
    assert point_scores(labels, scores > threshold).f1 == pytest.approx(best)


def test_the_best_threshold_is_the_highest_score_left_out():
    assert best_f1([0, 1, 1, 0], [0.1, 0.9, 0.7, 0.2]) == (1.0, 0.2)


def test_a_threshold_below_everything_is_still_a_number():
    f1, threshold = best_f1([1, 1], [5.0, 6.0])
    assert f1 == 1.0
    assert threshold == np.nextafter(5.0, 0)


def test_scores_that_are_all_missing_flag_nothing():
    assert best_f1([0, 1], [np.nan, np.nan]) == (0.0, math.inf)


def test_without_an_anomaly_the_areas_are_undefined():
    assert math.isnan(auc_pr([0, 0], [1.0, 2.0]))
    assert math.isnan(auc_roc([0, 0], [1.0, 2.0]))
    assert math.isnan(auc_roc([1, 1], [1.0, 2.0]))
    assert all(math.isnan(value) for value in best_f1([0, 0], [1.0, 2.0]))


@pytest.mark.parametrize("metric", [point_scores, auc_pr, auc_roc, best_f1])
def test_lengths_must_agree(metric):
    with pytest.raises(InputError, match="There are 2 labels and 3"):
        metric([0, 1], [0, 1, 0])


@pytest.mark.parametrize("metric", [point_scores, auc_pr, auc_roc, best_f1])
def test_labels_must_be_0_or_1(metric):
    with pytest.raises(InputError, match="labels holds 2 at position 1"):
        metric([0, 2], [0, 1])
