"""Errors of single points to anomaly scores that see short and long events alike. NumPy only.

A spike lasts a point, a freeze or a storm lasts many windows. Averaging the errors over one fixed length
finds one of them and blurs the other. So they are averaged over a ladder of lengths, each is measured against
what is usual for that length in the training part, and the score is what the lengths say together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from vaenb.errors import InputError
from vaenb.windows import moving_sums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import ArrayLike, NDArray

    from vaenb.records import Floats

LENGTHS = (0.0, 0.125, 0.5, 1.0, 2.0, 4.0, 8.0)  # in windows; 0 is the point alone
SHARE = 0.5  # of the training part, at most: of a longer length it has none to say what is usual
TO_SIGMA = 1.4826  # a median absolute deviation in standard deviations, for a normal distribution
CLIP = 30.0  # sigmas beyond which an error of the training part is contamination, and counts as this many
POWER = 2 / 3
PIECE = 1 << 16  # timestamps at a time: what is in work stays small, and in the processor's cache
CAP = 20.0  # sigmas of single errors: over lengths beyond a window, no error counts for more


class MultiScale:
    """Combine averages of the errors over several lengths.

    With ``m_l(t)`` the mean error of the points within half a length ``l`` of ``t``, and ``median_l``,
    ``sigma_l`` learnt from the training part, the score is
    ``score(t) = (mean_l max(0, (m_l(t) - median_l) / sigma_l)) ** (2 / 3)``. The power keeps one enormous
    value from hiding all others in a picture, and no order of scores depends on it. For lengths beyond a
    window errors are cut off at a cap, so that a spike does not raise the score windows away from it.
    ``sigma_l`` is a standard deviation of values cut off at 44 median absolute deviations from the median:
    errors have a long tail that is usual, and a broken sensor in the training part a longer one that is not.
    An error of NaN is missing: ``m_l(t)`` is the mean of those that are known, and the score that of the
    lengths which hold one; 0 where none does.

    Parameters
    ----------
    window_size : int
        In points; the lengths are 1 point and 1/8, 1/2, 1, 2, 4 and 8 windows, as far as they are at most
        half of the training part.

    Attributes
    ----------
    lengths_ : ndarray of int64, shape (n_lengths,)
        In points.
    median_, sigma_ : ndarray of float64, shape (n_lengths,)
    cap_ : float
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
    cap_: float

    def __init__(self, window_size: int) -> None:
        self.window_size = window_size

    def fit(self, errors: ArrayLike) -> Self:
        """Learn what is usual from the errors of the training part, shape (n_timestamps,)."""
        known = _one_row(errors)
        self.lengths_ = self._ladder(len(known))
        there = _there(known)
        median, spread = _middle(known[there])
        self.cap_ = median + CAP * spread
        usual = [_usual(self._means(known, int(length))[there]) for length in self.lengths_]
        self.median_, self.sigma_ = np.transpose(usual)
        return self

    def _means(self, errors: Floats, length: int) -> Floats:
        """The means over a length, shape (n_timestamps,)."""
        found = np.empty(len(errors))
        for part in _pieces(len(errors)):
            found[part] = self._mean(errors, part, length)
        return found

    def _mean(self, errors: Floats, part: slice, length: int) -> Floats:
        """A piece of the means over a length."""
        first = max(part.start - length, 0)
        near = errors[first : part.stop + length]
        if length > self.window_size:
            near = np.minimum(near, self.cap_)
        return box_mean(near, length)[part.start - first : part.stop - first]

    def _ladder(self, n_timestamps: int) -> NDArray[np.int64]:
        lengths = {max(1, round(length * self.window_size)) for length in LENGTHS}
        most = max(1, SHARE * n_timestamps)
        return np.array(sorted(length for length in lengths if length <= most), dtype=np.int64)

    def transform(self, errors: ArrayLike, *, out: Floats | None = None) -> Floats:
        """Scores of the timestamps, shape (n_timestamps,); never negative, higher = more anomalous.

        Parameters
        ----------
        errors : array_like, shape (n_timestamps,)
        out : ndarray of float64, shape (n_timestamps,), optional
            Where to write them; the errors themselves may be lost for it.
        """
        if not hasattr(self, "sigma_"):
            raise InputError(
                "The scales have not been fitted: call fit with the training part's errors first."
            )
        known = _one_row(errors)
        score = np.empty(len(known)) if out is None else out
        reach = int(self.lengths_[-1])
        before = known[:0]
        for part in _pieces(len(score)):
            near = np.concatenate([before, known[part.start : part.stop + reach]])
            here = slice(len(before), len(before) + part.stop - part.start)
            score[part] = self._score(near, here)
            before = near[max(0, here.stop - reach) : here.stop]
        return score

    def _score(self, errors: Floats, part: slice) -> Floats:
        """The scores of a part."""
        total, voters = np.zeros(part.stop - part.start), np.zeros(part.stop - part.start)
        for length, median, sigma in zip(self.lengths_, self.median_, self.sigma_, strict=True):
            beyond = np.maximum((self._mean(errors, part, int(length)) - median) / sigma, 0.0)
            there = _there(beyond)
            total[there] += beyond[there]
            voters[there] += 1
        return np.asarray((total / np.maximum(voters, 1)) ** POWER)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """What was learnt, as plain arrays."""
        return {
            "lengths": self.lengths_,
            "median": self.median_,
            "sigma": self.sigma_,
            "cap": np.array(self.cap_),
        }

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
        fit_together = median.shape == sigma.shape == lengths.shape and cap.shape == ()
        if not (fit_together and len(lengths) > 0 and np.array_equal(lengths, whole[: len(lengths)])):
            raise InputError("The saved scales are of other lengths: save the detector again.")
        if not (all(np.isfinite(each).all() for each in (median, sigma, cap)) and (sigma > 0).all()):
            raise InputError("The saved scales hold a number that is not positive: save the detector again.")
        scales.lengths_, scales.median_, scales.sigma_, scales.cap_ = lengths, median, sigma, float(cap)
        return scales


