"""Every fast path of the threshold explorer against the plain functions that say the same slowly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import vaenb
from vaenb.errors import InputError
from vaenb.events import run_maxima, runs
from vaenb.judging.event_metrics import event_scores
from vaenb.judging.metrics import point_scores
from vaenb.view_models.event_finder import EventFinder, Spans, flag_runs
from vaenb.view_models.threshold_cost import MOST_FLAGGED, Costs, cost_curve
from vaenb.view_models.threshold_metrics import CURVE_POINTS, Judge, overlaps

FEW = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, np.nan, -1.0])
ANY = st.floats(-1e6, 1e6) | st.just(np.nan)
SCORES = hnp.arrays(np.float64, st.integers(1, 60), elements=FEW) | hnp.arrays(
    np.float64, st.integers(1, 60), elements=ANY
)
THRESHOLDS = FEW.filter(lambda t: t == t) | st.floats(-1e6, 1e6) | st.sampled_from([-np.inf, np.inf])
FIELDS = ("start", "stop", "peak", "score", "severity")


def alike(one, other):
    """All metrics of `one` as `other` has them, NaN where NaN."""
    for name, value in other.items():
        assert one[name] == pytest.approx(value, nan_ok=True), name


@given(SCORES, THRESHOLDS, st.integers(0, 6), st.integers(1, 5), st.floats(-2, 2))
def test_events_are_those_of_find_events(scores, threshold, merge_gap, min_length, normal):
    told = {"merge_gap": merge_gap, "min_length": min_length}
    fast = EventFinder(scores, normal=normal).find(threshold, **told)
    slow = vaenb.find_events(scores, threshold, **told, normal=normal)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)
        assert getattr(fast, name).dtype == getattr(slow, name).dtype


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("smooth", [1, 3, 30])
def test_events_of_long_noise_are_those_of_find_events(share, smooth):
    rng = np.random.default_rng(smooth)
    scores = np.convolve(rng.exponential(size=20_000), np.ones(smooth) / smooth, "same").round(3)
    scores[rng.integers(0, 20_000, 40)] = np.nan
    threshold = float(np.nanquantile(scores, 1 - share))
    for merge_gap, min_length in ((0, 1), (4, 1), (0, 3), (7, 12)):
        told = {"merge_gap": merge_gap, "min_length": min_length}
        fast = EventFinder(scores, normal=0.1).find(threshold, **told)
        slow = vaenb.find_events(scores, threshold, **told, normal=0.1)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(fast, name), getattr(slow, name), err_msg=name)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"threshold": np.nan}, "threshold is NaN"),
        ({"threshold": 1.0, "merge_gap": -1}, "merge_gap is -1"),
        ({"threshold": 1.0, "min_length": 0}, "min_length is 0"),
    ],
)
def test_settings_without_sense_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        EventFinder([1.0, 2.0], normal=0.0).find(**settings)


@given(hnp.arrays(bool, st.integers(0, 40)))
def test_flag_runs_are_runs(flags):
    for fast, slow in zip(flag_runs(flags), runs(flags), strict=True):
        np.testing.assert_array_equal(fast, slow)


@given(hnp.arrays(bool, st.integers(1, 40)), st.data())
def test_cut_is_what_lies_inside(flags, data):
    first = data.draw(st.integers(0, len(flags) - 1))
    stop = data.draw(st.integers(first + 1, len(flags)))
    kept = Spans(*runs(flags)).cut(first, stop)
    inside = np.zeros(len(flags), dtype=bool)
    inside[first:stop] = flags[first:stop]
    np.testing.assert_array_equal(kept.start, runs(inside)[0])
    np.testing.assert_array_equal(kept.stop, runs(inside)[1])


# ---------------------------------------------------------------------- metrics


@st.composite
def judged(draw):
    """Scores, labels, where the judged part begins, a threshold and how events are joined."""
    scores = draw(SCORES)
    labels = draw(hnp.arrays(bool, len(scores)))
    first = draw(st.integers(0, len(scores) - 1))
    return scores, labels, first, draw(THRESHOLDS), draw(st.integers(0, 4)), draw(st.integers(1, 3))


@given(judged(), st.sampled_from([None, 1.0, 48.0, 1440.0]))
def test_metrics_are_those_of_the_judges(case, points_per_day):
    scores, labels, first, threshold, merge_gap, min_length = case
    finder = EventFinder(scores, normal=0.0)
    spans = finder.spans(threshold, merge_gap=merge_gap, min_length=min_length)
    found = Judge(scores, labels=labels, first=first, points_per_day=points_per_day).metrics(threshold, spans)
    events = vaenb.find_events(scores, threshold, merge_gap=merge_gap, min_length=min_length)
    flags = events.flags(len(scores))[first:]
    point = point_scores(labels[first:], scores[first:] > threshold)
    event = event_scores(labels[first:], flags, points_per_day)
    a_day = np.nan if points_per_day is None else event.false_alarms_per_day
    alike(found, point._asdict())
    alike(
        found,
        {
            "event_recall": event.recall,
            "event_precision": event.precision,
            "event_f1": event.f1,
            "false_alarms": event.false_alarms,
            "false_alarms_per_day": a_day,
            "false_alarms_per_1000": event.false_alarms_per_1000,
            "flagged": (scores[first:] > threshold).sum(),
            "flagged_share": (scores[first:] > threshold).mean(),
            "alarms": len(runs(flags)[0]),
            "alarms_per_1000": 1000 * len(runs(flags)[0]) / len(flags),
            "labelled_events": len(runs(labels[first:])[0]),
        },
    )
    assert found["found"] + found["missed"] == found["labelled_events"]


@given(hnp.arrays(bool, 30), hnp.arrays(bool, 30))
def test_overlaps_count_both_ways(labels, flags):
    start, stop = runs(labels)
    alarm_start, alarm_stop = runs(flags)
    found = sum(flags[a:b].any() for a, b in zip(start, stop, strict=True))
    true = sum(labels[a:b].any() for a, b in zip(alarm_start, alarm_stop, strict=True))
    assert overlaps(start, stop, alarm_start, alarm_stop) == (found, true)


def test_without_labels_only_alarms_are_told():
    judge = Judge(np.arange(10.0), labels=None, first=0, points_per_day=None)
    told = judge.metrics(7.0, Spans(np.array([8]), np.array([10])))
    assert set(told) == {"flagged", "flagged_share", "alarms", "alarms_per_day", "alarms_per_1000"}
    assert np.isnan(told["alarms_per_day"])
    assert judge.curve is None
    assert not len(judge.labelled[0])


@given(hnp.arrays(np.float64, 50, elements=FEW), hnp.arrays(bool, 50))
def test_the_curve_passes_through_precision_and_recall(scores, labels):
    judge = Judge(scores, labels=labels, first=0, points_per_day=None)
    curve = judge.curve
    if not (labels & ~np.isnan(scores)).any():
        assert curve is None
        return
    assert (np.diff(curve.recall) > 0).all()
    for recall, precision, threshold in zip(curve.recall, curve.precision, curve.threshold, strict=True):
        plain = point_scores(labels, scores > threshold)
        assert (recall, precision) == pytest.approx((plain.recall, plain.precision))
    reached = (scores[labels & ~np.isnan(scores)].min() <= scores[labels]).sum() / labels.sum()
    assert curve.recall[-1] == pytest.approx(reached)


def test_a_long_curve_is_thinned():
    rng = np.random.default_rng(0)
    labels = rng.random(20_000) < 0.3
    judge = Judge(rng.normal(size=20_000) + labels, labels=labels, first=0, points_per_day=None)
    assert 100 < len(judge.curve.recall) <= CURVE_POINTS
    assert judge.curve.recall[-1] == 1


def test_labelled_peaks_find_their_events():
    scores = np.array([0.0, 3.0, 1.0, 0.0, 2.0, 0.0])
    labels = np.array([0, 1, 1, 0, 1, 1], dtype=bool)
    judge = Judge(scores, labels=labels, first=1, points_per_day=None)
    np.testing.assert_array_equal(judge.labelled_peaks, run_maxima(scores, *judge.labelled))


# ---------------------------------------------------------------------- costs


def naive_costs(scores, labels, first, threshold, merge_gap, min_length):
    events = vaenb.find_events(scores, threshold, merge_gap=merge_gap, min_length=min_length)
    told = event_scores(labels[first:], events.flags(len(scores))[first:])
    n_events = len(runs(labels[first:])[0])
    found = 0 if n_events == 0 else round(told.recall * n_events)
    return n_events - found, told.false_alarms


@given(judged())
def test_missed_events_and_false_alarms_at_every_candidate(case):
    scores, labels, first, _, merge_gap, min_length = case
    judge = Judge(scores, labels=labels, first=first, points_per_day=None)
    costs = cost_curve(EventFinder(scores, normal=0.0), judge, merge_gap=merge_gap, min_length=min_length)
    if not len(judge.ascending):
        assert costs.threshold.tolist() == [0]
        return
    assert (np.diff(costs.threshold) > 0).all()
    for threshold, missed, false in zip(costs.threshold, costs.missed, costs.false_alarms, strict=True):
        assert (missed, false) == naive_costs(scores, labels, first, threshold, merge_gap, min_length)
        normal = scores[first:][~labels[first:]]
        normal = normal[~np.isnan(normal)]
        assert not len(normal) or (normal > threshold).sum() <= MOST_FLAGGED * len(normal) + 1e-9


@pytest.mark.parametrize("price", [0.5, 1.0, 7.0, 100.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_cheapest_is_cheapest_of_all_thresholds_worth_a_look(price, seed):
    rng = np.random.default_rng(seed)
    scores = rng.exponential(size=300).round(2)
    labels = np.zeros(300, dtype=bool)
    for place in (30, 120, 200, 260):
        labels[place : place + 8] = True
        scores[place + rng.integers(0, 8)] += rng.exponential() * 3
    judge = Judge(scores, labels=labels, first=0, points_per_day=None)
    costs = cost_curve(EventFinder(scores, normal=0.0), judge, merge_gap=2, min_length=1)
    best = costs.cheapest(price)
    floor = np.sort(scores[~labels])[int(np.ceil(0.9 * (~labels).sum())) - 1]
    every = np.unique(scores[scores >= floor])
    cheapest = min(price * m + f for m, f in (naive_costs(scores, labels, 0, t, 2, 1) for t in every))
    assert costs.of(price)[best] == pytest.approx(cheapest)


def test_of_equally_cheap_thresholds_the_one_with_most_room_is_taken():
    zeros = np.zeros(5, dtype=np.int64)
    costs = Costs(
        threshold=np.array([1.0, 9.0, 9.5, 10.0, 11.0]), missed=zeros, false_alarms=np.array([0, 1, 1, 1, 2])
    )
    assert costs.cheapest(1.0) == 0
    costs = Costs(threshold=np.array([1.0, 4.0, 6.5, 9.9, 10.0]), missed=zeros, false_alarms=zeros)
    assert costs.cheapest(1.0) == 2


def test_without_labels_costs_are_alarms():
    scores = np.random.default_rng(0).exponential(size=500)
    judge = Judge(scores, labels=None, first=100, points_per_day=None)
    costs = cost_curve(EventFinder(scores, normal=0.0), judge, merge_gap=0, min_length=1)
    assert not costs.missed.any()
    for threshold, alarms in zip(costs.threshold, costs.false_alarms, strict=True):
        assert alarms == len(runs(scores[100:] > threshold)[0])
