"""What a threshold is worth: alarms, and against labels precision, recall, missed events and their cost.

Counting is done on sorted scores, once; a threshold then costs a few binary searches.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vaenb.events import run_maxima, runs
from vaenb.judging.metrics import precision_recall_f1

if TYPE_CHECKING:
    from vaenb.records import Bools, Floats, Ints
    from vaenb.view_models.event_finder import Spans

CURVE_POINTS = 200
_NAN = float("nan")


@dataclass(frozen=True, eq=False, kw_only=True)
class Curve:
    """Precision and recall at up to `CURVE_POINTS` thresholds, all of shape (n_points,); recall rises."""

    recall: Floats
    precision: Floats
    threshold: Floats


class Judge:
    """Metrics of a stretch of scores at any threshold.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_timestamps,)
        All of them; NaN never flags.
    labels : ndarray of bool, shape (n_timestamps,), or None
    first : int
        Where the judged stretch begins; it runs to the end.
    points_per_day : float or None
        Without it there are no rates a day.
    """

    def __init__(
        self, scores: Floats, *, labels: Bools | None, first: int, points_per_day: float | None
    ) -> None:
        self.first, self.stop = first, len(scores)
        self.points_per_day = points_per_day
        part = scores[first:]
        known = ~np.isnan(part)
        self.ascending = np.sort(part[known])
        self.truth = None if labels is None else labels[first:]
        self._scores = part
        self._known = known

    def __len__(self) -> int:
        return self.stop - self.first

    @cached_property
    def positive(self) -> Floats:
        """The known scores of labelled points, sorted."""
        return np.empty(0) if self.truth is None else np.sort(self._scores[self.truth & self._known])

    @cached_property
    def labelled(self) -> tuple[Ints, Ints]:
        """Where labelled events start and stop, counted from the start of the whole series."""
        if self.truth is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        start, stop = runs(self.truth)
        return start + self.first, stop + self.first

    @cached_property
    def labelled_peaks(self) -> Floats:
        """The highest score in each labelled event: a threshold below it finds the event."""
        start, stop = self.labelled
        return run_maxima(self._scores, start - self.first, stop - self.first)

    def flagged(self, threshold: float) -> int:
        """How many points lie above a threshold."""
        return len(self.ascending) - int(np.searchsorted(self.ascending, threshold, side="right"))

    def metrics(self, threshold: float, spans: Spans) -> dict[str, float]:
        """All that the panel tells about a threshold; see `ThresholdView.metrics`.

        Parameters
        ----------
        threshold : float
        spans : Spans
            Its events, in the whole series.
        """
        start, stop = spans.cut(self.first, self.stop)
        flagged = self.flagged(threshold)
        told = {
            "flagged": float(flagged),
            "flagged_share": flagged / len(self) if len(self) else _NAN,
            "alarms": float(len(start)),
            "alarms_per_day": self._a_day(len(start)),
            "alarms_per_1000": self._per_1000(len(start)),
        }
        if self.truth is None:
            return told
        return told | self._of_points(threshold, flagged) | self._of_events(start, stop)

    def _a_day(self, count: int) -> float:
        known = self.points_per_day is not None and len(self) > 0
        return count / len(self) * self.points_per_day if known and self.points_per_day else _NAN

    def _per_1000(self, count: int) -> float:
        return 1000 * count / len(self) if len(self) else _NAN

    def _of_points(self, threshold: float, flagged: int) -> dict[str, float]:
        hits = len(self.positive) - int(np.searchsorted(self.positive, threshold, side="right"))
        return precision_recall_f1(hits, flagged, self.n_labelled)._asdict()

    @cached_property
    def n_labelled(self) -> int:
        """How many points are labelled."""
        return 0 if self.truth is None else int(self.truth.sum())

    def _of_events(self, start: Ints, stop: Ints) -> dict[str, float]:
        found, true = overlaps(*self.labelled, start, stop)
        missed, false = len(self.labelled[0]) - found, len(start) - true
        recall = found / len(self.labelled[0]) if len(self.labelled[0]) else _NAN
        precision = true / len(start) if len(start) else _NAN
        return {
            "event_recall": recall,
            "event_precision": precision,
            "event_f1": recall if not recall > 0 else 2 * precision * recall / (precision + recall),
            "labelled_events": float(len(self.labelled[0])),
            "found": float(found),
            "missed": float(missed),
            "false_alarms": float(false),
            "false_alarms_per_day": self._a_day(false),
            "false_alarms_per_1000": self._per_1000(false),
        }

    @cached_property
    def curve(self) -> Curve | None:
        """The precision-recall curve over points, thinned; None where nothing is labelled or known."""
        if not self.n_labelled or not len(self.positive):
            return None
        # Recall changes at labelled scores alone: just below some of them, and below the lowest of all.
        picked = self.positive[_spread(len(self.positive), CURVE_POINTS)]
        below = np.nextafter(np.unique(picked)[::-1], -np.inf)
        hits = len(self.positive) - np.searchsorted(self.positive, below, side="right")
        flagged = len(self.ascending) - np.searchsorted(self.ascending, below, side="right")
        return Curve(recall=hits / self.n_labelled, precision=hits / flagged, threshold=below)


def overlaps(start: Ints, stop: Ints, alarm_start: Ints, alarm_stop: Ints) -> tuple[int, int]:
    """How many labelled events an alarm touches, and how many alarms touch a labelled event.

    Parameters
    ----------
    start, stop : ndarray of int64, shape (n_events,)
        Labelled events in time order, apart from each other.
    alarm_start, alarm_stop : ndarray of int64, shape (n_alarms,)
        Alarms likewise.

    Returns
    -------
    found, true : int

    Examples
    --------
    >>> overlaps(np.array([2, 9]), np.array([4, 10]), np.array([0, 3, 6]), np.array([1, 5, 7]))
    (1, 1)
    """
    low = np.searchsorted(alarm_stop, start, side="right")
    high = np.searchsorted(alarm_start, stop, side="left")
    before = np.maximum.accumulate(np.concatenate([[0], high]))[:-1]
    fresh = np.maximum(high - np.maximum(low, before), 0)  # one alarm may touch several events
    return int((high > low).sum()), int(fresh.sum())


def _spread(n: int, most: int) -> Ints:
    """Up to `most` positions of n: the last and the first, denser towards the end."""
    if n <= most:
        return np.arange(n)
    even = np.linspace(0, n - 1, most - most // 3)
    dense = n - np.geomspace(1, n, most // 3)
    return np.unique(np.concatenate([even, dense]).round().astype(np.int64))