def _one_row(errors: ArrayLike) -> Floats:
    """The errors as float64, not copied where they are."""
    row = np.asarray(errors, dtype=np.float64)
    if row.ndim != 1:
        raise InputError(f"The errors have the shape {row.shape}; expected (n_timestamps,).")
    return row


def _pieces(n: int) -> Iterator[slice]:
    """The pieces of a series of n points, one after the other."""
    return (slice(first, min(first + PIECE, n)) for first in range(0, n, PIECE))


def _middle(values: Floats) -> tuple[float, float]:
    """The median, and a standard deviation by the median absolute deviation."""
    scratch = np.array(values)
    median = float(np.median(scratch, overwrite_input=True))
    np.abs(np.subtract(values, median, out=scratch), out=scratch)
    # Constant errors have no spread; then any other error is far out, and finitely so.
    least = 1e-6 * max(abs(median), 1.0)
    return median, TO_SIGMA * max(float(np.median(scratch, overwrite_input=True)), least)


def _usual(values: Floats) -> tuple[float, float]:
    """The median, and the standard deviation without contamination; the values are lost."""
    median, spread = _middle(values)
    kept = np.clip(values, median - CLIP * spread, median + CLIP * spread, out=values)
    return median, max(float(np.std(kept)), 1e-6 * max(abs(median), 1.0))


def box_mean(values: Floats, length: int) -> Floats:
    """The mean of those of the `length` values around each one that are known; NaN where none is."""
    if length <= 1:
        return values
    n, before, after = len(values), length // 2, length - length // 2
    there, around = _there(values), slice(after - 1, after - 1 + n)
    if isinstance(there, slice):
        places = np.arange(n)
        count = np.minimum(places + after, n) - np.maximum(places - before, 0)
        return np.asarray(moving_sums(values, length)[around] / count)
    total = moving_sums(np.where(there, values, 0.0), length)[around]
    with np.errstate(invalid="ignore"):  # nothing of none is NaN
        return np.asarray(total / moving_sums(there.astype(np.float64), length)[around])


def _there(values: Floats) -> slice | NDArray[np.bool_]:
    """Where values are known."""
    known = ~np.isnan(values)
    return slice(None) if known.all() else known
