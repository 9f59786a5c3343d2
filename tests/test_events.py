"""Events against a slow reference that walks from point to point."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb.errors import InputError
from vaenb.events import as_flags, as_scores, find_events, runs
from vaenb.records import Scores

score = st.sampled_from([0.0, 1.0, 2.0, 3.0, 4.0, math.nan, math.inf, -math.inf])


def naive_runs(flags):
    found, inside = [], False
    for place, flag in enumerate([*flags, 0]):
        if flag and not inside:
            found.append([place, None])
        if not flag and inside:
            found[-1][1] = place
        inside = bool(flag)
    return found


def naive_events(scores, threshold, merge_gap, min_length, hysteresis):
    low = threshold if hysteresis is None else hysteresis
    found = []
    for start, stop in naive_runs([value > low for value in scores]):
        if not any(value > threshold for value in scores[start:stop]):
            continue
        if found and start - found[-1][1] <= merge_gap:
            found[-1][1] = stop
        else:
            found.append([start, stop])
    found = [event for event in found if event[1] - event[0] >= min_length]
    peaks = []
    for start, stop in found:
        known = [place for place in range(start, stop) if not math.isnan(scores[place])]
        peaks.append(max(known, key=lambda place: (scores[place], -place)))
    return found, peaks


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=30))
def test_runs_are_those_of_a_walk(flags):
    start, stop = runs(np.array(flags, dtype=bool))
    assert list(zip(start, stop, strict=True)) == [tuple(run) for run in naive_runs(flags)]
    assert start.dtype == stop.dtype == np.int64


@settings(max_examples=400, deadline=None)
@given(
    scores=st.lists(score, max_size=25),
    threshold=st.sampled_from([0.5, 1.0, 2.0, 2.5]),
    merge_gap=st.integers(0, 4),
    min_length=st.integers(1, 4),
    hysteresis=st.sampled_from([None, -1.0, 0.0, 0.5]),
)
def test_events_are_those_of_a_walk(scores, threshold, merge_gap, min_length, hysteresis):
    events = find_events(
        np.array(scores, dtype=float),
        threshold,
        merge_gap=merge_gap,
        min_length=min_length,
        hysteresis=hysteresis,
        normal=0.0,
    )
    found, peaks = naive_events(scores, threshold, merge_gap, min_length, hysteresis)
    assert list(zip(events.start, events.stop, strict=True)) == [tuple(event) for event in found]
    assert events.peak.tolist() == peaks
    assert events.score.tolist() == [scores[place] for place in peaks]
    np.testing.assert_allclose(events.severity, (events.score - threshold) / threshold)


def test_a_score_on_the_threshold_is_not_flagged():
    assert len(find_events([1.0, 1.0], 1.0)) == 0
    assert len(find_events([1.0, 1.0], np.nextafter(1.0, 0))) == 1


def test_hysteresis_extends_a_run_and_makes_none():
    scores = [0, 2, 2, 0, 2, 5, 2, 0]
    assert find_events(scores, 4).flags(8).tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert find_events(scores, 4, hysteresis=1).flags(8).tolist() == [0, 0, 0, 0, 1, 1, 1, 0]


def test_short_runs_are_merged_before_they_are_dropped():
    scores = [5, 0, 5, 0, 0, 0, 5]
    events = find_events(scores, 1, merge_gap=1, min_length=3)
    assert (events.start.tolist(), events.stop.tolist()) == ([0], [3])


def test_severity_counts_heights_of_the_threshold_above_the_median_normal_score():
    scores = [1.0] * 10 + [3.0, 5.0]
    assert find_events(scores, 2.0).severity.tolist() == [3.0]
    assert find_events(scores, 2.0, normal=0.0).severity.tolist() == [1.5]
    assert find_events(scores, 2.0, normal=[np.nan, 0.0, 0.0, 9.0]).severity.tolist() == [1.5]


@pytest.mark.parametrize("normal", [2.0, 3.0, [np.nan], []])
def test_severity_is_nan_where_the_threshold_is_not_above_normal(normal):
    assert np.isnan(find_events([5.0], 2.0, normal=normal).severity).all()


def test_scores_may_be_the_record():
    values = np.array([0.0, 9.0, 0.0])
    record = Scores(
        values=values,
        method="elbo",
        window_size=1,
        window_values=values,
        window_starts=np.arange(3),
    )
    assert find_events(record, 1.0).peak.tolist() == [1]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"threshold": math.nan}, "threshold is NaN"),
        ({"merge_gap": -1}, "merge_gap is -1; it counts points"),
        ({"min_length": 0}, "min_length is 0; it counts points"),
        ({"hysteresis": 3.0}, "hysteresis is 3 and threshold is 1"),
        ({"hysteresis": math.nan}, "hysteresis is nan"),
        ({"scores": [[1.0]]}, r"scores has shape \(1, 1\)"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(setting, message):
    with pytest.raises(InputError, match=message):
        find_events(**({"scores": [1.0], "threshold": 1.0} | setting))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([0, 1, 2], "labels holds 2 at position 2"),
        ([0, np.nan], "labels holds nan at position 1"),
        (["yes"], "labels holds yes at position 0"),
        ([[0, 1]], r"labels has shape \(1, 2\)"),
    ],
)
def test_a_label_that_is_neither_0_nor_1_is_named(flags, message):
    with pytest.raises(InputError, match=message):
        as_flags(flags, "labels")


@pytest.mark.parametrize("flags", [[0, 1], [0.0, 1.0], [False, True], np.array([0, 1], dtype=np.int8)])
def test_labels_come_in_any_type(flags):
    assert as_flags(flags).tolist() == [False, True]


def test_scores_are_not_copied_where_they_need_not_be():
    values = np.zeros(3)
    assert as_scores(values) is values
