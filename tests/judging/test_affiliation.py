"""Affiliation against recorded values of its authors' code and against numerical integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaenb.errors import InputError
from vaenb.judging.affiliation import affiliation

# (seed, n_timestamps): precision, recall by the authors' code, in the copy that TSB-AD 1.5 carries
# (pr_from_events over (0, n_timestamps)), on NumPy 2.4.6; inputs from `labels_and_flags`.
RECORDED = {
    (0, 50): (0.5336363636363637, 0.6799999999999999),
    (1, 100): (0.26421052631578945, 0.6084782608695652),
    (2, 300): (0.4670278198618218, 0.6869391045503748),
    (3, 500): (0.5256593572572299, 0.8602484189530684),
    (4, 1000): (0.5343521808536477, 0.7126353685871251),
    (5, 2000): (0.5169552848780526, 0.605756555972776),
}


def labels_and_flags(seed, n):
    """Labelled events and flagged runs, some at the ends, some shared by two zones."""
    rng = np.random.default_rng(seed)
    labels, flags = np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    for start in rng.integers(0, n, 1 + n // 80):
        labels[start : start + rng.integers(1, 20)] = 1
    for start in rng.integers(0, n, 1 + n // 50):
        flags[start : start + rng.integers(1, 30)] = 1
    return labels, flags


def intervals(flags):
    found = []
    for place, flag in enumerate(flags):
        if flag and found and found[-1][1] == place:
            found[-1][1] = place + 1
        elif flag:
            found.append([place, place + 1])
    return found


def distances(points, spans):
    """The distance of each point from the nearest of the spans."""
    each = [np.maximum(np.maximum(start - points, points - stop), 0.0) for start, stop in spans]
    return np.min(each, axis=0)


def inside(points, spans):
    return points[np.any([(points > start) & (points < stop) for start, stop in spans], axis=0)]


def integrated(labels, flags, n_cells=48):
    """The two probabilities by adding up small cells: no algebra, no closed form."""
    events, alarms, n = intervals(labels), intervals(flags), len(labels)
    grid = (np.arange(n * n_cells) + 0.5) / n_cells
    owner = np.argmin([distances(grid, [event]) for event in events], axis=0)
    precision, recall = [], []
    for number, event in enumerate(events):
        zone = grid[owner == number]
        flagged = inside(zone, alarms) if alarms else zone[:0]
        if not len(flagged):
            recall.append(0.0)
            continue
        thrown = np.sort(distances(zone, [event]))
        further = len(zone) - np.searchsorted(thrown, distances(flagged, [event]) - 1e-9)
        precision.append(np.mean(further / len(zone)))
        own = inside(zone, [event])
        gap = np.abs(own[:, None] - flagged[None, :]).min(axis=1)
        recall.append(np.mean([np.mean(np.abs(zone - y) >= d - 1e-9) for y, d in zip(own, gap, strict=True)]))
    return np.mean(precision) if precision else math.nan, np.mean(recall)


pairs = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=14).filter(
    lambda found: any(pair[0] for pair in found)
)


@pytest.mark.parametrize("case", RECORDED, ids=str)
def test_affiliation_equals_what_its_authors_compute(case):
    assert affiliation(*labels_and_flags(*case)) == pytest.approx(RECORDED[case], abs=1e-12)


@settings(deadline=None)
@given(pairs)
def test_affiliation_is_the_integral_of_its_definition(found):
    labels, flags = [pair[0] for pair in found], [pair[1] for pair in found]
    np.testing.assert_allclose(affiliation(labels, flags), integrated(labels, flags), atol=0.02)


@settings(deadline=None)
@given(pairs)
def test_time_may_run_backwards(found):
    labels, flags = [pair[0] for pair in found], [pair[1] for pair in found]
    np.testing.assert_allclose(affiliation(labels, flags), affiliation(labels[::-1], flags[::-1]), atol=1e-12)


@settings(deadline=None)
@given(pairs)
def test_flags_that_are_the_labels_are_perfect(found):
    labels = [pair[0] for pair in found]
    assert affiliation(labels, labels) == pytest.approx((1.0, 1.0))


def test_a_value_worked_out_by_hand():
    # One zone (0, 10), event (4, 6), flag (8, 9). A flag at a distance d of 2 to 3 leaves (4 - d) on
    # both sides: the mean of 2 (4 - d) / 10 is 0.3.
    labels, flags = np.zeros(10, dtype=int), np.zeros(10, dtype=int)
    labels[4:6] = flags[8] = 1
    precision, recall = affiliation(labels, flags)
    assert precision == pytest.approx(0.3)
    # A point y of the event is 8 - y away from the flag. X lies at least that far off y with the chance
    # (2y - 8) / 10 on the left, 0.2 on average, and (10 - 8) / 10 on the right.
    assert recall == pytest.approx(0.4)


def test_random_flags_reach_two_thirds():
    rng = np.random.default_rng(0)
    labels = np.zeros(20_000, dtype=int)
    for start in range(500, 20_000, 2_000):
        labels[start : start + 100] = 1
    precision, recall = affiliation(labels, rng.random(20_000) < 0.02)
    assert 0.45 < precision < 0.55
    assert recall > 0.9
    assert 0.6 < 2 * precision * recall / (precision + recall) < 0.72


def test_without_flags_there_is_no_precision_and_no_recall():
    precision, recall = affiliation([0, 1, 0], [0, 0, 0])
    assert math.isnan(precision)
    assert recall == 0.0


def test_without_labels_both_are_undefined():
    assert all(math.isnan(value) for value in affiliation([0, 0], [0, 1]))


@pytest.mark.parametrize(
    ("labels", "flags", "message"),
    [
        ([0, 1], [0, 1, 0], "There are 2 labels and 3 flags"),
        ([0, 1], [0, 3], "flags holds 3 at position 1"),
        ([0, 5], [0, 1], "labels holds 5 at position 1"),
    ],
)
def test_what_makes_no_sense_is_refused(labels, flags, message):
    with pytest.raises(InputError, match=message):
        affiliation(labels, flags)
