"""Step 5: set the threshold, and say how many false alarms to expect from it. NumPy ring.

Every threshold is fitted on scores of normal data that the model was not trained on (the calibration part).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vaenb.errors import InputError
from vaenb.thresholds.base import Choice, Threshold, ThresholdWarning, check_number
from vaenb.thresholds.calibration import as_percent, least_for, look_at
from vaenb.thresholds.conformal import Conformal
from vaenb.thresholds.drifting import DSPOT
from vaenb.thresholds.extremes import POT, AlarmBudget, ExponentialTail

if TYPE_CHECKING:
    from vaenb.records import Bools, Floats
    from vaenb.thresholds.calibration import Calibration

__all__ = [
    "DSPOT",
    "MAD",
    "POT",
    "AlarmBudget",
    "BestF1",
    "Conformal",
    "ExponentialTail",
    "Fixed",
    "Percentile",
    "Threshold",
    "ThresholdWarning",
    "from_settings",
    "parse_threshold",
]


@dataclass(repr=False)
class Percentile(Threshold):
    """A percentile of the calibration scores: the plainest threshold there is.

    ``threshold_`` is the lowest score that the next of n + 1 exchangeable scores exceeds with a
    probability of at most ``1 - q / 100``: the score of rank ``ceil((n + 1) * q / 100)``.

    Parameters
    ----------
    q : float
        Above 0 and below 100.

    Warnings
    --------
    It flags its share of normal points always, however quiet the series. On the very scores it was
    fitted on it flags ``100 - q`` percent by construction, anomalies or not.

    Examples
    --------
    >>> scores = np.random.default_rng(0).exponential(size=2_000)
    >>> Percentile(95).fit(scores).promise
    'flags 5 % of normal points: about 49 false alarms in 1,000 points'
    """

    q: float = 95

    def __post_init__(self) -> None:
        self.q = check_number("Percentile", "q", self.q, low=0, high=100)

    def _choose(self, calibration: Calibration) -> Choice:
        rate = 1 - self.q / 100
        threshold = calibration.order_statistic(rate)
        if threshold is not None:
            return Choice(threshold=threshold)
        said = (
            f"{len(calibration):,} calibration scores cannot show what only {as_percent(rate)} exceed: the "
            f"highest of them is the threshold; {least_for(rate):,} would do."
        )
        return Choice(threshold=float(calibration.ascending[-1]), remarks=(said,))

    def _judges_itself(self) -> str:
        return (
            f"{as_percent(1 - self.q / 100)} flagged by construction: the threshold is the {self.q:g}th "
            f"percentile of the very scores it judges; fit it on the calibration part."
        )


@dataclass(repr=False)
class MAD(Threshold):
    """So many robust standard deviations above the median.

    ``threshold_ = median + n_mads * 1.4826 * median(|score - median|)``; 1.4826 makes it a standard
    deviation where scores are Gaussian. Where more than half of the scores are equal, the mean distance
    times 1.2533 takes its place [1]_.

    Parameters
    ----------
    n_mads : float
        Anomaly scores lean to the right: 3, which flags 0.13 % of Gaussian scores, flags 5.9 % of
        exponential ones.

    References
    ----------
    .. [1] B. Iglewicz and D. C. Hoaglin, How to detect and handle outliers. ASQC Quality Press, 1993.

    Examples
    --------
    >>> MAD(n_mads=3).fit([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).threshold_
    19.3434
    """

    n_mads: float = 5.0

    def __post_init__(self) -> None:
        self.n_mads = check_number("MAD", "n_mads", self.n_mads, low=0, high=1e6)

    def _choose(self, calibration: Calibration) -> Choice:
        scores = calibration.ascending
        centre = np.median(scores)
        distance = np.abs(scores - centre)
        width = 1.4826 * np.median(distance)
        if width > 0:
            return Choice(threshold=float(centre + self.n_mads * width))
        return Choice(
            threshold=float(centre + self.n_mads * 1.2533 * distance.mean()),
            remarks=("More than half of the scores are equal: the mean distance replaces the median one.",),
        )


@dataclass(repr=False)
class BestF1(Threshold):
    """The threshold with the highest point-wise F1 on labelled scores: what could be reached at best.

    ``threshold_`` lies half-way between the lowest flagged score and the next; of equals the highest
    is taken. The promise counts the points with label 0 only.

    Warnings
    --------
    It looks at the answers. F1 on the same scores is an upper bound, not an estimate; for that, fit it on
    one labelled series and judge another.

    Examples
    --------
    >>> BestF1().fit([1, 2, 9, 3, 8], labels=[0, 0, 1, 0, 1]).threshold_
    5.5
    """

    _least_scores: ClassVar[int] = 1

    def _choose(self, calibration: Calibration) -> Choice:
        if calibration.labels is None:
            raise InputError("BestF1 needs labels, one 0 or 1 a score: give labels=, or use MAD().")
        known = ~np.isnan(calibration.scores)
        scores, labels = calibration.scores[known], calibration.labels[known]
        if labels.all() or not labels.any():
            raise InputError(
                f"BestF1 needs both kinds of labels, and all {len(labels)} are {int(labels[0])}: use MAD()."
            )
        threshold = _best_f1(scores, labels)
        normal = look_at(
            np.where(calibration.labels, np.nan, calibration.scores), window_size=calibration.window_size
        )
        rate = normal.rate_above(threshold)
        return Choice(
            threshold=threshold, flag_rate=rate, alarm_rate=rate / normal.cluster_size_at(threshold)
        )

    def _judges_itself(self) -> str:
        return (
            "The threshold was fitted on the labels of the very scores it judges: their F1 is the best "
            "possible one, not one to expect on new data."
        )


def _best_f1(scores: Floats, labels: Bools) -> float:
    """The threshold with the highest F1, half-way down to the next score."""
    down = np.argsort(-scores, kind="stable")
    ranked, hits = scores[down], np.cumsum(labels[down])
    f1 = 2 * hits / (np.arange(1, len(scores) + 1) + hits[-1])
    f1[:-1][ranked[:-1] == ranked[1:]] = -1  # equal scores are flagged together
    best = int(np.argmax(f1))
    if best + 1 == len(ranked):
        return float(np.nextafter(ranked[best], -np.inf))
    middle = float(ranked[best + 1] + (ranked[best] - ranked[best + 1]) / 2)
    return middle if middle < ranked[best] else float(ranked[best + 1])


@dataclass(repr=False)
class Fixed(Threshold):
    """A number somebody gives. Fitting does not move it, but tells what it will flag.

    Parameters
    ----------
    value : float
        In the unit of the scores.

    Examples
    --------
    >>> Fixed(12.5).predict([12.4, 12.5, 12.6])
    array([0, 0, 1], dtype=int8)
    """

    value: float

    _least_scores: ClassVar[int] = 1

    def __post_init__(self) -> None:
        self.value = check_number("Fixed", "value", self.value, low=-math.inf)
        self.threshold_ = float(self.value)

    def _choose(self, calibration: Calibration) -> Choice:
        del calibration
        return Choice(threshold=float(self.value))


_METHODS: dict[str, type[Threshold]] = {
    "percentile": Percentile,
    "mad": MAD,
    "exponential": ExponentialTail,
    "pot": POT,
    "dspot": DSPOT,
    "conformal": Conformal,
    "alarms": AlarmBudget,
    "best_f1": BestF1,
    "fixed": Fixed,
}
_GRAMMAR = (
    "exponential, exponential:1e-5, pot:0.001, dspot:0.001, percentile:95, mad:5, conformal:0.01, "
    "alarms:1 (a day), alarms:1/10000 (points), best_f1, or a number"
)


def parse_threshold(text: str) -> Threshold:
    """A threshold from its short name, as the command line takes it.

    Parameters
    ----------
    text : str
        ``exponential``, ``exponential:1e-5``, ``pot:0.001``, ``dspot:0.001``, ``percentile:95``, ``mad:5``,
        ``conformal:0.01``, ``alarms:1`` (a day), ``alarms:1/10000`` (one in so many points), ``best_f1``, or
        a number. A name alone takes the defaults.

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> parse_threshold("percentile:99"), parse_threshold("alarms:2/10000"), parse_threshold("12.5")
    (Percentile(q=99.0), AlarmBudget(per_points=5000.0), Fixed(value=12.5))
    """
    name, colon, setting = text.strip().lower().partition(":")
    name = name.replace("-", "_")
    try:
        if name not in _METHODS:
            return Fixed(float(text))
        if not colon:
            return _METHODS[name]()
        if name == "alarms" and "/" in setting:
            alarms, points = (float(part) for part in setting.split("/"))
            return AlarmBudget(per_points=points / alarms)
        return _METHODS[name](float(setting))  # type: ignore[call-arg]  # too many arguments is caught
    except (ValueError, TypeError, ZeroDivisionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{text!r} is no threshold; expected one of: {_GRAMMAR}.") from None


def from_settings(record: Mapping[str, object]) -> Threshold:
    """The threshold of a `Threshold.to_dict`, fitted if it was.

    Raises
    ------
    InputError
        If the record is not one of those.

    Examples
    --------
    >>> from_settings({"method": "MAD", "settings": {"n_mads": 4.0}, "fitted": None})
    MAD(n_mads=4.0)
    """
    classes = {kind.__name__: kind for kind in _METHODS.values()}
    method, settings, fitted = (record.get(key) for key in ("method", "settings", "fitted"))
    if str(method) not in classes or not isinstance(settings, Mapping):
        raise InputError(
            f"method {method!r} of the saved threshold is unknown; known are: {', '.join(classes)}."
        )
    try:
        threshold = classes[str(method)](**settings)
    except TypeError:
        raise InputError(
            f"{method} has no such settings: {dict(settings)!r}; the record is damaged."
        ) from None
    return threshold.restore(fitted) if isinstance(fitted, Mapping) else threshold
