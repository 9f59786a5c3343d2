"""DSPOT's way through a stream: the moving average, the peaks, and the height of an alarm. NumPy ring."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from vaenb.errors import InputError
from vaenb.thresholds.tails import tail_of

MOST_PEAKS = 400  # the newest; to fit more would take long between two points of a stream
_COUNTS = ("gap", "n_scores", "n_peaks", "n_clusters", "quiet")


@dataclass(eq=False, kw_only=True)
class Walk:
    """Where DSPOT stands in a stream.

    Attributes
    ----------
    recent : deque of float
        The normal scores in the moving average.
    start, beyond : float
        Residuals at which the tail begins and an alarm does.
    gap : int
        Peaks at most so many points apart belong to one cluster.
    peaks : deque of float
        The newest excesses of residuals over `start`.
    n_scores, n_peaks, n_clusters : int
        What was counted, alarms left out.
    quiet : int
        Points since the last peak.
    mean : float
        Of `recent`.
    """

    recent: deque[float]
    start: float
    beyond: float
    gap: int = 1
    peaks: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_PEAKS))
    n_scores: int
    n_peaks: int = 0
    n_clusters: int = 0
    quiet: int = 0
    mean: float = field(init=False)

    def __post_init__(self) -> None:
        self._average()

    def _average(self) -> None:
        self.mean = math.fsum(self.recent) / len(self.recent)

    @property
    def threshold(self) -> float:
        """A score above it is an alarm."""
        return self.mean + self.beyond

    def copy(self) -> Walk:
        """One that goes on by itself."""
        return replace(self, recent=self.recent.copy(), peaks=self.peaks.copy())

    def see(self, score: float, rate: float) -> None:
        """Take one score, as the paper's DSPOT does."""
        self.quiet += 1
        residual = score - self.mean
        if not residual <= self.beyond:  # an alarm, or NaN
            return
        self.n_scores += 1
        if residual > self.start:
            self._add_peak(residual - self.start, rate)
        self.recent.append(score)
        self._average()

    def _add_peak(self, excess: float, rate: float) -> None:
        self.n_peaks += 1
        self.n_clusters += self.quiet > self.gap or not self.n_clusters
        self.quiet = 0
        self.peaks.append(excess)
        tail = tail_of(
            np.sort(self.peaks),
            start=self.start,
            n_excesses=self.n_peaks,
            n_clusters=self.n_clusters,
            n_scores=self.n_scores,
        )
        if tail.share > rate:
            self.beyond = tail.threshold_for(rate)

    def to_dict(self) -> dict[str, object]:
        """Numbers and lists of them."""
        told = asdict(self)
        del told["mean"]
        return {
            **told,
            "recent": list(self.recent),
            "peaks": list(self.peaks),
            "depth": self.recent.maxlen,
        }

    @classmethod
    def from_dict(cls, record: Any) -> Walk:
        """What `to_dict` told.

        Raises
        ------
        InputError
            If something is missing, or is not what it should be.
        """
        try:
            recent, peaks = ([float(value) for value in record[name]] for name in ("recent", "peaks"))
            start, beyond = float(record["start"]), float(record["beyond"])
            counts = {name: int(record[name]) for name in _COUNTS}
            depth = int(record["depth"])
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(f"The saved threshold's moving average is damaged ({error}).") from None
        fits_together = 0 < len(recent) <= depth and len(peaks) <= counts["n_peaks"] <= counts["n_scores"]
        if not (fits_together and np.isfinite([*recent, *peaks, start, beyond]).all()):
            raise InputError("The saved threshold's moving average is damaged: save the detector again.")
        if min(peaks, default=1.0) <= 0 or counts["n_clusters"] > counts["n_peaks"]:
            raise InputError("The saved threshold's peaks are damaged: save the detector again.")
        return cls(
            recent=deque(recent, depth),
            start=start,
            beyond=beyond,
            peaks=deque(peaks, MOST_PEAKS),
            **counts,
        )
