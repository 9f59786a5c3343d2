"""Metrics by event against a slow reference that walks through lists of positions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vaenb.errors import InputError
from vaenb.judging.event_metrics import best_point_adjusted_f1, event_scores, point_adjusted
from vaenb.judging.metrics import point_scores

flag_pairs = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def split(pairs):
    return np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])


def positions(flags):
    """The runs of 1s, each as the list of its positions."""
    found = []
    for place, flag in enumerate(flags):
        if flag and place and flags[place - 1]:
            found[-1].append(place)
        elif flag:
            found.append([place])
    return found


def adjusted(labels, flags):
    flags = flags.copy()
    for event in positions(labels):
        if flags[event].any():
            flags[event] = True
    return flags


@settings(deadline=None)
@given(flag_pairs)
def test_point_adjusted_flags_every_touched_event_in_full(pairs):
    labels, flags = split(pairs)
    expected = point_scores(labels, adjusted(labels, flags))
    np.testing.assert_equal(tuple(point_adjusted(labels, flags)), tuple(expected))


@settings(deadline=None)
@given(flag_pairs)
def test_events_and_alarms_are_counted(pairs):
    labels, flags = split(pairs)
    events, alarms = positions(labels), positions(flags)
    delays = [min(p for p in event if flags[p]) - event[0] for event in events if flags[event].any()]
    false = sum(not labels[alarm].any() for alarm in alarms)
    found = event_scores(labels, flags, points_per_day=10.0)
    expected_recall = len(delays) / len(events) if events else math.nan
    expected_precision = 1 - false / len(alarms) if alarms else math.nan
    np.testing.assert_equal(found.recall, expected_recall)
    np.testing.assert_equal(found.precision, expected_precision)
    np.testing.assert_equal(found.delay_mean, np.mean(delays) if delays else math.nan)
    np.testing.assert_equal(found.delay_median, np.median(delays) if delays else math.nan)
    assert found.false_alarms == false
    assert found.false_alarms_per_day == pytest.approx(10 * false / len(labels))
    assert found.false_alarms_per_1000 == pytest.approx(1000 * false / len(labels))


@settings(deadline=None)
@given(flag_pairs)
def test_the_f1_of_events_is_the_harmonic_mean_and_0_where_nothing_is_found(pairs):
    labels, flags = split(pairs)
    assume(labels.any())
    found = event_scores(labels, flags)
    if found.recall == 0:
        assert found.f1 == 0
    else:
        assert found.f1 == pytest.approx(1 / np.mean([1 / found.precision, 1 / found.recall]))


def test_without_a_labelled_event_only_the_false_alarms_count():
    found = event_scores([0, 0, 0, 0], [1, 0, 1, 0])
    assert found.false_alarms == 2
    assert found.precision == 0.0
    assert math.isnan(found.recall)
    assert math.isnan(found.f1)


def test_without_a_clock_there_is_no_rate_a_day():
    found = event_scores([0, 0, 0, 0], [1, 0, 1, 0])
    assert found.false_alarms_per_day is None
    assert found.false_alarms_per_1000 == 500.0


def test_a_day_with_two_false_alarms():
    labels = np.zeros(288 * 3, dtype=int)
    flags = labels.copy()
    flags[[10, 100, 300, 400, 700, 800]] = 1
    assert event_scores(labels, flags, points_per_day=288.0).false_alarms_per_day == pytest.approx(2.0)


def test_an_alarm_that_began_before_the_event_is_not_late():
    assert event_scores([0, 0, 1, 1], [0, 1, 1, 0]).delay_mean == 0.0


def test_an_alarm_that_ends_where_the_event_begins_does_not_touch_it():
    found = event_scores([0, 0, 1, 1], [1, 1, 0, 0])
    assert (found.recall, found.false_alarms) == (0.0, 1)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0.0, 1.0, 2.0, 3.0, math.nan, math.inf])),
        min_size=1,
        max_size=25,
    )
)
def test_the_best_point_adjusted_f1_is_the_best_of_all_thresholds(pairs):
    labels, scores = split(pairs)
    assume(labels.any())
    tried = [-1.0, 0.0, 1.0, 2.0, 3.0, math.inf]
    best = max(point_adjusted(labels, scores > threshold).f1 for threshold in tried)
    assert best_point_adjusted_f1(labels, scores) == pytest.approx(best)


def test_a_random_score_wins_under_point_adjustment():
    labels = np.zeros(20_000, dtype=int)
    for start in (5_000, 12_000):
        labels[start : start + 1_000] = 1
    scores = np.random.default_rng(0).random(len(labels))
    assert best_point_adjusted_f1(labels, scores) > 0.9


def test_without_a_labelled_event_the_best_point_adjusted_f1_is_undefined():
    assert math.isnan(best_point_adjusted_f1([0, 0], [1.0, 2.0]))


@pytest.mark.parametrize("metric", [point_adjusted, event_scores, best_point_adjusted_f1])
def test_lengths_must_agree(metric):
    with pytest.raises(InputError, match="There are 2 labels and 3"):
        metric([0, 1], [0, 1, 0])


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan])
def test_a_day_has_points(rate):
    with pytest.raises(InputError, match="points_per_day is"):
        event_scores([0, 1], [0, 1], rate)
