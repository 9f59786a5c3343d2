"""What all thresholds have in common: the promise, the flags, and a life as JSON. NumPy ring."""

from __future__ import annotations

import math
import warnings
from dataclasses import Field, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import numpy as np

from vaenb.errors import InputError
from vaenb.events import as_scores
from vaenb.thresholds.calibration import Calibration, as_percent, look_at, refuse_few, two_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from vaenb.records import Floats


def check_number(owner: str, name: str, value: object, *, low: float, high: float = math.inf) -> float:
    """A setting as a Python number; an `InputError` unless it lies between low and high, both excluded."""
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, int | float) and not isinstance(number, bool) and low < number < high:
        return number
    wanted = f"a number between {low:g} and {high:g}" if high < math.inf else "a finite number"
    above = f" above {low:g}" if high == math.inf and low > -math.inf else ""
    raise InputError(f"{owner}: {name} is {value!r}; it must be {wanted}{above}.")


class ThresholdWarning(UserWarning):
    """A threshold was fitted in a way that breaks its promise."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Choice:
    """A threshold, and what its class knows about it; None where the calibration scores shall tell."""

    threshold: float
    flag_rate: float | None = None
    alarm_rate: float | None = None
    remarks: tuple[str, ...] = ()


class Threshold:
    """The common part of all thresholds: a score above ``threshold_`` is flagged.

    Attributes
    ----------
    threshold_ : float
        In the unit of the scores; higher scores are more anomalous.
    n_ : int
        The calibration scores that are not missing.
    flag_rate_ : float
        The share of normal points that will be flagged, on average.
    alarm_rate_ : float
        False alarms a point: `flag_rate_` divided by the mean number of points in a cluster of high
        scores, that is, times the extremal index (`vaenb.thresholds.tails.cluster_size`). Flags at most
        `window_size` apart count as one alarm.
    points_per_day_ : float or None
    warnings_ : tuple of str
        What makes the promise weaker than it looks, one sentence each.

    Warnings
    --------
    Every rate is an average, for data that behaves as the calibration part did. Where the series drifts,
    more will be flagged.
    """

    threshold_: float
    n_: int
    flag_rate_: float
    alarm_rate_: float
    points_per_day_: float | None
    warnings_: tuple[str, ...]

    _least_scores: ClassVar[int] = 10

    def fit(
        self,
        scores: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        window_size: int = 1,
        points_per_day: float | None = None,
        judges: ArrayLike | None = None,
    ) -> Self:
        """Choose the threshold from scores of normal data that the model was not trained on.

        Parameters
        ----------
        scores : array_like or Scores, shape (n_timestamps,)
            In time order, higher = more anomalous. NaN is ignored.
        labels : array_like of 0/1, shape (n_timestamps,), optional
            `BestF1` needs them; the others do not look at them.
        window_size : int
            Points. Scores closer than this share windows and are not independent of each other.
        points_per_day : float, optional
            ``series.points_per_day``; without it, false alarms are told per 1,000 points.
        judges : array_like or Scores, optional
            The scores that will be judged. A `ThresholdWarning` tells when they are the calibration
            scores themselves.

        Returns
        -------
        Threshold
            Itself.

        Raises
        ------
        InputError
            If scores are infinite or too few, labels are missing or wrong, or a number makes no sense.
        """
        calibration = look_at(
            scores,
            labels=labels,
            window_size=window_size,
            points_per_day=points_per_day,
            least=self._least_scores,
        )
        judged = judges is not None and _same(calibration.scores, as_scores(judges, "judges"))
        self.fit_to(calibration, judged=judged)
        if judged:
            warnings.warn(self.warnings_[0], ThresholdWarning, stacklevel=2)
        return self

    def fit_to(self, calibration: Calibration, *, judged: bool = False) -> Self:
        """Choose the threshold from scores that were sorted before, so that several rules can share the work.

        Parameters
        ----------
        calibration : vaenb.thresholds.calibration.Calibration
            What `look_at` made of the scores.
        judged : bool
            Whether these scores are also the ones to be judged; ``warnings_`` then begins with what that
            breaks.

        Returns
        -------
        Threshold
            Itself.

        Raises
        ------
        InputError
            If the scores are too few, or labels or a clock are missing that the rule needs.
        """
        refuse_few(len(calibration), len(calibration.scores), self._least_scores)
        self._promise(calibration, self._choose(calibration))
        if judged:
            self.warnings_ = (self._judges_itself(), *self.warnings_)
        return self

    def _choose(self, calibration: Calibration) -> Choice:
        raise NotImplementedError

    def _judges_itself(self) -> str:
        return (
            "The threshold was fitted on the very scores it judges, so its promise about false alarms does "
            "not hold: fit it on the calibration part."
        )

    def _promise(self, calibration: Calibration, choice: Choice) -> None:
        """Set the fitted values; what the choice does not know, the calibration scores tell."""
        threshold, rate, alarms = choice.threshold, choice.flag_rate, choice.alarm_rate
        remarks = [*choice.remarks, *calibration.weaknesses()]
        if rate is None:
            rate = calibration.rate_above(threshold)
            remarks += calibration.limits_at(threshold)
        self.threshold_ = float(threshold)
        self.n_ = len(calibration)
        self.flag_rate_ = float(rate)
        self.alarm_rate_ = float(rate / calibration.cluster_size_at(threshold) if alarms is None else alarms)
        self.points_per_day_ = calibration.points_per_day
        self.warnings_ = tuple(remarks)

    @property
    def is_fitted(self) -> bool:
        """Whether it has seen calibration scores."""
        return "flag_rate_" in vars(self)

    @property
    def expected_false_alarms_per_day_(self) -> float | None:
        """False alarms in a day of normal data; None without a clock."""
        self._check_fitted()
        return None if self.points_per_day_ is None else self.alarm_rate_ * self.points_per_day_

    @property
    def expected_false_alarms_per_1000_points_(self) -> float:
        """False alarms in 1,000 points of normal data."""
        self._check_fitted()
        return self.alarm_rate_ * 1000

    @property
    def promise(self) -> str:
        """What to expect on normal data, in a sentence.

        Examples
        --------
        >>> from vaenb.thresholding import Percentile
        >>> scores = np.random.default_rng(0).exponential(size=10_000)
        >>> Percentile(99.9).fit(scores, points_per_day=288).promise
        'flags 0.1 % of normal points: about 0.29 false alarms a day'
        """
        self._check_fitted()
        daily = self.expected_false_alarms_per_day_
        if daily is None:
            alarms = _frequency(
                self.expected_false_alarms_per_1000_points_, "in 1,000 points", 1000, "points"
            )
        else:
            alarms = _frequency(daily, "a day", 1, "days")
        return f"flags {as_percent(self.flag_rate_)} of normal points: about {alarms}"

    def predict(self, scores: ArrayLike) -> NDArray[np.int8]:
        """Flag scores: 1 where the score lies above the threshold, 0 where it does not or is missing.

        Parameters
        ----------
        scores : array_like or Scores, shape (n_timestamps,)

        Returns
        -------
        ndarray of int8, shape (n_timestamps,)
        """
        if "threshold_" not in vars(self):
            self._check_fitted()
        return (as_scores(scores) > self.threshold_).astype(np.int8)

    def _check_fitted(self) -> None:
        if not self.is_fitted:
            raise InputError(f"{self!r} has seen no calibration scores yet: call fit(scores) first.")

    @property
    def settings(self) -> dict[str, object]:
        """The arguments it was made with."""
        return {setting.name: getattr(self, setting.name) for setting in self._settings()}

    def _settings(self) -> tuple[Field[Any], ...]:
        return tuple(item for item in fields(cast("Any", self)) if item.init)

    def to_dict(self) -> dict[str, object]:
        """Method, settings and, where fitted, the fitted values: only what JSON can hold."""
        fitted = {name: vars(self)[name] for name in _KINDS} if self.is_fitted else None
        if fitted is not None:
            fitted["warnings_"] = list(self.warnings_)
        return {"method": type(self).__name__, "settings": self.settings, "fitted": fitted}

    def restore(self, fitted: Mapping[str, object]) -> Self:
        """Take over the fitted values of a `to_dict`.

        Raises
        ------
        InputError
            If one is missing or is not what it should be.
        """
        for name, kinds in _KINDS.items():
            value = fitted.get(name)
            finite = not isinstance(value, float) or np.isfinite(value)
            if isinstance(value, bool) or not isinstance(value, kinds) or not finite:
                raise InputError(f"{name} of the saved threshold is {value!r}: the record is damaged.")
            setattr(self, name, float(value) if float in kinds and isinstance(value, int) else value)
        self.warnings_ = tuple(str(sentence) for sentence in self.warnings_)
        return self

    def __repr__(self) -> str:
        settings = self._settings()
        told = [item for item in settings if getattr(self, item.name) != item.default] or settings[:1]
        inside = ", ".join(f"{item.name}={getattr(self, item.name)!r}" for item in told)
        return f"{type(self).__name__}({inside})"


_KINDS: dict[str, tuple[type, ...]] = {
    "threshold_": (float, int),
    "n_": (int,),
    "flag_rate_": (float, int),
    "alarm_rate_": (float, int),
    "points_per_day_": (float, int, type(None)),
    "warnings_": (list, tuple),
}


def _same(scores: Floats, judges: Floats) -> bool:
    return scores.shape == judges.shape and bool(np.array_equal(scores, judges, equal_nan=True))


def _frequency(count: float, unit: str, size: float, units: str) -> str:
    """``0.3 false alarms a day`` or, where that is less than a tenth, ``one false alarm in 40 days``."""
    told = two_digits(count)
    if count >= 0.1 or count == 0:
        return f"{told} false {'alarm' if told == '1' else 'alarms'} {unit}"
    return f"one false alarm in {two_digits(size / count)} {units}"
