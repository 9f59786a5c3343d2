"""Metrics that count events: event-wise precision and recall, delay, false alarms; point-adjusted F1.

As among the other metrics, one that has nothing to measure is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaenb.errors import InputError
from vaenb.events import as_flags, as_scores, run_maxima, runs, same_length
from vaenb.judging.metrics import PointScores, precision_recall_f1

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Ints

_NAN = float("nan")


class EventScores(NamedTuple):
    """What a person on call would notice; see `event_scores`."""

    recall: float
    precision: float
    f1: float
    false_alarms: int
    false_alarms_per_day: float | None
    false_alarms_per_1000: float
    delay_mean: float
    delay_median: float


def event_scores(labels: ArrayLike, flags: ArrayLike, points_per_day: float | None = None) -> EventScores:
    """Count events, not timestamps: what was found, how late, and how many alarms were false.

    A labelled event is detected where at least one of its timestamps is flagged. An alarm is a run of
    flags; it is true where it touches at least one labelled timestamp.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    flags : array_like of 0/1, shape (n_timestamps,)
    points_per_day : float, optional
        Timestamps in a day; without it there is no rate of false alarms a day.

    Returns
    -------
    EventScores
        ``recall``: detected events / labelled events, NaN without a labelled event.
        ``precision``: true alarms / alarms, NaN without an alarm.
        ``f1``: their harmonic mean, 0 without an alarm, NaN without a labelled event.
        ``false_alarms``: alarms that touch no labelled event.
        ``false_alarms_per_day``, ``false_alarms_per_1000``: per day and per 1,000 timestamps of the whole
        series; the first is None without `points_per_day`.
        ``delay_mean``, ``delay_median``: points from an event's start to its first flag, over the detected
        events; NaN where none is.

    Raises
    ------
    InputError
        If the lengths differ, a value is neither 0 nor 1, or `points_per_day` is not above 0.

    Warnings
    --------
    One alarm over the whole series detects every event and is never false. Read it beside the precision
    by point.

    Examples
    --------
    >>> event_scores([0, 1, 1, 1, 0, 0, 1, 1], [0, 0, 1, 0, 0, 1, 0, 0])[:4]
    (0.5, 0.5, 0.5, 1)
    """
    truth, flagged = as_flags(labels, "labels"), as_flags(flags)
    same_length(truth, flagged, "flags")
    if points_per_day is not None and not points_per_day > 0:
        raise InputError(
            f"points_per_day is {points_per_day:g}; it must be above 0, or None without a clock."
        )
    start, stop = runs(truth)
    alarm_start, alarm_stop = runs(flagged)
    delay = _delays(start, stop, alarm_start, alarm_stop)
    false = int((_flags_between(truth, alarm_start, alarm_stop) == 0).sum())
    recall = len(delay) / len(start) if len(start) else _NAN
    precision = 1 - false / len(alarm_start) if len(alarm_start) else _NAN
    rate = false / len(truth) if len(truth) else _NAN
    return EventScores(
        recall=recall,
        precision=precision,
        f1=_harmonic(precision, recall),
        false_alarms=false,
        false_alarms_per_day=None if points_per_day is None else rate * points_per_day,
        false_alarms_per_1000=rate * 1000,
        delay_mean=float(delay.mean()) if len(delay) else _NAN,
        delay_median=float(np.median(delay)) if len(delay) else _NAN,
    )


def point_adjusted(labels: ArrayLike, flags: ArrayLike) -> PointScores:
    """Precision, recall and F1 after every labelled event with a single flag in it was flagged in full.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    flags : array_like of 0/1, shape (n_timestamps,)

    Returns
    -------
    precision, recall, f1 : float
        NaN as in `point_scores`.

    Raises
    ------
    InputError
        If the lengths differ, or a value is neither 0 nor 1.

    Warnings
    --------
    A random score wins under this metric: one lucky flag pays for a whole event, so that on long events it
    reaches an F1 of 0.9 and more. It is here because many papers quote it. Do not choose
    a model, a threshold or a setting by it.

    References
    ----------
    Its origin: Xu et al. (2018), Unsupervised Anomaly Detection via Variational Auto-Encoder, WWW.
    What is wrong with it: Kim et al. (2022), Towards a Rigorous Evaluation of Time-Series Anomaly
    Detection, AAAI.

    Examples
    --------
    >>> point_adjusted([0, 1, 1, 1, 1, 0], [0, 0, 0, 1, 0, 0])
    PointScores(precision=1.0, recall=1.0, f1=1.0)
    """
    truth, flagged = as_flags(labels, "labels"), as_flags(flags)
    same_length(truth, flagged, "flags")
    start, stop = runs(truth)
    found = _flags_between(flagged, start, stop) > 0
    hits = int((stop - start)[found].sum())
    false = int((flagged & ~truth).sum())
    return precision_recall_f1(hits, hits + false, int(truth.sum()))


def best_point_adjusted_f1(labels: ArrayLike, scores: ArrayLike) -> float:
    """The highest point-adjusted F1 over all thresholds, to show what a random score gets.

    Parameters
    ----------
    labels : array_like of 0/1, shape (n_timestamps,)
    scores : array_like, shape (n_timestamps,)
        Higher = more anomalous. NaN never flags.

    Returns
    -------
    float
        NaN where no label is 1.

    Raises
    ------
    InputError
        If the lengths differ, or a label is neither 0 nor 1.

    Warnings
    --------
    See `point_adjusted`: not a measure of quality.

    Examples
    --------
    >>> best_point_adjusted_f1([0, 1, 1, 1, 1, 0], [3, 0, 0, 4, 0, 1])
    1.0
    """
    truth, values = as_flags(labels, "labels"), as_scores(scores)
    same_length(truth, values, "scores")
    start, stop = runs(truth)
    if not len(start):
        return _NAN
    # Between the peaks of two events a lower threshold adds false alarms alone: only peaks are tried.
    peak = run_maxima(values, start, stop)
    order = np.argsort(-peak, kind="stable")
    order = order[~np.isnan(peak[order])]
    hits = (stop - start)[order].cumsum()
    normal = values[~truth & ~np.isnan(values)]
    normal.sort()
    false = len(normal) - np.searchsorted(normal, peak[order])
    return float((2 * hits / (hits + false + truth.sum())).max(initial=0.0))


def _flags_between(flags: Bools, start: Ints, stop: Ints) -> Ints:
    """How many flags lie in each run, shape (n_runs,)."""
    before = np.concatenate([[0], np.cumsum(flags)])
    return np.asarray(before[stop] - before[start])


def _delays(start: Ints, stop: Ints, alarm_start: Ints, alarm_stop: Ints) -> Ints:
    """Points from the start of each detected event to its first flag, shape (n_detected,)."""
    if not len(alarm_start):
        return np.empty(0, dtype=np.int64)
    # The first alarm that ends after the event begins is the only one that can be its first.
    nearest = np.searchsorted(alarm_stop, start, side="right")
    known = nearest < len(alarm_start)
    first = np.maximum(alarm_start[nearest[known]], start[known])
    return np.asarray((first - start[known])[first < stop[known]])


def _harmonic(precision: float, recall: float) -> float:
    """The harmonic mean; 0 where nothing was found, NaN where there was nothing to find."""
    if np.isnan(recall) or recall == 0:
        return recall
    return 2 * precision * recall / (precision + recall)
