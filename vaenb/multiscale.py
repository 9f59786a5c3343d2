"""Errors of single points to anomaly scores that see short and long events alike. NumPy only.

A spike lasts a point, a freeze or a storm lasts several windows. Averaging the errors over one fixed length
finds one of them and blurs the other. So they are averaged over several lengths, each is measured against
what is usual for that length in the training part, and the score is what the lengths say together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vaenb.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from vaenb.records import Floats

LENGTHS = (0.0, 0.125, 0.5, 1.0, 2.0)  # in windows; 0 is the point alone
TO_SIGMA = 1.4826  # a median absolute deviation in standard deviations, for a normal distribution


class MultiScale:
    """Combine averages of the errors over several lengths.

    With ``m_l(t)`` the mean error of the points within half a length ``l`` of ``t``, and ``median_l``,
    ``sigma_l`` (1.4826 median absolute deviations) learnt from the training part,
    ``score(t) = mean_l sqrt(max(0, (m_l(t) - median_l) / sigma_l))``. The root keeps one
    enormous value from speaking for all lengths.

    Parameters
    ----------
    window_size : int
        In points; the lengths are 1 point and 1/8, 1/2, 1 and 2 windows.

    Attributes
    ----------
    lengths_ : ndarray of int64, shape (n_lengths,)
        In points.
    median_, sigma_ : ndarray of float64, shape (n_lengths,)

    Examples
    --------
    >>> errors = np.ones(1000) + 0.1 * np.sin(np.arange(1000))
    >>> errors[500] = 9.0
    >>> score = MultiScale(32).fit(errors).transform(errors)
    >>> int(score.argmax())
    500
    """

    median_: Floats
    sigma_: Floats

    def __init__(self, window_size: int) -> None:
        self.window_size = window_size
        self.lengths_ = np.array([max(1, round(length * window_size)) for length in LENGTHS], dtype=np.int64)

    def fit(self, errors: ArrayLike) -> Self:
        """Learn what is usual from the errors of the training part, shape (n_timestamps,)."""
        table = [box_mean(np.asarray(errors, dtype=np.float64), int(length)) for length in self.lengths_]
        self.median_ = np.array([np.median(row) for row in table])
        spread = np.array(
            [np.median(np.abs(row - mid)) for row, mid in zip(table, self.median_, strict=True)]
        )
        # Constant errors have no spread; then any other error is far out, and finitely so.
        least = 1e-6 * np.maximum(np.abs(self.median_), 1.0)
        self.sigma_ = TO_SIGMA * np.maximum(spread, least)
        return self

    def transform(self, errors: ArrayLike) -> Floats:
        """Scores of the timestamps, shape (n_timestamps,); never negative, higher = more anomalous."""
        if not hasattr(self, "sigma_"):
            raise InputError(
                "The scales have not been fitted: call fit with the training part's errors first."
            )
        found = np.asarray(errors, dtype=np.float64)
        total = np.zeros(len(found))
        for length, median, sigma in zip(self.lengths_, self.median_, self.sigma_, strict=True):
            total += np.sqrt(np.maximum((box_mean(found, int(length)) - median) / sigma, 0.0))
        return total / len(self.lengths_)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """What was learnt, as plain arrays."""
        return {"lengths": self.lengths_, "median": self.median_, "sigma": self.sigma_}

    @classmethod
    def from_state(cls, window_size: int, state: Mapping[str, NDArray[Any]]) -> MultiScale:
        """Build what `get_state` described.

        Raises
        ------
        InputError
            If the arrays cannot belong together.
        """
        scales = cls(window_size)
        median, sigma = (np.array(state[name], dtype=np.float64) for name in ("median", "sigma"))
        fit_together = median.shape == sigma.shape == scales.lengths_.shape
        if not (np.array_equal(scales.lengths_, state["lengths"]) and fit_together):
            raise InputError("The saved scales are of other lengths: save the detector again.")
        if not (np.isfinite(median).all() and np.isfinite(sigma).all() and (sigma > 0).all()):
            raise InputError("The saved scales hold a number that is not positive: save the detector again.")
        scales.median_, scales.sigma_ = median, sigma
        return scales


def box_mean(values: Floats, length: int) -> Floats:
    """The mean of the `length` values around each one, shape (n,); fewer at the ends."""
    if length <= 1:
        return values
    before, after = length // 2, length - length // 2
    total = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(len(values))
    low, high = np.maximum(places - before, 0), np.minimum(places + after, len(values))
    return np.asarray((total[high] - total[low]) / (high - low))
