"""A threshold that follows drift: peaks over threshold of what lies above a moving average. NumPy ring."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from vaenb.errors import InputError
from vaenb.events import as_scores
from vaenb.thresholds.base import Choice, Threshold, check_number
from vaenb.thresholds.calibration import look_at
from vaenb.thresholds.tails import fit_tail
from vaenb.thresholds.walk import MOST_PEAKS, Walk
from vaenb.windows import moving_sums

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from vaenb.records import Floats
    from vaenb.thresholds.calibration import Calibration

_LEAST_DEPTH = 100
_WINDOWS_DEEP = 8
_LEAST_RESIDUALS = 10


@dataclass(repr=False)
class DSPOT(Threshold):
    """Peaks over threshold with drift: the threshold stands a fixed rarity above a moving average of scores.

    Siffer et al. [1]_. With ``M(i)`` the mean of the last `depth` normal scores before score i, the
    residuals ``score(i) - M(i)`` have a generalised Pareto tail as in `POT`; the threshold for score i is
    ``M(i) + z``, where z leaves `rate` of the residuals. `fit` takes the first average and tail from the
    calibration scores, and `update` goes on from there, score by score:

    - a score above the threshold is an alarm, and nothing is learnt from it;
    - one whose residual lies in the tail is a new peak: the tail is fitted again, and z moves;
    - any other counts as normal; it and the peaks enter the moving average.

    The tail is weighed as in `POT` (`vaenb.thresholds.tails.fit_tail`), where the paper takes its most likely
    parameters: from few peaks those promise too much. It is fitted on the 400 newest peaks.

    Parameters
    ----------
    rate : float
        The share of normal points to flag.
    depth : int or "auto"
        Points in the moving average. "auto": eight windows, at least 100 points, at most half of the
        calibration scores. A slow drift needs no short memory; a short one follows an anomaly, too.
    level : float
        The quantile of the residuals where the tail begins; lowered as in `POT`.

    Attributes
    ----------
    threshold_ : float
        The threshold for the next score: after `fit`, at the end of the calibration part. `predict` takes it
        as it stands; only `update` moves it.

    Warnings
    --------
    It follows a drift, not a step: after one, every score is an alarm, and none is learnt from. An anomaly
    that rises as slowly as a drift does is followed like one. And as the tail is learnt without its alarms,
    which are its highest values, it comes out too short: on gamma scores, 2.8 in 1,000 are flagged for a
    `rate` of 2 in 1,000.

    References
    ----------
    .. [1] A. Siffer, P.-A. Fouque, A. Termier, C. Largouet, Anomaly detection in streams with extreme
       value theory. KDD 2017.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> rule = DSPOT(rate=1e-3).fit(rng.exponential(size=5_000))
    >>> rising = rng.exponential(size=5_000) + np.linspace(0, 20, 5_000)
    >>> thresholds = rule.update(rising)
    >>> thresholds.round()[[0, -1]].tolist(), int((rising > thresholds).sum())
    ([7.0, 27.0], 3)
    """

    rate: float = 1.5e-3
    depth: int | str = "auto"
    level: float = 0.98

    _walk: Walk | None = field(init=False, default=None, compare=False)

    def __post_init__(self) -> None:
        self.rate = check_number("DSPOT", "rate", self.rate, low=0, high=1)
        self.level = check_number("DSPOT", "level", self.level, low=0, high=1)
        if self.depth != "auto":
            points = check_number("DSPOT", "depth (points, or 'auto')", self.depth, low=0)
            self.depth = math.ceil(points)

    # ------------------------------------------------------------------ the calibration part

    def _choose(self, calibration: Calibration) -> Choice:
        scores = calibration.scores[~np.isnan(calibration.scores)]
        depth = self._depth_for(len(scores), calibration.window_size)
        residuals = scores[depth:] - moving_sums(scores, depth)[depth - 1 : len(scores) - 1] / depth
        around = look_at(residuals, window_size=calibration.window_size)
        tail = fit_tail(around.ascending, around.peaks, level=self.level)
        recent = deque(scores[-depth:].tolist(), depth)
        if tail is None or tail.share <= self.rate:
            # The tail begins where alarms do: there will be no peaks, and no other height.
            high = around.order_statistic(self.rate)
            beyond = float(around.ascending[-1]) if high is None else high
            self._walk = Walk(recent=recent, start=beyond, beyond=beyond, n_scores=len(residuals))
            said = "There is no tail to fit beyond this rate: the threshold moves with the average alone."
            return self._choice(around, beyond, around.rate_above(beyond), said)
        beyond = tail.threshold_for(self.rate)
        self._walk = Walk(
            recent=recent,
            start=tail.start,
            beyond=beyond,
            peaks=deque((around.ascending[-tail.n_excesses :] - tail.start).tolist(), MOST_PEAKS),
            gap=calibration.window_size,
            n_scores=len(residuals),
            n_peaks=tail.n_excesses,
            n_clusters=tail.n_clusters,
        )
        return self._choice(around, beyond, self.rate)

    def _choice(self, around: Calibration, beyond: float, rate: float, *remarks: str) -> Choice:
        alarms = rate / around.cluster_size_at(beyond)
        threshold = float("nan") if self._walk is None else self._walk.threshold
        return Choice(threshold=threshold, flag_rate=rate, alarm_rate=alarms, remarks=remarks)

    def _depth_for(self, n: int, window_size: int) -> int:
        """Points in the moving average."""
        if isinstance(self.depth, str):
            return max(1, min(max(_LEAST_DEPTH, _WINDOWS_DEEP * window_size), n // 2))
        if self.depth > n - _LEAST_RESIDUALS:
            raise InputError(
                f"DSPOT: depth is {self.depth:,}, and there are {n:,} calibration scores; expected at least "
                f"{_LEAST_RESIDUALS} more than the depth: give a smaller depth, or a longer calibration part."
            )
        return int(self.depth)

    # ------------------------------------------------------------------ the stream

    def update(self, scores: ArrayLike) -> Floats:
        """Take new scores, one after the other, and give the threshold that each of them met.

        Parameters
        ----------
        scores : array_like, shape (n,)
            In time order, following the calibration scores and those that were given before. From NaN
            nothing is learnt.

        Returns
        -------
        ndarray of float64, shape (n,)
            A score above its threshold is an alarm. How the scores are cut into calls changes nothing.

        Raises
        ------
        InputError
            If it is not fitted.
        """
        self._check_fitted()
        values = as_scores(scores)
        if self._walk is None:
            raise InputError(f"{self!r} was fitted without its moving average: fit it again.")
        walk = self._walk.copy()
        found = np.empty(len(values))
        for place, score in enumerate(values.tolist()):
            found[place] = walk.threshold
            walk.see(score, self.rate)
        # Both at once and last: whoever interrupts has the rule as it was.
        self._walk, self.threshold_ = walk, walk.threshold
        return found

    # ------------------------------------------------------------------ a life as JSON

    def to_dict(self) -> dict[str, object]:
        """Method, settings and fitted values, the moving average and the peaks included."""
        told = super().to_dict()
        if isinstance(told["fitted"], dict) and self._walk is not None:
            told["fitted"]["walk"] = self._walk.to_dict()
        return told

    def restore(self, fitted: Mapping[str, object]) -> Self:
        """Take over the fitted values of a `to_dict`.

        Raises
        ------
        InputError
            If one is missing or is not what it should be.
        """
        super().restore(fitted)
        self._walk = Walk.from_dict(fitted.get("walk"))
        return self
