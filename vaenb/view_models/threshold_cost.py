"""The cheapest threshold, where one missed event costs as much as so many false alarms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaenb.view_models.event_finder import Spans
from vaenb.view_models.threshold_metrics import overlaps

if TYPE_CHECKING:
    from vaenb.records import Bools, Floats, Ints
    from vaenb.view_models.event_finder import EventFinder
    from vaenb.view_models.threshold_metrics import Judge

MOST_FLAGGED = 0.1  # of the points without a label: one alarm over everything would miss nothing
_CANDIDATES = 160


@dataclass(frozen=True, eq=False, kw_only=True)
class Costs:
    """What some thresholds miss and what they flag in vain, all of shape (n_thresholds,), ascending.

    Attributes
    ----------
    threshold : ndarray of float64
    missed : ndarray of int64
        Labelled events without an alarm.
    false_alarms : ndarray of int64
    """

    threshold: Floats
    missed: Ints
    false_alarms: Ints

    def of(self, missed_costs: float) -> Floats:
        """The cost of each threshold, in false alarms."""
        return np.asarray(missed_costs * self.missed + self.false_alarms, dtype=np.float64)

    def cheapest(self, missed_costs: float) -> int:
        """Which of them is cheapest; of equal neighbours the middle one, of equal stretches the highest."""
        costs = self.of(missed_costs)
        equal = np.flatnonzero(costs <= costs.min() * (1 + 1e-12))
        alone = np.flatnonzero(np.diff(equal) > 1)
        stretch = equal[alone[-1] + 1 if len(alone) else 0 :]
        middle = (self.threshold[stretch[0]] + self.threshold[stretch[-1]]) / 2
        return int(stretch[np.abs(self.threshold[stretch] - middle).argmin()])


def cost_curve(finder: EventFinder, judge: Judge, *, merge_gap: int, min_length: int) -> Costs:
    """Count missed events and false alarms at thresholds spread over the tail; without labels, all alarms.

    Thresholds that flag more than a tenth of the points without a label are left out: there, alarms run
    together until a single one covers everything, which misses nothing and is never false.

    Parameters
    ----------
    finder : EventFinder
    judge : Judge
    merge_gap, min_length : int
        As in `vaenb.find_events`.

    """
    if not len(judge.ascending):
        empty = np.zeros(1, dtype=np.int64)
        return Costs(threshold=np.zeros(1), missed=empty, false_alarms=empty)
    floor = _floor(finder.scores[judge.first :], judge.truth)
    thresholds = _candidates(judge, floor)
    places = np.flatnonzero(finder.flags(floor))
    scores, counted = finder.scores[places], []
    for threshold in thresholds.tolist():
        above = scores > threshold  # ever fewer of them: the thresholds rise
        places, scores = places[above], scores[above]
        counted.append(_count(places, judge, merge_gap, min_length))
    missed, false = np.array(counted, dtype=np.int64).T
    return Costs(threshold=thresholds, missed=missed, false_alarms=false)


def _floor(scores: Floats, truth: Bools | None) -> float:
    """The lowest threshold worth a look."""
    normal = scores if truth is None else scores[~truth]
    normal = normal[~np.isnan(normal)]
    if not len(normal):
        return float(np.nanmin(scores))
    rank = max(0, int(np.ceil((1 - MOST_FLAGGED) * len(normal))) - 1)
    return float(np.partition(normal, rank)[rank])


def _candidates(judge: Judge, floor: float) -> Floats:
    """Half-way between two scores: below the peak of each labelled event, and spread over the tail."""
    tail = judge.ascending[np.searchsorted(judge.ascending, floor, side="right") :]
    if not len(tail):
        return np.array([judge.ascending[-1]])
    spread = tail[(len(tail) - np.geomspace(1, len(tail), _CANDIDATES)).round().astype(np.int64)]
    peaks = judge.labelled_peaks[judge.labelled_peaks > floor]
    above = np.unique(np.concatenate([spread, peaks]))
    known = judge.ascending
    below = known[np.maximum(np.searchsorted(known, above, side="left") - 1, 0)]
    return np.unique(np.append(np.maximum(below + (above - below) / 2, floor), known[-1]))


def _count(places: Ints, judge: Judge, merge_gap: int, min_length: int) -> tuple[int, int]:
    """Missed events and false alarms, where the points at `places` of the whole series are flagged."""
    ends = np.flatnonzero(np.diff(places) > merge_gap + 1)
    start = places[np.concatenate([[0], ends + 1])] if len(places) else places
    stop = places[np.append(ends, len(places) - 1)] + 1 if len(places) else places
    long_enough = stop - start >= min_length
    alarms = Spans(start[long_enough], stop[long_enough]).cut(judge.first, judge.stop)
    found, true = overlaps(*judge.labelled, *alarms)
    return len(judge.labelled[0]) - found, len(alarms) - true
