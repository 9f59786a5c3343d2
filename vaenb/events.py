"""From scores and a threshold to events: runs of flagged timestamps. NumPy only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vaenb.errors import InputError
from vaenb.records import Events

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Floats, Ints


def as_flags(values: ArrayLike, name: str = "flags") -> Bools:
    """0/1 values as booleans, shape (n_timestamps,); an `InputError` says which value is neither."""
    found = np.asarray(values)
    if found.ndim != 1:
        raise InputError(f"{name} has shape {found.shape}; expected one 0 or 1 a timestamp, (n_timestamps,).")
    if found.dtype == bool:
        return found
    wrong = np.flatnonzero(~((found == 0) | (found == 1)))
    if len(wrong):
        raise InputError(
            f"{name} holds {found[wrong[0]]!s} at position {wrong[0]}; "
            f"every value must be 0 (normal) or 1 (anomalous)."
        )
    return np.asarray(found == 1)


def as_scores(values: ArrayLike, name: str = "scores") -> Floats:
    """Scores as float64, shape (n_timestamps,), without a copy where they already are."""
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1:
        raise InputError(f"{name} has shape {found.shape}; expected one score a timestamp, (n_timestamps,).")
    return found


def same_length(labels: Bools, other: Bools | Floats, name: str) -> None:
    """Refuse labels and flags or scores that do not belong to the same timestamps."""
    if len(labels) != len(other):
        raise InputError(
            f"There are {len(labels)} labels and {len(other)} {name}; there must be one of each a timestamp."
        )


def runs(flags: ArrayLike) -> tuple[Ints, Ints]:
    """Where runs of 1s start and stop; ``stop`` is the first position after the run.

    Parameters
    ----------
    flags : array_like of bool or 0/1, shape (n_timestamps,)

    Returns
    -------
    start, stop : ndarray of int64, shape (n_runs,)

    Raises
    ------
    InputError
        If a flag is neither 0 nor 1.

    Examples
    --------
    >>> runs([0, 1, 1, 0, 1])
    (array([1, 4]), array([3, 5]))
    """
    on = as_flags(flags)
    if not len(on):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    edges = np.flatnonzero(on[1:] != on[:-1]) + 1
    if on[0]:
        edges = np.concatenate([[0], edges])
    if on[-1]:
        edges = np.concatenate([edges, [len(on)]])
    return edges[::2], edges[1::2]


def find_events(
    scores: ArrayLike,
    threshold: float,
    *,
    merge_gap: int = 0,
    min_length: int = 1,
    hysteresis: float | None = None,
    normal: ArrayLike | None = None,
) -> Events:
    """Join the timestamps whose score lies above the threshold into events.

    Three steps, in this order. (1) An event is a run of scores above the threshold; with
    `hysteresis`, a run of scores above the lower threshold in which at least one lies above the
    upper one. (2) Runs at most `merge_gap` points apart become one. (3) Runs shorter than
    `min_length` are dropped.

    Parameters
    ----------
    scores : array_like, shape (n_timestamps,)
        Higher = more anomalous. NaN never flags.
    threshold : float
        A score must lie above it; a score on it is not flagged.
    merge_gap : int
        Points.
    min_length : int
        Points.
    hysteresis : float, optional
        The lower threshold.
    normal : array_like or float, optional
        Scores of normal data (those of the calibration part, say) or their median, for the
        severity. Without it the median of all scores is used, which costs more than all the rest:
        pass the number where a threshold is being dragged.

    Returns
    -------
    Events
        ``severity`` is ``(score - threshold) / (threshold - median)``, NaN where the threshold does
        not lie above the median.

    Raises
    ------
    InputError
        If a setting makes no sense.

    Examples
    --------
    >>> events = find_events([0, 0, 5, 6, 0, 4, 0, 0], threshold=3, merge_gap=1)
    >>> events.start, events.stop, events.peak, events.severity
    (array([2]), array([6]), array([3]), array([1.]))
    """
    values = as_scores(scores)
    low = check_settings(threshold, merge_gap, min_length, hysteresis)
    start, stop = runs(values > low)
    if low < threshold:
        start, stop = _crossed(start, stop, runs(values > threshold)[0])
    start, stop = merge_runs(start, stop, merge_gap)
    long_enough = stop - start >= min_length
    start, stop = start[long_enough], stop[long_enough]
    score = run_maxima(values, start, stop)
    return Events(
        start=start,
        stop=stop,
        peak=_peaks(values, start, stop, score),
        score=score,
        severity=severity_above(score, threshold, values if normal is None else normal),
    )


def check_settings(
    threshold: float, merge_gap: int, min_length: int, hysteresis: float | None = None
) -> float:
    """Refuse settings that make no sense; the threshold at which a run begins and ends."""
    if np.isnan(threshold):
        raise InputError("threshold is NaN; it must be a number that scores can lie above.")
    if merge_gap < 0:
        raise InputError(f"merge_gap is {merge_gap}; it counts points and must be 0 or more.")
    if min_length < 1:
        raise InputError(f"min_length is {min_length}; it counts points and must be 1 or more.")
    if hysteresis is None:
        return threshold
    if not hysteresis <= threshold:
        raise InputError(
            f"hysteresis is {hysteresis:g} and threshold is {threshold:g}; "
            "hysteresis is the lower of the two thresholds."
        )
    return hysteresis


def _crossed(start: Ints, stop: Ints, above: Ints) -> tuple[Ints, Ints]:
    """The runs that hold at least one of the positions `above`, each of which lies in some run."""
    home = np.searchsorted(start, above, side="right") - 1
    first = np.ones(len(home), dtype=bool)
    first[1:] = home[1:] != home[:-1]
    return start[home[first]], stop[home[first]]


def run_maxima(values: Floats, start: Ints, stop: Ints) -> Floats:
    """The highest score in each run, shape (n_runs,); NaN counts for nothing."""
    if not len(start):
        return np.empty(0)
    ends = np.column_stack([start, stop]).ravel()
    # reduceat takes no end beyond the last position: there it reduces up to the end anyway.
    ends = ends[:-1] if ends[-1] == len(values) else ends
    return np.asarray(np.fmax.reduceat(values, ends)[::2])


def _peaks(values: Floats, start: Ints, stop: Ints, score: Floats) -> Ints:
    """The first position in each run whose score is the run's highest, shape (n_runs,)."""
    length = stop - start
    offset = np.cumsum(length) - length
    places = np.arange(length.sum()) + np.repeat(start - offset, length)
    top = np.flatnonzero(values[places] == np.repeat(score, length))
    return np.asarray(places[top[np.searchsorted(top, offset)]])


def merge_runs(start: Ints, stop: Ints, merge_gap: int) -> tuple[Ints, Ints]:
    """Runs at most `merge_gap` points apart become one."""
    if not merge_gap or len(start) < 2:
        return start, stop
    apart = start[1:] - stop[:-1] > merge_gap
    return start[np.concatenate([[True], apart])], stop[np.concatenate([apart, [True]])]


def severity_above(score: Floats, threshold: float, normal: ArrayLike) -> Floats:
    """How far above the threshold, in units of the threshold's height above the median normal score."""
    if not len(score):
        return np.empty(0)
    sample = np.asarray(normal, dtype=np.float64).ravel()
    sample = sample[~np.isnan(sample)]
    height = threshold - float(np.median(sample)) if len(sample) else np.nan
    if not (np.isfinite(height) and height > 0):
        return np.full(len(score), np.nan)
    return np.asarray((score - threshold) / height)
