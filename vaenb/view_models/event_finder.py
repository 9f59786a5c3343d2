"""Events at any threshold, within milliseconds: what can be known beforehand is sorted beforehand."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vaenb.events import as_scores, check_settings, merge_runs, severity_above
from vaenb.records import Events

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from vaenb.records import Bools, Ints

    Ranks = NDArray[np.int32]

_SHORT = 5  # runs of this length on average are short: see `_run_maxima`


class Spans(NamedTuple):
    """Where events start and stop, in time order; ``stop`` is the first position after the event."""

    start: Ints
    stop: Ints

    def __len__(self) -> int:
        return len(self.start)

    def cut(self, first: int, stop: int) -> Spans:
        """What of them lies within the positions `first` to `stop` - 1."""
        low = int(np.searchsorted(self.stop, first, side="right"))
        high = max(low, int(np.searchsorted(self.start, stop, side="left")))
        begins, ends = self.start[low:high], self.stop[low:high]
        # Only the outermost can reach beyond: the others need no copy.
        if high > low and begins[0] < first:
            begins = np.append(first, begins[1:])
        if high > low and ends[-1] > stop:
            ends = np.append(ends[:-1], stop)
        return Spans(begins, ends)


class EventFinder:
    """`vaenb.find_events` for one series of scores and many thresholds.

    Where the peaks of events are asked for, every score is replaced by its rank, once, in O(n log n): the
    peak of an event is its highest rank (of equal scores the first has the highest).

    Parameters
    ----------
    scores : array_like, shape (n_timestamps,)
        Higher = more anomalous. NaN never flags.
    normal : float
        The median score of normal data, for the severity.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_timestamps,)

    Raises
    ------
    InputError
        If the scores are not one a timestamp.

    Examples
    --------
    >>> finder = EventFinder([0, 0, 5, 6, 0, 4, 0, 0], normal=0.0)
    >>> finder.find(3, merge_gap=1).peak
    array([3])
    """

    def __init__(self, scores: ArrayLike, *, normal: float) -> None:
        self.scores, self.normal = as_scores(scores), normal

    def __len__(self) -> int:
        return len(self.scores)

    @cached_property
    def _ranks(self) -> tuple[Ranks, Ranks]:
        """The rank of each score, from the lowest (and missing ones) up, and the position of each rank."""
        known = np.where(np.isnan(self.scores), -np.inf, self.scores)
        n = len(known)
        order = (n - 1 - np.argsort(known[::-1], kind="stable")).astype(np.int32)
        rank = np.empty(n, dtype=np.int32)
        rank[order] = np.arange(n, dtype=np.int32)
        return rank, order

    def flags(self, threshold: float, first: int = 0, stop: int | None = None) -> Bools:
        """Whether each score from `first` to before `stop` lies above the threshold."""
        return np.asarray(self.scores[first:stop] > threshold)

    def spans(self, threshold: float, *, merge_gap: int = 0, min_length: int = 1) -> Spans:
        """Where the events of a threshold start and stop; the settings are those of `vaenb.find_events`.

        Raises
        ------
        InputError
            If a setting makes no sense.
        """
        check_settings(threshold, merge_gap, min_length)
        start, stop = merge_runs(*flag_runs(self.flags(threshold)), merge_gap)
        if min_length > 1:
            long_enough = stop - start >= min_length
            start, stop = start[long_enough], stop[long_enough]
        return Spans(start, stop)

    def find(self, threshold: float, *, merge_gap: int = 0, min_length: int = 1) -> Events:
        """The events of a threshold: what `vaenb.find_events` finds with ``normal=`` the median.

        Raises
        ------
        InputError
            If a setting makes no sense.
        """
        return self.events(self.spans(threshold, merge_gap=merge_gap, min_length=min_length), threshold)

    def events(self, spans: Spans, threshold: float) -> Events:
        """Peaks, scores and severities of what `spans` found at the same threshold."""
        rank, order = self._ranks
        peak = order[_run_maxima(rank, *spans)].astype(np.int64)
        score = self.scores[peak]
        return Events(
            start=spans.start,
            stop=spans.stop,
            peak=peak,
            score=score,
            severity=severity_above(score, threshold, self.normal),
        )


def flag_runs(flags: Bools) -> tuple[Ints, Ints]:
    """`vaenb.events.runs` of an array that is known to be boolean and not to be copied."""
    if not len(flags):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    edges = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    ends = [[0]] * bool(flags[0]), [[len(flags)]] * bool(flags[-1])
    if ends[0] or ends[1]:
        edges = np.concatenate([*ends[0], edges, *ends[1]])
    return edges[::2], edges[1::2]


def _run_maxima(ranks: Ranks, start: Ints, stop: Ints) -> Ranks:
    """The highest rank in each run, shape (n_runs,).

    Many short runs are what low thresholds make of noise. `reduceat` pays for each of them, so two
    overlapping windows cover a run instead: of 1, of 2, then of 4 positions; longer ones are reduced.
    """
    length = stop - start
    if length.sum() >= _SHORT * len(start):
        return _reduced(ranks, start, stop)
    highest = np.maximum(ranks[start], ranks[np.minimum(start + 1, stop - 1)])
    windows, size, left = ranks, 1, np.flatnonzero(length > 2)
    while size < 4:
        windows = np.maximum(windows[:-size], windows[size:])
        size *= 2
        begin, end = start[left], stop[left]
        highest[left] = np.maximum(windows[begin], windows[np.minimum(begin + size, end - size)])
        left = left[end - begin > 2 * size]
    highest[left] = _reduced(ranks, start[left], stop[left])
    return highest


def _reduced(ranks: Ranks, start: Ints, stop: Ints) -> Ranks:
    if not len(start):
        return np.empty(0, dtype=np.int32)
    ends = np.column_stack([start, stop]).ravel()
    # reduceat takes no end beyond the last position: there it reduces up to the end anyway.
    ends = ends[:-1] if ends[-1] == len(ranks) else ends
    return np.asarray(np.maximum.reduceat(ranks, ends)[::2])
