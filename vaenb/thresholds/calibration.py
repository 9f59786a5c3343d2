"""Scores of normal data, and what they can and cannot promise about any threshold. NumPy ring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vaenb.errors import InputError
from vaenb.events import as_flags, as_scores
from vaenb.thresholds.tails import LEAST_CLUSTERS, cluster_size, count_above, find_peaks

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from vaenb.records import Bools, Floats

ASTRONOMICAL = 1e150  # its square still fits into a float64


@dataclass(frozen=True, eq=False, kw_only=True)
class Calibration:
    """Scores of normal data, looked at in the ways that thresholds need.

    Attributes
    ----------
    scores : ndarray of float64, shape (n_timestamps,)
        In time order; NaN where there is none.
    ascending : ndarray of float64, shape (n,)
        Those that are known, sorted.
    peaks : ndarray of float64, shape (n_peaks,)
        The scores that are the highest within `window_size` points on either side, sorted.
    window_size : int
    points_per_day : float or None
    labels : ndarray of bool, shape (n_timestamps,), or None
    """

    scores: Floats
    ascending: Floats
    peaks: Floats
    window_size: int
    points_per_day: float | None = None
    labels: Bools | None = None

    def __len__(self) -> int:
        return len(self.ascending)

    def rate_above(self, threshold: float) -> float:
        """The share of fresh normal points to expect above a threshold that these scores chose.

        One more cluster than was seen: ``(n_above + size) / (n + size)``. For independent scores the size
        is 1, and this is the share of the next of n + 1 exchangeable values.
        """
        size = self.cluster_size_at(threshold)
        return min(1.0, (count_above(self.ascending, threshold) + size) / (len(self) + size))

    def cluster_size_at(self, threshold: float) -> float:
        """The mean number of points that one alarm flags."""
        return cluster_size(self.ascending, self.peaks, threshold)

    def order_statistic(self, rate: float) -> float | None:
        """The lowest score that the next of n + 1 scores exceeds with at most this probability, or None."""
        rank = int(np.ceil((len(self) + 1) * (1 - rate) - 1e-9))
        return float(self.ascending[max(rank, 1) - 1]) if rank <= len(self) else None

    def weaknesses(self) -> list[str]:
        """What makes these scores a weak ground for any threshold."""
        n, highs = len(self), len(self.peaks)
        if self.ascending[0] == self.ascending[-1]:
            return [f"All {n:,} calibration scores are {self.ascending[0]:g}: anything higher is flagged."]
        if highs >= LEAST_CLUSTERS:
            return []
        found = "one high" if highs == 1 else f"{highs} highs"
        said = (
            f"The {n:,} calibration scores hold only {found} more than a window of {self.window_size} apart: "
            f"every rate here is rough; calibrate on a longer stretch."
        )
        return [said]

    def limits_at(self, threshold: float) -> list[str]:
        """The rule of three, where no score lies above the threshold."""
        if self.ascending[-1] > threshold:
            return []
        most = min(1.0, 3 * self.cluster_size_at(threshold) / len(self))
        said = (
            f"No calibration score lies above the threshold: all that is known, with 95 % confidence, is "
            f"that it flags less than {as_percent(most)} of normal points."
        )
        return [said]


def look_at(
    scores: ArrayLike,
    *,
    window_size: int = 1,
    points_per_day: float | None = None,
    labels: ArrayLike | None = None,
    least: int = 1,
) -> Calibration:
    """Check calibration scores, and sort them.

    Parameters
    ----------
    scores : array_like or Scores, shape (n_timestamps,)
        NaN is ignored.
    window_size : int
        Points.
    points_per_day : float, optional
    labels : array_like of 0/1, shape (n_timestamps,), optional
    least : int
        Fewer known scores than this are refused.

    Raises
    ------
    InputError
        If scores are infinite or too few, labels do not fit, or a number makes no sense.
    """
    values = as_scores(scores, "calibration scores")
    _refuse(values, least)
    if window_size < 1:
        raise InputError(f"window_size is {window_size}; it counts points and must be at least 1.")
    if points_per_day is not None and not 0 < points_per_day < np.inf:
        raise InputError(f"points_per_day is {points_per_day}; it must be a positive number, or None.")
    return Calibration(
        scores=values,
        ascending=np.sort(values[~np.isnan(values)]),
        peaks=np.sort(values[find_peaks(values, window_size)]),
        window_size=window_size,
        points_per_day=points_per_day,
        labels=None if labels is None else _aligned(labels, len(values)),
    )


def _refuse(values: Floats, least: int) -> None:
    """Refuse scores that no threshold can come from."""
    wild = np.flatnonzero(np.abs(values) > ASTRONOMICAL)
    if len(wild):
        raise InputError(
            f"The calibration score at position {wild[0]} is {values[wild[0]]:g}; scores must be finite and "
            f"below {ASTRONOMICAL:g}: look for infinite or enormous values in the data."
        )
    refuse_few(int((~np.isnan(values)).sum()), len(values), least)


def refuse_few(known: int, given: int, least: int) -> None:
    """Refuse calibration scores of which fewer than `least` are known."""
    if known < least:
        raise InputError(
            f"Only {known} of {given} calibration scores are not missing; at least {least} are needed: "
            f"make the calibration part longer."
        )


def _aligned(labels: ArrayLike, n_scores: int) -> Bools:
    flags = as_flags(labels, "labels")
    if len(flags) != n_scores:
        raise InputError(
            f"There are {len(flags)} labels for {n_scores} scores; give one label a score, 0 or 1."
        )
    return flags


def least_for(rate: float) -> int:
    """How many exchangeable scores (or blocks) can show a rate: the least n with 1 / (n + 1) <= rate."""
    return int(np.ceil(1 / rate * (1 - 1e-9) - 1))


def as_percent(share: float) -> str:
    """A share as a percentage of two digits, e.g. ``0.1 %``."""
    return f"{two_digits(100 * share)} %"


def two_digits(value: float) -> str:
    """A number rounded to two significant digits, without an exponent where it can be read without one."""
    if value >= 100:
        return f"{float(f'{value:.1e}'):,.0f}"
    return f"{value:.2g}" if value >= 1e-4 or value == 0 else f"{value:.1e}"
