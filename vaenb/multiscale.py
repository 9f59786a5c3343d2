"""Errors of single points to anomaly scores that see short and long events alike. NumPy only.

A spike lasts a point, a freeze or a storm lasts many windows. Averaging the errors over one fixed length
finds one of them and blurs the other. So they are averaged over a ladder of lengths, each is measured against
what is usual for that length in the training part, and the score is what the lengths say together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from vaenb.records import Floats

LENGTHS = (0.0, 0.125, 0.5, 1.0, 2.0, 4.0, 8.0)  # in windows; 0 is the point alone
SHARE = 0.5  # of the training part, at most: of a longer length it has none to say what is usual
TO_SIGMA = 1.4826  # a median absolute deviation in standard deviations, for a normal distribution
CLIP = 30.0  # sigmas beyond which an error of the training part is contamination, and counts as this many
POWER = 2 / 3
CAP = 20.0  # sigmas of single errors: over lengths beyond a window, no error counts for more


class MultiScale:
    """Combine averages of the errors over several lengths, by one or more measures of the errors.

    With ``m_l(t)`` the mean error of the points within half a length ``l`` of ``t``, and ``median_l``,
    ``sigma_l`` learnt from the training part, the score is
    ``score(t) = mean_l max(0, (m_l(t) - median_l) / sigma_l) ** (2 / 3)``, the mean over all lengths and
    measures. The power keeps one enormous value from speaking for all; and for lengths beyond a window errors
    are cut off at a cap, so that a spike does not raise the score windows away from it. ``sigma_l`` is a
    standard deviation of values cut off at 44 median absolute deviations from the median: errors have a long
    tail that is usual, and a broken sensor in the training part a longer one that is not.

    Parameters
    ----------
    window_size : int
        In points; the lengths are 1 point and 1/8, 1/2, 1, 2, 4 and 8 windows, as far as they are at most
        half of the training part.

    Attributes
    ----------
    lengths_ : ndarray of int64, shape (n_lengths,)
        In points.
    median_, sigma_ : ndarray of float64, shape (n_measures, n_lengths)
    cap_ : ndarray of float64, shape (n_measures,)
        The median and 29.652 median absolute deviations of the training part's errors.

    Examples
    --------
    >>> errors = np.ones(1000) + 0.1 * np.sin(np.arange(1000))
    >>> errors[500] = 9.0
    >>> score = MultiScale(32).fit(errors).transform(errors)
    >>> int(score.argmax())
    500
    """

    lengths_: NDArray[np.int64]
    median_: Floats
    sigma_: Floats
    cap_: Floats

    def __init__(self, window_size: int) -> None:
        self.window_size = window_size

    def fit(self, errors: ArrayLike) -> Self:
        """Learn what is usual from the training part: (n_timestamps,) or (n_measures, n_timestamps)."""
        measures = np.atleast_2d(np.asarray(errors, dtype=np.float64))
        self.lengths_ = self._ladder(measures.shape[1])
        self.cap_ = np.array([median + CAP * spread for median, spread in map(_middle, measures)])
        usual = [
            [_usual(mean) for mean in self._means(row, cap)]
            for row, cap in zip(measures, self.cap_, strict=True)
        ]
        self.median_, self.sigma_ = np.moveaxis(np.array(usual), -1, 0)
        return self

    def _means(self, errors: Floats, cap: float) -> Iterator[Floats]:
        """The means over each length."""
        for length in self.lengths_:
            yield box_mean(np.minimum(errors, cap) if length > self.window_size else errors, int(length))

    def _ladder(self, n_timestamps: int) -> NDArray[np.int64]:
        lengths = {max(1, round(length * self.window_size)) for length in LENGTHS}
        most = max(1, SHARE * n_timestamps)
        return np.array(sorted(length for length in lengths if length <= most), dtype=np.int64)

    def transform(self, errors: ArrayLike) -> Floats:
        """Scores of the timestamps, shape (n_timestamps,); never negative, higher = more anomalous."""
        if not hasattr(self, "sigma_"):
            raise InputError(
                "The scales have not been fitted: call fit with the training part's errors first."
            )
        measures = np.atleast_2d(np.asarray(errors, dtype=np.float64))
        total = np.zeros(measures.shape[1])
        for row, cap, medians, sigmas in zip(measures, self.cap_, self.median_, self.sigma_, strict=True):
            for mean, median, sigma in zip(self._means(row, cap), medians, sigmas, strict=True):
                total += np.maximum((mean - median) / sigma, 0.0) ** POWER
        return total / self.sigma_.size

    def get_state(self) -> dict[str, NDArray[Any]]:
        """What was learnt, as plain arrays."""
        return {"lengths": self.lengths_, "median": self.median_, "sigma": self.sigma_, "cap": self.cap_}

    @classmethod
    def from_state(cls, window_size: int, state: Mapping[str, NDArray[Any]]) -> MultiScale:
        """Build what `get_state` described.

        Raises
        ------
        InputError
            If the arrays cannot belong together.
        """
        scales = cls(window_size)
        lengths = np.array(state["lengths"], dtype=np.int64)
        median, sigma, cap = (np.array(state[name], dtype=np.float64) for name in ("median", "sigma", "cap"))
        whole = scales._ladder(round(max(LENGTHS) * window_size / SHARE))
        fit_together = median.shape == sigma.shape == (len(cap), len(lengths)) and cap.ndim == 1
        if not (fit_together and len(lengths) > 0 and np.array_equal(lengths, whole[: len(lengths)])):
            raise InputError("The saved scales are of other lengths: save the detector again.")
        if not (all(np.isfinite(each).all() for each in (median, sigma, cap)) and (sigma > 0).all()):
            raise InputError("The saved scales hold a number that is not positive: save the detector again.")
        scales.lengths_, scales.median_, scales.sigma_, scales.cap_ = lengths, median, sigma, cap
        return scales


def _middle(values: Floats) -> tuple[float, float]:
    """The median, and a standard deviation by the median absolute deviation."""
    median = float(np.median(values))
    # Constant errors have no spread; then any other error is far out, and finitely so.
    least = 1e-6 * max(abs(median), 1.0)
    return median, TO_SIGMA * max(float(np.median(np.abs(values - median))), least)


def _usual(values: Floats) -> tuple[float, float]:
    """The median, and the standard deviation without contamination."""
    median, spread = _middle(values)
    kept = np.clip(values, median - CLIP * spread, median + CLIP * spread)
    return median, max(float(np.std(kept)), 1e-6 * max(abs(median), 1.0))


def box_mean(values: Floats, length: int) -> Floats:
    """The mean of the `length` values around each one, shape (n,); fewer at the ends."""
    if length <= 1:
        return values
    before, after = length // 2, length - length // 2
    total = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    low, high = np.maximum(places - before, 0), np.minimum(places + after, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))
