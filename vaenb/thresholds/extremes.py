"""Thresholds from a model of the tail of normal scores: rates rarer than were ever seen. NumPy ring."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from vaenb.errors import InputError
from vaenb.formats import counted
from vaenb.thresholds.base import Choice, Threshold, check_number
from vaenb.thresholds.calibration import two_digits
from vaenb.thresholds.tails import LEAST_CLUSTERS, Tail, count_above, fit_tail

if TYPE_CHECKING:
    from vaenb.thresholds.calibration import Calibration


@dataclass(repr=False)
class ExponentialTail(Threshold):
    """The default: as far beyond the usual scores as an exponential tail reaches once in 30,000 points.

    Above a high quantile u the scores are taken to fall off exponentially, with the mean excess as their
    scale: ``threshold_ = u + mean(score - u | score > u) * ln(share / rate)``, where `share` of the scores
    lie above u (the generalised Pareto tail of `POT` with shape 0).

    `POT` learns the shape of the tail, and keeps its promise for data that stays as it was. Real series
    change: to keep away from that, `POT` would have to promise a tiny rate, and from a few hundred scores it
    then extrapolates to where no event ever comes. This rule is stiffer. It does not promise its `rate`; the
    promise is what the calibration scores say of the threshold whatever their tail: one alarm more than they
    hold above it, in as many points as there are.

    Parameters
    ----------
    rate : float
        The share of normal points beyond the threshold if the tail were exponential.
    level : float
        The quantile u where the tail begins.

    Warnings
    --------
    An anomaly in the calibration part raises the mean excess, and with it the threshold.

    Examples
    --------
    >>> scores = np.random.default_rng(0).exponential(size=10_000)      # P(score > 11.5) = 0.00001
    >>> round(ExponentialTail().fit(scores).threshold_, 1)
    11.5
    """

    rate: float = 1e-5
    level: float = 0.9

    def __post_init__(self) -> None:
        self.rate = check_number("ExponentialTail", "rate", self.rate, low=0, high=1)
        self.level = check_number("ExponentialTail", "level", self.level, low=0, high=1)

    def _choose(self, calibration: Calibration) -> Choice:
        scores = calibration.ascending
        start = float(np.quantile(scores, self.level))
        excesses = scores[scores > start] - start
        if len(excesses) == 0:
            said = "Nothing lies above the start of the tail: the highest score is the threshold."
            return Choice(threshold=float(scores[-1]), remarks=(said,))
        share = len(excesses) / len(scores)
        if share <= self.rate:
            said = f"A rate of {self.rate:g} is not rarer than the tail: the threshold is the tail's start."
            return Choice(threshold=start, remarks=(said,))
        return Choice(threshold=start + float(excesses.mean()) * math.log(share / self.rate))


@dataclass(repr=False)
class POT(Threshold):
    """Peaks over threshold: a model of the tail, which can promise rates rarer than were ever seen.

    Scores above a high quantile follow a generalised Pareto distribution, whatever the rest looks like;
    ``threshold_`` is where it leaves `rate` of the normal points (Siffer et al. [1]_).
    `vaenb.thresholds.tails.fit_tail` says how the rate stays honest when scores are few and windows overlap.
    A rate that is not rarer than the tail is read from the scores themselves.

    Parameters
    ----------
    rate : float
        The share of normal points to flag. A rarer one asks for a threshold further beyond what a short
        calibration part shows: at 0.1 % it often lies above all that could ever be found.
    level : float
        The quantile where the tail begins; lowered, not below 0.8, where too little lies above it.

    Attributes
    ----------
    tail_ : Tail or None
        The fitted tail, to draw it; None where none was used, and after loading.

    References
    ----------
    .. [1] A. Siffer, P.-A. Fouque, A. Termier, C. Largouet, Anomaly detection in streams with extreme
       value theory. KDD 2017.

    Examples
    --------
    >>> scores = np.random.default_rng(0).exponential(size=10_000)      # P(score > 9.2) = 0.0001
    >>> round(POT(rate=0.0001).fit(scores).threshold_, 1)
    9.3
    """

    rate: float = 1.5e-3
    level: float = 0.98

    tail_: Tail | None = field(init=False, default=None, compare=False)

    def __post_init__(self) -> None:
        self.rate = check_number("POT", "rate", self.rate, low=0, high=1)
        self.level = check_number("POT", "level", self.level, low=0, high=1)

    def _choose(self, calibration: Calibration) -> Choice:
        tail = fit_tail(calibration.ascending, calibration.peaks, level=self.level)
        if tail is None or tail.share <= self.rate:
            self.tail_ = None
            return self._without(calibration, tail)
        self.tail_ = tail
        threshold = tail.threshold_for(self.rate)
        return Choice(
            threshold=threshold, flag_rate=self.rate, remarks=self._remarks(calibration, tail, threshold)
        )

    def _without(self, calibration: Calibration, tail: Tail | None) -> Choice:
        threshold = calibration.order_statistic(self.rate)
        why = (
            "Nothing lies above the start of the tail, so there is no tail to fit"
            if tail is None
            else f"A rate of {self.rate:g} is not rarer than the tail that was fitted"
        )
        return Choice(
            threshold=float(calibration.ascending[-1]) if threshold is None else threshold,
            remarks=(f"{why}: the threshold is read from the calibration scores themselves.",),
        )

    def _remarks(self, calibration: Calibration, tail: Tail, threshold: float) -> tuple[str, ...]:
        said = []
        if threshold > calibration.ascending[-1]:
            said.append(
                f"The threshold lies above all {len(calibration):,} calibration scores: it is extrapolated "
                f"from the {tail.n_excesses:,} highest, which come in {counted(tail.n_clusters, 'cluster')}."
            )
        begins = 1 - tail.n_excesses / len(calibration)
        if begins < self.level - 0.01:
            said.append(
                f"Too little lies above the {self.level:g} quantile: the tail begins at {begins:.2g} instead."
            )
        return tuple(said)


@dataclass(repr=False)
class AlarmBudget(Threshold):
    """The lowest threshold that keeps false alarms within a budget, such as one a day.

    An alarm is a separate high: the highest score within `window_size` on either side. Where the budget
    allows ten or more of the calibration part's own highs, ``threshold_`` is read from them; where it is
    rarer than that, from a generalised Pareto tail of the highs (`vaenb.thresholds.tails.fit_tail`).

    Parameters
    ----------
    per_day : float
        False alarms a day; needs a clock (`points_per_day`).
    per_points : float, optional
        Instead of `per_day`, and without a clock: one false alarm in so many points.

    Examples
    --------
    >>> scores = np.random.default_rng(0).exponential(size=10_000)
    >>> AlarmBudget(per_day=1).fit(scores, points_per_day=1440).promise
    'flags 0.069 % of normal points: about 1 false alarm a day'
    """

    per_day: float = 1.0
    per_points: float | None = None

    def __post_init__(self) -> None:
        self.per_day = check_number("AlarmBudget", "per_day", self.per_day, low=0)
        if self.per_points is not None:
            self.per_points = check_number("AlarmBudget", "per_points", self.per_points, low=0)

    def _choose(self, calibration: Calibration) -> Choice:
        peaks, n = calibration.peaks, len(calibration)
        budget = self._alarms_a_point(calibration)
        n_allowed = math.floor(budget * n) - 1  # the next alarm counts, too
        tail = None
        if n_allowed < LEAST_CLUSTERS:
            tail = fit_tail(peaks, peaks, level=0.9, lowest=0.2)
        per_peak = budget * n / len(peaks)
        if tail is not None and per_peak < tail.share:
            threshold, alarm_rate = tail.threshold_for(per_peak), budget
        else:
            threshold = self._read(calibration, n_allowed)
            alarm_rate = (count_above(peaks, threshold) + 1) / n
        flag_rate = min(1.0, alarm_rate * calibration.cluster_size_at(threshold))
        return Choice(
            threshold=threshold,
            flag_rate=flag_rate,
            alarm_rate=alarm_rate,
            remarks=self._remarks(calibration, budget * n, threshold),
        )

    def _alarms_a_point(self, calibration: Calibration) -> float:
        if self.per_points is not None:
            return 1 / self.per_points
        if calibration.points_per_day is None:
            raise InputError(
                f"{self!r} needs a clock, and the series has none: name its time column, or use "
                f"AlarmBudget(per_points=10000), one false alarm in so many points."
            )
        return self.per_day / calibration.points_per_day

    def _read(self, calibration: Calibration, n_allowed: int) -> float:
        """The high with so many highs above it; never below the median of the scores."""
        rank = min(max(n_allowed + 1, 1), len(calibration.peaks))
        return float(max(calibration.peaks[-rank], np.median(calibration.ascending)))

    def _remarks(self, calibration: Calibration, expected: float, threshold: float) -> tuple[str, ...]:
        if threshold > calibration.ascending[-1]:
            said = (
                f"The budget allows {two_digits(expected)} alarms in the {len(calibration):,} calibration "
                f"scores, rarer than they can show: the threshold is extrapolated from their highs."
            )
            return (said,)
        if expected > len(calibration.peaks):
            return ("The budget is larger than the number of highs: it will not be used up.",)
        return ()
